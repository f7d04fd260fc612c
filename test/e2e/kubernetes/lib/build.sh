# shellcheck shell=bash
# The programs: Kubernetes and CoreDNS from their Go modules, the pause program from C.

kubernetes_version=v1.34.4
parts=(etcd kube-apiserver kube-controller-manager kube-proxy kube-scheduler kubectl kubelet volume-provisioner)

# The version of Go is left out: a newer Go on the machine is no reason to build for minutes.
go_digest() { # DIRECTORY WORD...
  local file
  local -a files=()
  for file in "$1"/go.mod "$1"/go.sum "$1"/*.go; do files+=(-f "$file"); done
  digest "${files[@]}" "$(uname -m)" "${@:2}"
}

go_build() { # DIRECTORY LDFLAGS OUT
  local go
  go=$(find_go) || die "go is missing: Kubernetes is built from its Go modules"
  # Politely: a cold build takes minutes of every core. `auto`: an older Go fetches the one of go.mod.
  (cd "$1" && CGO_ENABLED=0 GOTOOLCHAIN=auto nice -n 5 "$go" build -trimpath -buildvcs=false -ldflags "-s -w $2" -o "$3" .)
}

build_components() { # OUT_DIRECTORY
  local part minor=${kubernetes_version#v1.} at=k8s.io/component-base/version
  mkdir "$1"
  go_build "$here/components" "-X $at.gitVersion=$kubernetes_version -X $at.gitMajor=1 -X $at.gitMinor=${minor%%.*}" "$1/kubernetes"
  for part in "${parts[@]}"; do ln -s kubernetes "$1/$part"; done
}

build_coredns() { go_build "$here/coredns" "" "$1"; } # OUT

build_pause() { "${CC:-cc}" -static -Os -s -Wall -Wextra -Werror -o "$1" "$here/images/pause.c"; } # OUT

# Sets where the programs are: components, coredns, pause_program.
name_programs() {
  components=$cache/kubernetes-$(go_digest "$here/components" "$kubernetes_version" "${parts[@]}")
  coredns=$cache/coredns-$(go_digest "$here/coredns")
  pause_program=$cache/pause-$(digest -f "$here/images/pause.c" "$(uname -m)")
}

build() {
  name_programs
  cached "$components" "building Kubernetes $kubernetes_version (takes minutes the first time)" build_components
  cached "$coredns" "building CoreDNS" build_coredns
  cached "$pause_program" "building the pause program" build_pause
}
