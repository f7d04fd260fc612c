# shellcheck shell=bash
# The end of a cluster, whatever state it is in. Nothing here asks the cluster's own programs for help,
# since they may be dead; each step does nothing when there is nothing to do.

# The file that makes a directory a run directory, there from the first to the last: everything in it is deleted.
marker=run-directory

mark_run_directory() { echo "Of test/e2e/kubernetes/cluster: \`down\` deletes all that is in here, but logs." >"$run/$marker"; }

# Nothing of anybody else's is deleted, whatever directory is named.
check_run_directory() {
  if [[ -f $run/$marker ]] || owns_node; then return; fi
  [[ ! -L $run/bin || $(readlink "$run/bin") != */kubernetes-* ]] || return 0 # of a time when there was no such file
  [[ -z $(find "$run" -mindepth 1 -maxdepth 1 ! -name logs -print -quit 2>/dev/null) ]] ||
    die "$run holds what \`cluster\` did not make: name a directory that is new or empty"
}

remove_everything() {
  local -a ids
  mapfile -t ids < <(process_ids kubelet containerd) # first those who could start something anew
  kill_processes "${ids[@]}"
  mapfile -t ids < <(process_ids)
  kill_processes "${ids[@]}"
  end_pods
  unmount_all
  if owns_node; then
    remove_strays
    remove_network
  fi
  [[ ! -s $run/sysctls ]] || sysctl -q -p "$run/sysctls" || true
  find "$run" -mindepth 1 -maxdepth 1 ! -name logs ! -name "$marker" -exec rm -rf --one-file-system {} +
  rm -f "$run/$marker"
}

owns_node() { [[ -e /sys/class/net/$link && $(<"/sys/class/net/$link/ifalias") == "$run" ]]; }

end_pods() {
  local directory tries
  local -a ids directories
  mapfile -t directories < <(cgroup_directories)
  for ((tries = 0; tries < 100; tries++)); do
    mapfile -t ids < <(find "${directories[@]}" -name cgroup.procs -exec cat {} + 2>/dev/null | sort -u)
    ((${#ids[@]})) || break
    kill_processes "${ids[@]}"
    sleep 0.1
  done
  for directory in "${directories[@]}"; do
    [[ -d $directory ]] || continue # after a restart of the machine, for one, which has set its own controllers
    find "$directory" -depth -type d -exec rmdir {} + || log "cannot remove $directory"
    ! has_one_hierarchy || take_back_controllers
  done
}

# What containerd, CNI and kubelet keep outside of the run directory, whatever they are told.
remove_strays() {
  local id
  local -a ids sockets
  mapfile -t sockets < <(grep -h . "$run"/containerd/state/io.containerd.runtime.v2.task/k8s.io/*/address 2>/dev/null | sort -u)
  rm -f "${sockets[@]#unix://}"
  mapfile -t ids < <(find /var/lib/cni/results -name "$(cgroup_name)-*" 2>/dev/null | sed 's/.*-\([0-9a-f]*\)-[^-]*$/\1/')
  for id in "${ids[@]}"; do rm -f /var/lib/cni/results/*"-$id-"*; done
  find /var/log/containers -maxdepth 1 -lname "$run/*" -delete 2>/dev/null || true
  remove_apparmor_profile
  rm -f /var/lib/kubelet/device-plugins/kubelet.sock
  rmdir /run/containerd/{s,fifo,} /var/lib/cni/{results,} /var/log/containers /var/lib/kubelet/{device-plugins,} 2>/dev/null || true
}

# containerd loads it for a container, unless it is loaded, and never takes it back. With a process under it, a
# containerd of somebody else uses it.
apparmor=/sys/kernel/security/apparmor
remove_apparmor_profile() {
  local profile=cri-containerd.apparmor.d
  grep -qs "^$profile " "$apparmor/profiles" || return 0
  grep -qs "^$profile " /proc/[0-9]*/attr/current || printf %s "$profile" >"$apparmor/.remove" || log "cannot remove AppArmor's profile $profile"
}

unmount_all() {
  local -a mounts
  # The fifth field is where; what was mounted last goes first. A whole run directory has no blanks in it.
  mapfile -t mounts < <(awk -v below="$run/" 'index($5, below) == 1 { print $5 }' /proc/self/mountinfo | tac)
  ((${#mounts[@]} == 0)) || umount "${mounts[@]}" 2>/dev/null || umount -l "${mounts[@]}" 2>/dev/null || true
}

remove_network() {
  local version
  for version in iptables ip6tables; do
    "$version-save" 2>/dev/null | rules_to_remove | "$version-restore" -w --noflush || log "cannot remove the rules of $version"
  done
  ip link delete "$link"
}

# From the rules there are to the commands that take away ours: kube-proxy's and kubelet's chains, the
# jumps to them from chains of others, and what set_up_network added. Nobody else's rule is touched.
rules_to_remove() {
  awk -v mark="$link" '
    /^\*/ { print; chains = 0; next }
    /^:KUBE-/ { chain[++chains] = substr($1, 2); print ":" chain[chains] " - [0:0]"; next }
    /^-A / && $2 !~ /^KUBE-/ && (/ -j KUBE-/ || index($0, "--comment " mark " ")) { $1 = "-D"; print; next }
    /^COMMIT/ { for (i = 1; i <= chains; i++) print "-X " chain[i]; print }'
}
