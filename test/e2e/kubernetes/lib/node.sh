# shellcheck shell=bash
# The node: its network, containerd, kubelet and kube-proxy, and the volume provisioner.

node_name=node-0
dns_ip=10.96.0.10
link=rabbit-e2e # the interface that has the node's address; its alias names the run directory

# What kubelet and kube-proxy, or we, set on the machine, and `down` sets back.
sysctls=(net.ipv4.ip_forward net.ipv4.conf.all.route_localnet
  vm.overcommit_memory vm.panic_on_oom kernel.panic kernel.panic_on_oops)

set_up_network() {
  [[ ! -e /sys/class/net/$link ]] ||
    die "another cluster with a node runs on this machine; end it first: $0 down $(<"/sys/class/net/$link/ifalias")"
  sysctl "${sysctls[@]}" >"$run/sysctls"
  ip link add "$link" type dummy 2>/dev/null || ip link add "$link" type bridge
  ip link set "$link" alias "$run"
  ip link set "$link" up
  ip address add "$node_ip/32" dev "$link"
  # A host without a default route could otherwise not even try to reach a Service.
  ip route add "$service_cidr" dev "$link" src "$node_ip"
  sysctl -qw net.ipv4.ip_forward=1
  # Docker, for one, sets the policy of this chain to DROP.
  iptables -w -I FORWARD -s "$pod_cidr" -m comment --comment "$link" -j ACCEPT
  iptables -w -I FORWARD -d "$pod_cidr" -m comment --comment "$link" -j ACCEPT
}

# Whether there are chains of a kubelet or a kube-proxy, and not ours. Ours would take them over, and `down` away.
is_node_of_another() {
  [[ ! -e /sys/class/net/$link && $'\n'$(iptables-save 2>/dev/null || true; ip6tables-save 2>/dev/null || true) == *$'\n:KUBE-'* ]]
}

# All pods lie in a cgroup of this run directory: so `down` finds their processes, whatever has crashed.
cgroup_root=/sys/fs/cgroup
cgroup_name() { echo "rabbit-operator-$(digest "$run")"; }

has_one_hierarchy() { [[ -e $cgroup_root/cgroup.controllers ]]; } # version 2 of cgroups, and no version 1 beside it

cgroup_directories() {
  local name
  name=$(cgroup_name)
  if has_one_hierarchy; then
    echo "$cgroup_root/$name"
  else
    find "$cgroup_root" -mindepth 1 -maxdepth 1 -type d -printf "%p/$name\n"
  fi
}

make_cgroup() {
  local -a directories
  mapfile -t directories < <(cgroup_directories)
  if has_one_hierarchy; then
    cp "$cgroup_root/cgroup.subtree_control" "$run/controllers"
    pass_on_controllers "$cgroup_root"
  fi
  mkdir -p "${directories[@]}"
  # As long as ours passes them on too, nobody can take them from the root; systemd would, when it needs them no more.
  ! has_one_hierarchy || pass_on_controllers "${directories[@]}"
}

# kubelet wants in its cgroup each of these that the root has. A cgroup has what the one above passes on: of the
# root, systemd makes that what it uses itself, never hugetlb.
kubelet_controllers() { tr ' ' '\n' <"$cgroup_root/cgroup.controllers" | grep -xE 'cpu|cpuset|memory|hugetlb|pids'; }

controllers_not_passed_on() { kubelet_controllers | grep -vxFf <(tr ' ' '\n' <"$cgroup_root/cgroup.subtree_control"); }

pass_on_controllers() { # CGROUP
  set_controllers "$1" "$(kubelet_controllers | sed 's/^/+/' | xargs)" ||
    die "cannot pass on the controllers that Kubernetes needs in $1 ($(kubelet_controllers | xargs))"
}

set_controllers() { { echo "$2" >"$1/cgroup.subtree_control"; } 2>/dev/null; } # CGROUP +CONTROLLER|-CONTROLLER...

# A container mostly sees its own cgroup as the root, which unlike the real one has a type, and cannot pass
# anything on while a process is in it; or it must not write there.
can_pass_on_controllers() {
  [[ -z $(controllers_not_passed_on) ]] ||
    { [[ -w $cgroup_root/cgroup.subtree_control ]] && { [[ ! -e $cgroup_root/cgroup.type ]] || ! grep -q . "$cgroup_root/cgroup.procs"; }; }
}

# What was not passed on before, by us, kubelet or runc; what somebody else has come to use, the kernel keeps.
take_back_controllers() {
  local each
  [[ -e $run/controllers ]] || return 0
  for each in $(<"$cgroup_root/cgroup.subtree_control"); do
    [[ " $(<"$run/controllers") " == *" $each "* ]] || set_controllers "$cgroup_root" "-$each" || true
  done
}

start_containerd() {
  local snapshotter=overlayfs
  [[ $(stat -f -c %T "$run") != overlayfs ]] || snapshotter=native # no overlay on top of an overlay
  mkdir -p "$run/cni/net"
  # Each pod has a routed link of its own (ptp). On a bridge, the answers of a Service's pod to a pod
  # beside it would bypass the host's address translation where br_netfilter is not loaded.
  cat >"$run/cni/net/pods.conflist" <<EOF
{"cniVersion": "0.4.0", "name": "$(cgroup_name)", "plugins": [{"type": "ptp", "ipam": {
  "type": "host-local", "dataDir": "$run/cni/addresses",
  "ranges": [[{"subnet": "$pod_cidr"}]], "routes": [{"dst": "0.0.0.0/0"}]}}]}
EOF
  # restrict_oom_score_adj: inside a container, nothing may be made less likely to be killed than we are.
  cat >"$run/containerd.toml" <<EOF
version = 2
root = "$run/containerd/root"
state = "$run/containerd/state"
disabled_plugins = [
  "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs",
  "io.containerd.internal.v1.tracing", "io.containerd.tracing.processor.v1.otlp"]
[grpc]
  address = "$run/containerd.sock"
[plugins."io.containerd.internal.v1.opt"]
  path = "$run/containerd/opt"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "localhost/pause:1"
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "$snapshotter"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      options = {Root = "$run/containerd/runc"}
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "$run/cni/net"
EOF
  start "$(command -v containerd)" -c "$run/containerd.toml"
}

containers() { ctr -a "$run/containerd.sock" -n k8s.io "$@"; }

import_image() { # FILE
  local snapshotter
  snapshotter=$(sed -n 's/^ *snapshotter = "\(.*\)"/\1/p' "$run/containerd.toml")
  containers images import --snapshotter "$snapshotter" "$1" >>"$run/logs/import.log" 2>&1 ||
    { tail -n 5 "$run/logs/import.log" >&2; die "cannot import $1"; }
}

# All images imported, once: a store to begin with. To import them takes ten seconds and more.
make_image_store() { # OUT_DIRECTORY
  local run=$1 path
  local -a ids
  mapfile -t ids < <(process_ids) # of an attempt that was broken off
  kill_processes "${ids[@]}"
  mkdir -p "$run/logs"
  start_containerd
  wait_until 30 "containerd ready" containers version
  for path in "${archives[@]}"; do import_image "$path"; done
  mapfile -t ids < <(process_ids)
  kill_processes "${ids[@]}"
  find "$run" -mindepth 1 -maxdepth 1 ! -name containerd -exec rm -rf {} +
}

# Takes the store over by hard links: containers write to layers of their own, never to an image's.
# Only the databases that name the layers change, and are copied.
use_image_store() {
  local file
  mkdir "$run/containerd"
  if ! cp -al "$image_store/containerd/root" "$run/containerd/" 2>/dev/null; then # another file system
    rm -rf "$run/containerd/root"
    cp -a "$image_store/containerd/root" "$run/containerd/"
  fi
  while read -r file; do
    cp --remove-destination "$image_store/containerd/root/$file" "$run/containerd/root/$file"
  done < <(find "$run/containerd/root" -name '*.db' -printf '%P\n')
}

start_kubelet() {
  local pki=$run/pki
  issued_certificate kubelet "/O=system:nodes/CN=system:node:$node_name" "subjectAltName=IP:$node_ip,DNS:$node_name"
  kubeconfig_of kubelet "$pki/kubelet.kubeconfig"
  # For pods with the node's DNS, which is the cluster's DNS server alone: it forwards nothing.
  echo "nameserver 127.0.0.1" >"$run/resolv.conf"
  cat >"$run/kubelet.yaml" <<EOF
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
address: $node_ip
healthzPort: 0
authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: $pki/ca.crt}}
authorization: {mode: Webhook}
tlsCertFile: $pki/kubelet.crt
tlsPrivateKeyFile: $pki/kubelet.key
cgroupDriver: cgroupfs
cgroupRoot: /$(cgroup_name)
failSwapOn: false
clusterDNS: [$dns_ip]
clusterDomain: cluster.local
resolvConf: $run/resolv.conf
containerRuntimeEndpoint: unix://$run/containerd.sock
podLogsDir: $run/logs/pods
volumePluginDir: $run/kubelet/volume-plugins
maxPods: 250
imageGCHighThresholdPercent: 100
evictionHard: {imagefs.available: "1%", nodefs.available: "1%", memory.available: 50Mi}
EOF
  start "$run/bin/kubelet" --config "$run/kubelet.yaml" --kubeconfig "$pki/kubelet.kubeconfig" \
    --hostname-override "$node_name" --node-ip "$node_ip" --root-dir "$run/kubelet" -v 2
}

start_proxy() {
  issued_certificate proxy /CN=system:kube-proxy
  kubeconfig_of proxy "$run/pki/proxy.kubeconfig"
  start "$run/bin/kube-proxy" --kubeconfig "$run/pki/proxy.kubeconfig" --hostname-override "$node_name" \
    --proxy-mode iptables --cluster-cidr "$pod_cidr" --healthz-bind-address 127.0.0.1:10256 \
    --conntrack-max-per-core 0 --conntrack-tcp-timeout-established 0 --conntrack-tcp-timeout-close-wait 0
}

start_provisioner() {
  issued_certificate provisioner /CN=volume-provisioner
  kubeconfig_of provisioner "$run/pki/provisioner.kubeconfig"
  mkdir "$run/volumes"
  start "$run/bin/volume-provisioner" --kubeconfig "$run/pki/provisioner.kubeconfig" \
    --name rabbitcluster.dev/local-directory --directory "$run/volumes" --node "$node_name"
}
