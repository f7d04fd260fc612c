# shellcheck shell=sh disable=SC2154  # The end of prepare.sh where spec.tls is declared; `etc` is its own.
# The files themselves are mounted, not copied: the broker reads them anew when they are renewed.
tls=$etc/conf.d/50-tls.conf
rm -f "$tls"
printf '%s' "$TLS_CONF" >"$tls"
chmod 600 "$tls"
