"""The operator itself: strangers, bad input, rights, restarts. Small clusters, each in a namespace of
its own; what needs no cluster runs the binary on this host."""

import json
import re
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request

import pytest

from lib import amqp, haproxy, installed, kubectl, processes
from lib.clusters import ABSENT, NEW, broker, node_uids, small, status, wait_condition
from lib.wait import first_match, wait_until

BINARY = kubectl.ROOT / "build" / "release" / "bin" / "rabbit-operator"


def test_mirroring_is_not_written_on_4_0_and_the_status_says_why(namespace):
    policy = {"vhost": "/", "name": "half", "pattern": "^queue.*1$", "applyTo": "queues", "definition": {"ha-mode": "exactly", "ha-params": 2}}
    kubectl.apply(small("four", image=NEW, policies=[policy]), namespace)
    found = wait_condition("four", namespace, "TopologySynced", "False", "MirroringUnsupported", timeout=180)
    assert "quorum" in found["message"] and "3.13" in found["message"] and "half" in found["message"]
    assert not kubectl.is_true(kubectl.get("rabbit", "four", namespace), "Ready")
    assert broker("four", namespace).get("policies") == []
    assert status("four", namespace)["version"].startswith("4.0.")
    kubectl.patch("rabbit", "four", namespace, {"spec": {"policies": []}})
    wait_condition("four", namespace, "Ready", "True")


def test_a_new_node_is_let_in_and_secrets_stay_secret(namespace):
    kubectl.apply(small("grow", users=[{"name": "made", "tags": ["monitoring"]}]), namespace)
    wait_condition("grow", namespace, "Ready", "True", timeout=180)
    kubectl.kubectl("scale", "rabbit/grow", "-n", namespace, "--replicas=2")
    wait_until("two running nodes in one cluster", lambda: [n["running"] for n in broker("grow", namespace).get("nodes")] == [True, True], timeout=120)
    wait_condition("grow", namespace, "Ready", "True")
    assert status("grow", namespace)["summary"]["nodes"] == "2/2"

    # A changed template is told, and nothing rolls.
    pods = {p["metadata"]["uid"] for p in kubectl.list_all("pod", namespace)}
    kubectl.patch("rabbit", "grow", namespace, {"spec": {"resources": {"requests": {"cpu": "60m"}}}})
    wait_until("restart pending is told", lambda: any(
        "restart" in c["message"].lower() for c in status("grow", namespace)["conditions"]), timeout=20)
    assert {p["metadata"]["uid"] for p in kubectl.list_all("pod", namespace)} == pods

    # Whatever all of this emitted, no generated value is in it.
    values = {v for s in kubectl.list_all("secret", namespace, "app.kubernetes.io/managed-by=rabbit-operator")
              for k, v in kubectl.secret(s["metadata"]["name"], namespace).items() if k in ("password", "cookie", ".erlang.cookie")}
    assert len(values) >= 4
    told = installed.logs() + json.dumps([kubectl.list_all(kind, namespace) for kind in (
        "rabbit", "configmap", "events.events.k8s.io", "statefulset", "deployment", "pod")])
    assert not [v for v in values if v in told]


def test_a_name_that_somebody_else_owns_is_left_alone(namespace):
    theirs = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "taken-haproxy"}, "data": {"mine": "yes"}}
    kubectl.apply(theirs, namespace)
    kubectl.apply(small("taken"), namespace)
    found = wait_condition("taken", namespace, "Stalled", "True", "NameTaken", timeout=60)
    assert "taken-haproxy" in found["message"]
    assert kubectl.get("configmap", "taken-haproxy", namespace)["data"] == {"mine": "yes"}
    kubectl.delete("configmap", "taken-haproxy", namespace)
    wait_until("the operator takes the free name", lambda: "haproxy.cfg" in (
        kubectl.get("configmap", "taken-haproxy", namespace) or {"data": {}})["data"], timeout=90)


def test_without_the_balancer_clients_reach_the_brokers_and_its_objects_go(single_nodes):
    proxies = [("deployment", "old-haproxy"), ("configmap", "old-haproxy"), ("service", "old-haproxy-admin"), ("poddisruptionbudget", "old-haproxy")]
    there = {which: kubectl.get(*which, single_nodes)["metadata"]["uid"] for which in proxies}
    node = node_uids("old", single_nodes)

    def targets():
        slices = kubectl.list_all("endpointslice", single_nodes, "kubernetes.io/service-name=old")
        return {e["targetRef"]["name"] for s in slices for e in s["endpoints"] or []}

    kubectl.patch("rabbit", "old", single_nodes, {"spec": {"loadBalancer": {"enabled": False}}})
    try:
        wait_until("the Service leads to the node", lambda: targets() == {"old-node-0"})
        for which in proxies:
            wait_until(f"no {which}", lambda w=which: not kubectl.get(*w, single_nodes), timeout=30)
        wait_condition("old", single_nodes, "Ready", "True")
    finally:
        kubectl.patch("rabbit", "old", single_nodes, {"spec": {"loadBalancer": {"enabled": None}}})
        wait_condition("old", single_nodes, "Ready", "True")
    for which, uid in there.items():
        assert kubectl.get(*which, single_nodes)["metadata"]["uid"] != uid
    assert all(name.startswith("old-haproxy-") for name in targets()) and node_uids("old", single_nodes) == node


@pytest.mark.parametrize("name, version", [("old", "2.6"), ("new", "3.0")])
def test_a_proxy_of_each_version_runs_on_what_the_operator_wrote(single_nodes, name, version):
    proxies = kubectl.list_all("pod", single_nodes, f"app.kubernetes.io/instance={name},app.kubernetes.io/component=proxy")
    proxy, = (pod for pod in proxies if "deletionTimestamp" not in pod["metadata"])
    assert f"HAProxy version {version}" in kubectl.execute(proxy["metadata"]["name"], single_nodes, "haproxy", "-v")
    address = kubectl.pod_address(proxy["metadata"]["name"], single_nodes)
    wait_until("the node up", lambda: haproxy.servers(haproxy.statistics(address)) == {f"{name}-node-0": "UP"}, timeout=20)
    said = kubectl.logs(proxy["metadata"]["name"], single_nodes)
    assert "Loading success" in said and not re.search(r"\[(WARNING|ALERT)\] +\(1\)", said), said  # of what it read at its start
    user = kubectl.secret(f"{name}-default-user", single_nodes)
    login = kubectl.service_address(name, single_nodes), "through-the-proxy", user["username"], user["password"]
    with amqp.Publisher(*login) as publisher:
        wait_until("confirms", lambda: len(publisher.confirmed) >= 10, interval=0.1)
    assert not publisher.confirmed - amqp.consume_all(*login)
    broker(name, single_nodes).delete("queues/%2F/through-the-proxy")


def test_a_count_that_is_not_declared_is_written_into_the_spec(namespace):
    """So that `kubectl scale` has something to start from, and a count that was taken away does not become another."""
    cluster = small("counted", ABSENT)
    kubectl.apply(cluster, namespace)
    wait_until("a StatefulSet", lambda: kubectl.get("statefulset", "counted-node", namespace))
    del cluster["spec"]["replicas"]
    kubectl.apply(cluster, namespace)
    wait_until("the count", lambda: kubectl.get("rabbit", "counted", namespace)["spec"].get("replicas") == 1, timeout=20)
    assert kubectl.get("statefulset", "counted-node", namespace)["spec"]["replicas"] == 1


def test_a_declared_field_without_effect_holds_ready_back(namespace):
    kubectl.apply(small("fields", binding={"vhost": "other"}), namespace)
    found = wait_condition("fields", namespace, "FieldsInEffect", "False", timeout=30)
    assert "binding" in found["message"]
    assert not kubectl.is_true(kubectl.get("rabbit", "fields", namespace), "Ready")


RELEASE = ("/bin/sh", "-c", 'printf %s "$1" >"$2.new" && mv "$2.new" "$2"', "sh", "x", "/tmp/x")
SCRIPT = (kubectl.ROOT / "operator" / "resources" / "set_plugins.sh").read_text(encoding="utf-8")
SET_PLUGINS = ("/bin/sh", "-c", re.sub(r"\n *#[^\n]*", "", "\n" + SCRIPT).strip(), "set-plugins", "rabbitmq_management", "rabbitmq_prometheus")
LOOK = ("/bin/sh", "-c", "test -e /run/rabbit-operator/held")
IMPORT = ("/bin/sh", "-c", 'umask 077; f=/tmp/.rabbit-operator-user; trap "rm -f $f" EXIT; rm -f $f; IFS= read -r line; '
          'printf %s "$line" >$f; rabbitmqctl -q -t 30 import_definitions --format json $f')


def execute_as(account, pod, namespace, container, *command):
    """What the API server says: its refusal, or what the kubelet says of a command that was let through. Without
    `kubectl exec`, which reads the pod first; the operator may not."""
    query = urllib.parse.urlencode([("container", container), ("stdout", "true"), *(("command", word) for word in command)])
    path = f"/api/v1/namespaces/{namespace}/pods/{pod}/exec?{query}"
    done = subprocess.run(kubectl.command("get", "--raw", path, f"--as={account}"),
                          capture_output=True, text=True, timeout=30, check=False, stdin=subprocess.DEVNULL)
    assert done.returncode
    return done.stderr


def test_the_operator_may_run_nothing_but_its_own_commands(namespace):
    """In a real node's pod, and each rule by itself: only one thing is wrong each time."""
    kubectl.apply(small("guarded"), namespace)
    wait_condition("guarded", namespace, "Ready", "True", timeout=180)
    node = "guarded-node-0"
    refusal = "the operator may only release"

    def execute_as_operator(pod, container, *command):
        return execute_as(installed.ACCOUNT, pod, namespace, container, *command)

    # What it may: that this is no websocket is found out behind the admission.
    for allowed in (RELEASE, LOOK):
        assert "pgrade" in (said := execute_as_operator(node, "prepare", *allowed)), said
    assert "pgrade" in (said := execute_as_operator(node, "rabbitmq", *IMPORT)), said
    assert "pgrade" in (said := execute_as_operator(node, "rabbitmq", *SET_PLUGINS)), said
    # The script's own container, its words, and nothing after it that is no plugin's name.
    assert refusal in execute_as_operator(node, "prepare", *SET_PLUGINS)
    for command in (SET_PLUGINS[:4], (*SET_PLUGINS, "--offline"), (*SET_PLUGINS, "a b"), (*SET_PLUGINS[:2], SET_PLUGINS[2] + "; id", *SET_PLUGINS[3:]),
                    (*SET_PLUGINS[:3], "sh", "rabbitmq_management")):
        assert refusal in execute_as_operator(node, "rabbitmq", *command), command
    # Another container of that pod; another command, or more of one that is allowed.
    assert refusal in execute_as_operator(node, "rabbitmq", *RELEASE)
    assert refusal in execute_as_operator(node, "rabbitmq", *LOOK)
    assert refusal in execute_as_operator(node, "prepare", *IMPORT)
    for command in ((*IMPORT, "more"), (*IMPORT[:2], IMPORT[2] + "; id"), ("/bin/sh", "-c", "rabbitmqctl list_users")):
        assert refusal in execute_as_operator(node, "rabbitmq", *command), command
    for command in (("/bin/sh", "-c", "id"), ("/bin/sh",), ("/bin/bash", *LOOK[1:]), ("/bin/sh", "-e", LOOK[2]), (*LOOK, "more"),
                    RELEASE[:5], (*RELEASE, "more"), ("/bin/sh", "-c", LOOK[2] + "; id")):
        assert refusal in execute_as_operator(node, "prepare", *command), command
    # Another pod, though its container is called the same.
    pods = kubectl.list_all("pod", namespace, "app.kubernetes.io/component=proxy")
    assert refusal in execute_as_operator(pods[0]["metadata"]["name"], "prepare", *LOOK)
    # Nor an operator that was installed in another namespace.
    kubectl.apply({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": "elsewhere"},
                   "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": installed.NAME},
                   "subjects": [{"kind": "ServiceAccount", "name": installed.NAME, "namespace": "elsewhere"}]}, namespace)
    elsewhere = f"system:serviceaccount:elsewhere:{installed.NAME}"
    assert refusal in execute_as(elsewhere, node, namespace, "rabbitmq", "/bin/sh", "-c", "id")
    with pytest.raises(kubectl.KubectlError) as listed:
        kubectl.kubectl("get", "secrets", "-n", namespace, f"--as={installed.ACCOUNT}")
    assert "forbidden" in listed.value.stderr


def test_the_lease_is_released_and_the_next_operator_works_at_once():
    before = installed.holder()
    assert before
    pod = installed.pod_of(before)
    processes_before = processes.of_container(pod, installed.NAMESPACE, "operator")
    kubectl.kubectl("delete", "pod", pod, "-n", installed.NAMESPACE, "--wait=false")
    # Five seconds are the operator's from SIGTERM on; the kubelet, which sends it, takes its part of them here.
    wait_until("it has ended", lambda: not processes.alive(processes_before), timeout=5, interval=0.05)
    wait_until("another leader", lambda: installed.holder() not in ("", before), timeout=12, interval=0.2)  # a lease lives 15 s
    wait_until("it is ready", lambda: kubectl.get("deployment", "rabbit-operator", installed.NAMESPACE)["status"].get("readyReplicas") == 1)


def test_the_operators_own_files_are_read_only():
    pod = installed.pod_of(wait_until("an operator that leads", installed.holder))
    with pytest.raises(kubectl.KubectlError) as refused:
        kubectl.execute(pod, installed.NAMESPACE, "touch", "/tmp/written", container="operator")
    assert "Read-only file system" in refused.value.stderr


# ---- on this host, without a cluster or against its API server


def run_binary(*arguments):
    return subprocess.run([BINARY, *arguments], capture_output=True, text=True, timeout=20, check=False, stdin=subprocess.DEVNULL)


@pytest.mark.parametrize("arguments, named", [
    (["run", "--bogus"], "--bogus"),
    (["run", "--workers", "none"], "--workers"),
    (["run", "--kubeconfig", "/nowhere/config"], "/nowhere/config"),
])
def test_a_wrong_start_is_one_line_and_exit_code_2(arguments, named):
    done = run_binary(*arguments)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1 and done.stderr.startswith("rabbit-operator: ") and named in done.stderr


@pytest.mark.parametrize("cluster, user, named", [
    ({"certificate-authority": "/nowhere/ca"}, {}, "certificate-authority: cannot read /nowhere/ca"),
    ({"certificate-authority-data": "bm9uZQ=="}, {}, "certificate-authority-data: "),
    ({"insecure-skip-tls-verify": True}, {"tokenFile": "/nowhere/token"}, "tokenFile: cannot read /nowhere/token"),
    ({"insecure-skip-tls-verify": True}, {"client-certificate": "/nowhere/crt", "client-key": "/nowhere/key"},
     "client-certificate: cannot read /nowhere/crt"),
    ({"insecure-skip-tls-verify": True}, {"client-certificate-data": "bm9uZQ==", "client-key-data": "bm9uZQ=="},
     "client-certificate-data and client-key-data: "),
])
def test_a_kubeconfig_whose_files_cannot_be_used_is_a_wrong_start(tmp_path, cluster, user, named):
    config = tmp_path / "config"
    config.write_text(json.dumps({
        "current-context": "c", "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:1", **cluster}}],
        "users": [{"name": "u", "user": user}], "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}]}))
    test_a_wrong_start_is_one_line_and_exit_code_2(["run", "--kubeconfig", config], named)


def token_kubeconfig(path, server, token, ca):
    path.write_text(json.dumps({
        "apiVersion": "v1", "kind": "Config", "current-context": "c",
        "clusters": [{"name": "c", "cluster": {"server": server, "certificate-authority-data": ca}}],
        "users": [{"name": "u", "user": {"token": token}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u", "namespace": "default"}}]}))
    return path


def this_cluster():
    view = json.loads(kubectl.kubectl("config", "view", "--raw", "--flatten", "-o", "json"))
    return view["clusters"][0]["cluster"]


def test_a_missing_right_is_one_line_and_exit_code_2(namespace, tmp_path):
    kubectl.apply({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "weak"}}, namespace)
    role = kubectl.get("clusterrole", "rabbit-operator")
    rules = [r for r in role["rules"] if r["resources"] != ["poddisruptionbudgets"]]
    kubectl.apply([
        {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "weak"}, "rules": rules},
        {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": "weak"},
         "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "weak"},
         "subjects": [{"kind": "ServiceAccount", "name": "weak", "namespace": namespace}]}], namespace)
    token = kubectl.kubectl("create", "token", "weak", "-n", namespace).strip()
    cluster = this_cluster()
    config = token_kubeconfig(tmp_path / "config", cluster["server"], token, cluster["certificate-authority-data"])
    done = run_binary("run", "--kubeconfig", config, "--namespace", namespace, "--no-leader-election", "--http-port", "0")
    assert done.returncode == 2, done.stderr
    refusal = [line for line in done.stderr.splitlines() if line.startswith("rabbit-operator: ")]
    assert len(refusal) == 1 and "create poddisruptionbudgets.policy" in refusal[0] and namespace in refusal[0]


def test_an_api_server_that_does_not_answer_is_waited_for(tmp_path):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    config = token_kubeconfig(tmp_path / "config", f"https://127.0.0.1:{port}", "t", this_cluster()["certificate-authority-data"])
    with subprocess.Popen([BINARY, "run", "--kubeconfig", config, "--lease-namespace", "default", "--http-address", "127.0.0.1", "--http-port", "0"],
                          stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as operator:
        try:
            served = first_match(operator, operator.stderr, r"serving .*port=(\d+)", timeout=10)[1]

            def get(path):
                try:
                    with urllib.request.urlopen(f"http://127.0.0.1:{served}{path}", timeout=5) as answer:
                        return answer.status, answer.read().decode()
                except urllib.error.HTTPError as error:
                    return error.code, error.read().decode()

            assert get("/healthz")[0] == 200
            code, text = wait_until("readiness says why", lambda: (a := get("/readyz")) and "refused" in a[1].lower() and a, timeout=10)
            assert code == 503 and "rights" in text
            assert get("/metrics")[0] == 200
            assert operator.poll() is None
        finally:
            try:
                operator.send_signal(signal.SIGTERM)
                assert operator.wait(timeout=5) == 0
            finally:
                operator.kill()  # or the end of the `with` waits for it, however long that takes
