# shellcheck shell=bash
# The images, made from Debian's packages. An image is kept in the cache under the digest of its
# recipe, that is of the functions here that make it.

# name, the function that makes it, and that function's arguments
image_table() {
  cat <<'TABLE'
localhost/pause:1                 static_image   pause_program
localhost/coredns:1               static_image   coredns
localhost/rabbitmq:3.10-management rabbitmq_image bookworm
localhost/rabbitmq:4.0-management  rabbitmq_image trixie
localhost/haproxy:2.6             haproxy_image  bookworm
localhost/haproxy:3.0             haproxy_image  trixie
localhost/debian:bookworm         debian_image   bookworm
TABLE
}

# Of the oldest and the newest broker, which only some tests are about: made and loaded when they ask for them.
image_table_of_tests() {
  cat <<'TABLE'
localhost/rabbitmq:3.8-management  rabbitmq_image bullseye
localhost/rabbitmq:4.3-management  rabbitmq_image sid
TABLE
}

# One static program and nothing else.
static_image() { # NAME VARIABLE_WITH_PROGRAM OUT
  local program=${!2}
  make_image --name "$1" --config '{"Entrypoint": ["/program"]}' --file "$program=/program" "$3"
}

# Perl is there because of scripts that have run when the image is made, Python because of
# rabbitmqadmin: up to a third of an image. (dpkg's own part of Perl stays.)
strip=(--customize-hook='rm -rf "$1"/usr/share/perl "$1"/usr/lib/*/perl "$1"/usr/lib/*/libperl.so* "$1"/usr/lib/python3* "$1"/usr/bin/python3*')

# Like the official image where somebody relies on it: user and group 999, home and data in
# /var/lib/rabbitmq, the commands on the PATH, configuration in /etc/rabbitmq, log to standard output.
# Like there, the image's own user is root: who forgets runAsUser must fail here too.
rabbitmq_image() { # NAME SUITE OUT
  local config='{
    "Env": ["PATH=/usr/lib/rabbitmq/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME=/var/lib/rabbitmq", "LANG=C.UTF-8", "RABBITMQ_LOGS=-", "RABBITMQ_UPGRADE_LOG=-"],
    "Cmd": ["rabbitmq-server"], "Volumes": {"/var/lib/rabbitmq": {}},
    "ExposedPorts": {"4369/tcp": {}, "5672/tcp": {}, "15672/tcp": {}, "15692/tcp": {}, "25672/tcp": {}}}'
  # The package leaves an Erlang cookie; one cookie in every cluster would be no cookie.
  debian_root "$2" "$3.root" rabbitmq-server,procps \
    --essential-hook='echo "rabbitmq:x:999:" >>"$1/etc/group"' \
    --essential-hook='echo "rabbitmq:x:999:999:RabbitMQ:/var/lib/rabbitmq:/bin/sh" >>"$1/etc/passwd"' \
    --customize-hook='rm -rf "$1"/var/lib/rabbitmq/.erlang.cookie "$1"/var/lib/rabbitmq/mnesia' \
    "${strip[@]}" \
    --customize-hook='mkdir -p "$1/etc/rabbitmq/conf.d" && echo "loopback_users.guest = false" >"$1/etc/rabbitmq/conf.d/10-defaults.conf"' \
    --customize-hook='echo "[rabbitmq_management,rabbitmq_prometheus]." >"$1/etc/rabbitmq/enabled_plugins"' \
    --customize-hook='chroot "$1" chown -R 999:999 /etc/rabbitmq /var/lib/rabbitmq /var/log/rabbitmq'
  make_image --name "$1" --config "$config" --rootfs "$3.root" "$3"
  rm "$3.root"
}

# Like the official image: its user is `haproxy` (99), and to stop is to drain.
haproxy_image() { # NAME SUITE OUT
  local config='{
    "Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
    "User": "haproxy", "WorkingDir": "/var/lib/haproxy", "StopSignal": "SIGUSR1",
    "Cmd": ["haproxy", "-W", "-db", "-f", "/usr/local/etc/haproxy/haproxy.cfg"]}'
  debian_root "$2" "$3.root" haproxy "${strip[@]}" \
    --customize-hook='chroot "$1" sh -ec "groupmod -g 99 haproxy; usermod -u 99 haproxy; chown -R 99:99 /var/lib/haproxy"' \
    --customize-hook='mkdir -p "$1/usr/local/etc/haproxy"'
  make_image --name "$1" --config "$config" --rootfs "$3.root" "$3"
  rm "$3.root"
}

# What the project's Dockerfile starts from. With apt, and with the sources of packages of this machine.
debian_image() { # NAME SUITE OUT
  debian_root "$2" "$3.root" ca-certificates --variant=apt
  make_image --name "$1" --config '{"Cmd": ["bash"]}' --rootfs "$3.root" "$3"
  rm "$3.root"
}

debian_root() { # SUITE OUT PACKAGES MMDEBSTRAP_OPTION...
  command -v mmdebstrap >/dev/null || die "mmdebstrap is missing: $0 setup"
  local log
  local -a release=()
  # No release that stands: what a mirror has of it may be past its date.
  [[ $1 != sid ]] || release=(--aptopt='Acquire::Check-Valid-Until "false"')
  log=$(mktemp)
  # shellcheck disable=SC2046  # the mirror is one word or none
  nice -n 5 mmdebstrap --variant=essential --format=tar --include="$3" \
    --aptopt='Acquire::Languages "none"' --aptopt='APT::Install-Recommends "false"' \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
    --dpkgopt='path-exclude=/usr/share/info/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
    --dpkgopt='path-exclude=/usr/share/lintian/*' "${release[@]}" \
    "${@:4}" "$1" "$2" $(debian_mirror) >"$log" 2>&1 </dev/null || { tail -n 30 "$log" >&2; rm -f "$log"; return 1; }
  rm -f "$log"
}

# The mirror that this machine's apt takes Debian from; nothing (mmdebstrap knows one) on other systems, and where
# apt has it by other ways. Debian's images for clouds name a file with a mirror on each line.
debian_mirror() {
  local each mirror
  mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' 'Label: Debian' 2>/dev/null |
    while read -r each; do
      echo "$each"
      [[ $each != mirror+file:* ]] || { each=${each#mirror+file:} && cat "${each%/}"; }
    done | grep -Eom 1 '^https?://[^[:space:]]+' || true)
  echo "${DEBIAN_MIRROR:-$mirror}"
}

make_image() { "${PYTHON:-python3}" "$here/images/make_image.py" "$@"; }

# Makes the images named, or all that every node has. Prints each one's name and the path of its archive.
make_images() { # [NAME]...
  local name recipe argument path
  while read -r name recipe argument; do
    (($# == 0)) || [[ " $* " == *" $name "* ]] || continue
    path=$(image_path "$name" "$recipe" "$argument")
    cached "$path" "making image $name" "$recipe" "$name" "$argument"
    printf '%s\t%s\n' "$name" "$path"
  done < <(image_table; (($# == 0)) || image_table_of_tests)
}

image_path() { # NAME RECIPE ARGUMENT
  local key=$3 file=${1#localhost/}
  [[ $2 != static_image ]] || key=${!3}
  printf '%s/image-%s-%s.tar' "$cache" "${file//[:\/]/-}" \
    "$(digest -f "$here/images/make_image.py" "$1" "$key" "$(declare -f "$2" debian_root)" "${strip[@]}" "$(uname -m)")"
}
