# shellcheck shell=bash
# Another cluster than that of kubernetes/cluster: only one that is named, together with the operator's image.

take_value() { # --NAME VALUE...: sets the variable NAME
  [[ -n ${2-} ]] || misuse "$1 needs a value"
  printf -v "${1#--}" %s "$2"
}

check_other_cluster() {
  [[ -n $kubeconfig || -z $image ]] || misuse "--image is for another cluster: name it with --kubeconfig"
  [[ -n $kubeconfig ]] || return 0
  [[ -n $image ]] || misuse "--kubeconfig needs --image: an image of the operator that the cluster can pull"
  [[ -f $kubeconfig ]] || misuse "there is no kubeconfig $kubeconfig"
  kubeconfig=$(realpath "$kubeconfig")
}

# Sets kubectl to one for that cluster: the user's, or ours.
other_cluster_kubectl() {
  local program
  program=$(command -v kubectl || command -v "$root/build/kubernetes/bin/kubectl") || die "kubectl is missing"
  # shellcheck disable=SC2034  # who sources this uses it
  kubectl=("$program" --kubeconfig "$kubeconfig")
}
