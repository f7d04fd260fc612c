# shellcheck shell=bash
# Packages of Debian, with nothing else on the machine changed by them: none is removed, no service is started.

# Who has these programs from elsewhere (Docker's containerd.io, for one) keeps them: the packages here and those
# exclude each other.
declare -A programs_of=([containerd]="containerd ctr" [runc]=runc)

# Prints those that are not there.
missing_packages() { # PACKAGE...
  local package
  local -a instead
  for package in "$@"; do
    read -r -a instead <<<"${programs_of[$package]-}"
    ((${#instead[@]})) && type -P "${instead[@]}" >/dev/null && continue
    [[ $(dpkg-query --show --showformat '${db:Status-Status}' "$package" 2>/dev/null) == installed ]] || echo "$package"
  done
}

install_packages() { # OPTION_OR_PACKAGE...
  local said removed
  said=$(apt_install "$@" 2>&1) || { apt_update && said=$(apt_install "$@" 2>&1); } ||
    {
      tail -n 30 <<<"$said" >&2
      removed=$(apt-get install --simulate -qq --no-install-recommends "$@" 2>/dev/null | sed -n 's/^Remv \([^ ]*\).*/\1/p' | xargs) || true
      die "apt cannot install $*${removed:+; it would have to remove $removed}"
    }
}

# Debian's switch for what a package starts when it is installed. RUNLEVEL=1 would not reach systemd.
service_policy=/usr/sbin/policy-rc.d

apt_install() ( # OPTION_OR_PACKAGE...; in a shell of its own, whose end takes the switch back
  mark="# of rabbit-operator, while it installs packages"
  # One that was left by a kill is ours too.
  if [[ ! -e $service_policy ]] || grep -qsxF "$mark" "$service_policy"; then
    trap 'rm -f "$service_policy"' EXIT
    printf '#!/bin/sh\n%s\nexit 101\n' "$mark" >"$service_policy" && chmod 755 "$service_policy" || exit
  fi
  DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout="$apt_patience" install -qq -y --no-install-recommends --no-remove "$@" </dev/null
)

# Debian's images for clouds install updates when they start for the first time.
apt_patience=600 # seconds

# Its own lock apt does not wait for, whatever it is told.
apt_update() {
  local said tries
  for ((tries = 0; ; tries++)); do
    said=$(LC_ALL=C apt-get update -qq 2>&1 </dev/null) && return
    if [[ $said != *"Could not get lock"* ]] || ((tries >= apt_patience / 5)); then break; fi
    ((tries)) || log "waiting for another apt to end"
    sleep 5
  done
  tail -n 30 <<<"$said" >&2
  return 1
}
