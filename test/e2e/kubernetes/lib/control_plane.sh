# shellcheck shell=bash
# etcd, the API server, the controllers and the scheduler.

api_service_ip=10.96.0.1

# A key and a certificate signed by our authority (or by itself, for `ca`), $run/pki/NAME.{key,crt}.
certificate() { # NAME SUBJECT EXTENSION...
  local -a issuer=()
  [[ $1 == ca ]] || issuer=(-CA "$run/pki/ca.crt" -CAkey "$run/pki/ca.key")
  openssl req -x509 "${issuer[@]}" -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -subj "$2" \
    -keyout "$run/pki/$1.key" -out "$run/pki/$1.crt" \
    -config <(printf '%s\n' '[req]' distinguished_name=name x509_extensions=extensions '[name]' '[extensions]' subjectKeyIdentifier=hash "${@:3}") 2>/dev/null
}

issued_certificate() { # NAME SUBJECT [EXTENSION]...
  certificate "$@" basicConstraints=critical,CA:FALSE keyUsage=critical,digitalSignature \
    extendedKeyUsage=clientAuth,serverAuth authorityKeyIdentifier=keyid
}

kubeconfig_of() { # CERTIFICATE FILE
  (umask 077 && cat >"$2") <<EOF
apiVersion: v1
kind: Config
clusters:
- name: e2e
  cluster: {server: "https://$api_ip:$api_port", certificate-authority-data: $(base64 -w0 "$run/pki/ca.crt")}
users:
- name: $1
  user: {client-certificate-data: $(base64 -w0 "$run/pki/$1.crt"), client-key-data: $(base64 -w0 "$run/pki/$1.key")}
contexts:
- name: e2e
  context: {cluster: e2e, user: $1}
current-context: e2e
EOF
}

make_identities() {
  local names=DNS:localhost,DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,DNS:kubernetes.default.svc.cluster.local
  mkdir -m 700 "$run/pki"
  certificate ca /CN=rabbit-operator-e2e basicConstraints=critical,CA:TRUE keyUsage=critical,keyCertSign,cRLSign
  issued_certificate api-server /CN=kube-apiserver "subjectAltName=IP:127.0.0.1,IP:$api_ip,IP:$api_service_ip,$names"
  issued_certificate admin /O=system:masters/CN=admin
  issued_certificate controller-manager /CN=system:kube-controller-manager
  issued_certificate scheduler /CN=system:kube-scheduler
  openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out "$run/pki/service-accounts.key" 2>/dev/null
  kubeconfig_of admin "$run/kubeconfig"
  kubeconfig_of controller-manager "$run/pki/controller-manager.kubeconfig"
  kubeconfig_of scheduler "$run/pki/scheduler.kubeconfig"
}

port_is_free() { ! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; } # PORT

start_etcd() {
  local port clients=http://127.0.0.1:$etcd_port peers=http://127.0.0.1:$((etcd_port + 1))
  # Else the API server would take the etcd of another cluster for ours. One that was just killed may take a moment.
  for port in "$etcd_port" "$((etcd_port + 1))"; do
    port_is_free "$port" || wait_until 2 "port $port to be free for etcd" port_is_free "$port"
  done
  # Without fsync: a crash of the machine may lose the state, and nobody would want it back.
  start "$run/bin/etcd" --name e2e --data-dir "$run/etcd" --unsafe-no-fsync --log-level warn \
    --listen-client-urls "$clients" --advertise-client-urls "$clients" \
    --listen-peer-urls "$peers" --initial-advertise-peer-urls "$peers" --initial-cluster "e2e=$peers"
}

start_api_server() {
  local pki=$run/pki
  local -a for_node=(--endpoint-reconciler-type none)
  ((with_node)) && for_node=(--kubelet-preferred-address-types InternalIP --kubelet-certificate-authority "$pki/ca.crt"
    --kubelet-client-certificate "$pki/admin.crt" --kubelet-client-key "$pki/admin.key")
  # The audit log tells a test who wrote what: that an idle operator writes nothing, for one.
  start "$run/bin/kube-apiserver" --etcd-servers "http://127.0.0.1:$etcd_port" \
    --bind-address "$api_ip" --advertise-address "$api_ip" --secure-port "$api_port" \
    --client-ca-file "$pki/ca.crt" --tls-cert-file "$pki/api-server.crt" --tls-private-key-file "$pki/api-server.key" \
    --service-account-issuer https://kubernetes.default.svc \
    --service-account-key-file "$pki/service-accounts.key" --service-account-signing-key-file "$pki/service-accounts.key" \
    --authorization-mode Node,RBAC --enable-admission-plugins NodeRestriction --allow-privileged \
    --service-cluster-ip-range "$service_cidr" \
    --audit-policy-file "$here/manifests/audit-policy.yaml" --audit-log-path "$run/logs/audit.log" --audit-log-maxsize 1000 \
    "${for_node[@]}"
}

api_server_is_ready() {
  curl --silent --show-error --fail --max-time 5 --cacert "$run/pki/ca.crt" "https://$api_ip:$api_port/readyz"
}

# The controllers' and the scheduler's own ports stay closed (0), so that control planes without a
# node can run side by side.
start_controllers() {
  local pki=$run/pki
  start "$run/bin/kube-controller-manager" --kubeconfig "$pki/controller-manager.kubeconfig" --secure-port 0 \
    --leader-elect=false --use-service-account-credentials --service-account-private-key-file "$pki/service-accounts.key" \
    --root-ca-file "$pki/ca.crt" --cluster-signing-cert-file "$pki/ca.crt" --cluster-signing-key-file "$pki/ca.key" \
    --kube-api-qps 100 --kube-api-burst 200
}

start_scheduler() {
  start "$run/bin/kube-scheduler" --kubeconfig "$run/pki/scheduler.kubeconfig" --secure-port 0 --leader-elect=false
}
