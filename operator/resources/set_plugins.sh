#!/bin/sh
# Has a broker that runs enable exactly the plugins that are named, from a shell in its container:
#   /bin/sh -c TEXT set-plugins rabbitmq_management rabbitmq_prometheus …
# When the image does not have some of them nothing is changed: it ends with 3, and names them.
try() { told=$(rabbitmq-plugins -q set "$@" 2>&1); }
fail() {
  echo "$told" >&2
  exit 1
}
try "$@" && exit 0
case $told in
  *plugins_dir*)
    # The commands of some packages (Debian's 4.0) look for plugins elsewhere than the broker does.
    told=$(rabbitmqctl -q eval "application:get_env(rabbit, plugins_dir)." 2>&1) || fail
    told=${told#*\"}
    export RABBITMQ_PLUGINS_DIR="${told%\"*}"
    try "$@" && exit 0
    ;;
esac
case $told in
  *"not found:"*) ;;
  *) fail ;;
esac
unknown=" $(echo "${told##*not found:}" | tr ',\n' '  ') "
missing=
for name in "$@"; do
  case $unknown in
    *" $name "*) missing="$missing $name" ;;
  esac
done
[ -n "$missing" ] || fail
echo "no such plugin:$missing" >&2
exit 3
