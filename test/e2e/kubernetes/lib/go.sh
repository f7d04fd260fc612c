# shellcheck shell=bash
# The Go that builds our modules: the machine's, or Debian's.

# Prints where a Go is that will do: since 1.21 an older one than go.mod asks for fetches that one, which is
# a module as others are.
find_go() {
  local each version
  for each in "$(command -v go)" /usr/local/go/bin/go /usr/lib/go-1.*/bin/go; do
    [[ -x $each ]] || continue
    version=$(GOTOOLCHAIN=local GOFLAGS='' "$each" env GOVERSION 2>/dev/null) || continue
    if [[ $version =~ go1\.([0-9]+) ]] && ((BASH_REMATCH[1] >= 21)); then
      echo "$each"
      return
    fi
  done
  return 1
}

# Whether a package of that name and at least that version can be had.
is_to_be_had() { # PACKAGE VERSION
  local candidate
  candidate=$(LC_ALL=C apt-cache policy "$1" | sed -n 's/^ *Candidate: //p')
  [[ -n $candidate && $candidate != '(none)' ]] && dpkg --compare-versions "$candidate" ge "$2"
}

# Debian 12's own Go is 1.19; its backports have 1.23, which fetches the rest.
install_go() {
  local codename sources=/etc/apt/sources.list.d/rabbit-operator-backports.list
  codename=$(. /etc/os-release && echo "${VERSION_CODENAME-}")
  log "installing Go"
  is_to_be_had golang-go 2:1.21 || apt_update
  if is_to_be_had golang-go 2:1.21; then
    install_packages golang-go
    return
  fi
  [[ $codename == bookworm ]] ||
    die "Go 1.21 or newer is needed to build Kubernetes, and this system's packages have none: install one from https://go.dev/dl"
  if [[ -z $(apt-get indextargets --format '$(SUITE)' 'Created-By: Packages' "Release: $codename-backports") ]]; then
    log "adding Debian's backports to apt's sources: $sources"
    echo "deb $(debian_mirror | grep . || echo http://deb.debian.org/debian) $codename-backports main" >"$sources"
    apt_update
  fi
  install_packages --target-release "$codename-backports" golang-go
}
