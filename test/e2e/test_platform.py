"""The ground that the other tests stand on: this Kubernetes does what a real one does, and the
images' brokers form clusters under the node names that the operator gives them. When one of these
fails, look no further before it passes."""

import base64
import http.client
import json
import pathlib
import socket
import ssl
import tempfile
import time
import urllib.parse
import urllib.request

import pytest

from lib import audit, haproxy, kubectl, management
from lib.amqp import Publisher, consume_all
from lib.wait import wait_until

BROKER = "localhost/rabbitmq:3.10-management"
RESTRICTED = {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}


def pod_spec(container, user=999, **more):
    """What the level "restricted" takes: a container without privileges, root file system read-only."""
    return {
        "securityContext": {"runAsUser": user, "runAsGroup": user, "fsGroup": user, "runAsNonRoot": True,
                            "seccompProfile": {"type": "RuntimeDefault"}},
        "terminationGracePeriodSeconds": 1, "automountServiceAccountToken": False,
        "containers": [{"securityContext": RESTRICTED, **container}],
        **more,
    }


def pod(name, container, **more):
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": {"app": name}}, "spec": pod_spec(container, **more)}


def answering_pod(name):
    """Answers each connection to port 8080 with its name."""
    return pod(name, {"name": "main", "image": BROKER, "ports": [{"containerPort": 8080}],
                      "command": ["socat", "TCP-LISTEN:8080,fork,reuseaddr", f"SYSTEM:echo I am {name}"],
                      "readinessProbe": {"tcpSocket": {"port": 8080}, "periodSeconds": 1}})


def wait_ready(name, namespace, timeout=60):
    return wait_until(f"pod {name} ready", lambda: kubectl.is_true(kubectl.get("pod", name, namespace), "Ready"), timeout)


def read_all(address, port):
    with socket.create_connection((address, port), timeout=5) as connection:
        return connection.makefile().read().strip()


def test_pods_are_reached_by_address_service_name_and_forwarded_port(namespace):
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "answers"},
               "spec": {"selector": {"app": "answer"}, "ports": [{"port": 80, "targetPort": 8080}]}}
    asking = pod("asking", {"name": "main", "image": BROKER, "command": ["sleep", "3600"]})
    kubectl.apply([answering_pod("answer"), service, asking], namespace)
    wait_ready("answer", namespace)
    wait_ready("asking", namespace)

    assert read_all(kubectl.pod_address("answer", namespace), 8080) == "I am answer"
    address = kubectl.service_address("answers", namespace)
    wait_until("the Service answers", lambda: read_all(address, 80) == "I am answer")
    with kubectl.port_forward("pod/answer", namespace, 8080) as port:
        assert read_all("127.0.0.1", port) == "I am answer"
    # From pod to pod on one node, and from a pod to itself, through the Service's name.
    for asker in ("asking", "answer"):
        assert "I am answer" in kubectl.execute(asker, namespace, "socat", "-u", "TCP:answers:80,connect-timeout=5", "STDOUT")


def test_exec_and_logs(namespace):
    kubectl.apply(pod("main", {"name": "main", "image": BROKER, "command": ["sh", "-c", "echo started; exec sleep 3600"]}), namespace)
    wait_ready("main", namespace)

    assert kubectl.logs("main", namespace) == "started\n"
    assert kubectl.execute("main", namespace, "id", "-u") == "999\n"
    assert kubectl.execute("main", namespace, "cat", stdin="by standard input") == "by standard input"
    with pytest.raises(kubectl.KubectlError) as failure:
        kubectl.execute("main", namespace, "sh", "-c", "echo why >&2; exit 42")
    assert failure.value.code == 42 and "why" in failure.value.stderr


def test_the_audit_log_tells_who_wrote_what(namespace):
    before = audit.position()
    kubectl.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "written"}}, namespace)
    kubectl.get("configmap", "written", namespace)
    wait_until("the event", lambda: audit.summary(audit.events(before, "admin")) == [f"patch configmaps {namespace}/written 201"])


def test_exec_speaks_the_websocket_protocol_v5(namespace):
    kubectl.apply(pod("main", {"name": "main", "image": BROKER, "command": ["sleep", "3600"]}), namespace)
    wait_ready("main", namespace)

    config = json.loads(kubectl.kubectl("config", "view", "--raw", "--minify", "--output=json"))
    cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
    server = urllib.parse.urlsplit(cluster["server"])
    context = ssl.create_default_context(cadata=base64.b64decode(cluster["certificate-authority-data"]).decode())
    with tempfile.TemporaryDirectory() as directory:
        identity = pathlib.Path(directory, "identity.pem")
        identity.write_bytes(base64.b64decode(user["client-certificate-data"]) + base64.b64decode(user["client-key-data"]))
        context.load_cert_chain(identity)
    connection = http.client.HTTPSConnection(server.hostname, server.port, context=context, timeout=10)
    connection.request("GET", f"/api/v1/namespaces/{namespace}/pods/main/exec?command=true&stdout=true", headers={
        "Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": base64.b64encode(b"sixteen bytes ok").decode(),
        "Sec-WebSocket-Protocol": "v5.channel.k8s.io"})
    answer = connection.getresponse()
    assert (answer.status, answer.headers["Sec-WebSocket-Protocol"]) == (101, "v5.channel.k8s.io")
    connection.close()


def test_volumes_are_made_grown_and_deleted(namespace):
    claim = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data"},
             "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}
    writer = pod("writer", {"name": "main", "image": BROKER, "command": ["sh", "-c", "date >/data/written; exec sleep 3600"],
                            "volumeMounts": [{"name": "data", "mountPath": "/data"}]},
                 volumes=[{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}])
    kubectl.apply([claim, writer], namespace)
    wait_ready("writer", namespace)
    volume = kubectl.get("pv", kubectl.get("pvc", "data", namespace)["spec"]["volumeName"])
    written = pathlib.Path(volume["spec"]["local"]["path"], "written")
    wait_until("a file written by the pod", written.exists)
    assert written.stat().st_gid == 999

    kubectl.patch("pvc", "data", namespace, {"spec": {"resources": {"requests": {"storage": "2Gi"}}}})
    wait_until("the claim grown", lambda: kubectl.get("pvc", "data", namespace)["status"]["capacity"]["storage"] == "2Gi")

    kubectl.delete("pod", "writer", namespace)
    kubectl.delete("pvc", "data", namespace)
    wait_until("the volume gone", lambda: kubectl.get("pv", volume["metadata"]["name"]) is None)
    assert not written.parent.exists()


def test_pods_with_privileges_are_refused(namespace):
    with pytest.raises(kubectl.KubectlError, match="violates PodSecurity"):
        kubectl.apply(pod("main", {"name": "main", "image": BROKER, "securityContext": {"privileged": True}}), namespace)


@pytest.mark.parametrize("version", ["2.6", "3.0"])
def test_haproxy_runs_without_privileges(namespace, version):
    config = ("global\n stats socket /run/haproxy/admin.sock mode 600 level admin\n"
              "defaults\n mode http\n timeout connect 1s\n timeout client 5s\n timeout server 5s\n"
              "frontend stats\n bind :9000\n http-request use-service prometheus-exporter if { path /metrics }\n"
              " stats enable\n stats uri /rabbitmq-stats\n")
    kubectl.apply([
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "config"}, "data": {"haproxy.cfg": config}},
        pod("proxy", {"name": "main", "image": f"localhost/haproxy:{version}",
                      "command": ["haproxy", "-W", "-db", "-S", "/run/haproxy/master.sock,mode,600", "-f", "/etc/haproxy/haproxy.cfg"],
                      "readinessProbe": {"tcpSocket": {"port": 9000}, "periodSeconds": 1},
                      "volumeMounts": [{"name": "config", "mountPath": "/etc/haproxy"}, {"name": "run", "mountPath": "/run/haproxy"}]},
            user=99, volumes=[{"name": "config", "configMap": {"name": "config"}}, {"name": "run", "emptyDir": {"medium": "Memory"}}]),
    ], namespace)
    wait_ready("proxy", namespace)
    assert f"HAProxy version {version}" in kubectl.execute("proxy", namespace, "haproxy", "-v")
    # Never through a proxy of the machine: urllib takes no network in no_proxy.
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with direct.open(f"http://{kubectl.pod_address('proxy', namespace)}:9000/metrics", timeout=5) as answer:
        assert b"haproxy_process_start_time_seconds" in answer.read()
    assert {row["pxname"] for row in haproxy.statistics(kubectl.pod_address("proxy", namespace))} == {"stats"}


def brokers(image, namespace, name="rabbitcluster"):
    """Three brokers, written by hand the way the operator means to: see the architecture's decision 7."""
    nodes = [f"rabbit@{name}-node-{i}.{name}-nodes.{namespace}" for i in range(3)]
    config = ["cluster_formation.peer_discovery_backend = classic_config",
              *(f"cluster_formation.classic_config.nodes.{i + 1} = {node}" for i, node in enumerate(nodes)),
              "cluster_formation.target_cluster_size_hint = 3",
              "cluster_partition_handling = pause_minority",
              "default_user = root", "default_pass = secret"]
    labels = {"app": name}
    data = {"name": "data", "mountPath": "/var/lib/rabbitmq"}
    template = pod_spec({
        "name": "rabbitmq", "image": image,
        "env": [{"name": "POD_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
                {"name": "RABBITMQ_USE_LONGNAME", "value": "true"},
                {"name": "RABBITMQ_NODENAME", "value": f"rabbit@$(POD_NAME).{name}-nodes.{namespace}"}],
        "readinessProbe": {"tcpSocket": {"port": 5672}, "periodSeconds": 1},
        "volumeMounts": [data, {"name": "tmp", "mountPath": "/tmp"},
                         {"name": "config", "mountPath": "/etc/rabbitmq/rabbitmq.conf", "subPath": "rabbitmq.conf"}]},
        initContainers=[{
            "name": "cookie", "image": image, "securityContext": RESTRICTED,
            "command": ["sh", "-ec", "cd /var/lib/rabbitmq; cp -f /cookie/cookie .erlang.cookie; chmod 400 .erlang.cookie"],
            "volumeMounts": [data, {"name": "cookie", "mountPath": "/cookie"}]}],
        volumes=[{"name": "tmp", "emptyDir": {}},
                 {"name": "config", "configMap": {"name": f"{name}-config"}},
                 {"name": "cookie", "secret": {"secretName": f"{name}-erlang-cookie"}}],
        terminationGracePeriodSeconds=60)
    return nodes, [
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": f"{name}-erlang-cookie"}, "stringData": {"cookie": "of this test alone"}},
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": f"{name}-config"}, "data": {"rabbitmq.conf": "\n".join(config) + "\n"}},
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": f"{name}-nodes"},
         "spec": {"clusterIP": "None", "publishNotReadyAddresses": True, "selector": labels, "ports": [{"name": "amqp", "port": 5672}]}},
        {"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": f"{name}-node"}, "spec": {
            "replicas": 3, "serviceName": f"{name}-nodes", "podManagementPolicy": "Parallel", "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": template},
            "volumeClaimTemplates": [{"metadata": {"name": "data"}, "spec": {
                "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}]}},
    ]


@pytest.mark.parametrize("version", ["3.10", "4.0"])
def test_three_brokers_form_one_cluster_by_names_without_a_domain(namespace, version):
    nodes, objects = brokers(f"localhost/rabbitmq:{version}-management", namespace)
    began = time.monotonic()
    kubectl.apply(objects, namespace)

    def seen_by(i):
        address = kubectl.pod_address(f"rabbitcluster-node-{i}", namespace)
        return management.Management(address, "root", "secret").running_nodes()

    wait_until("all three brokers see all three", lambda: all(seen_by(i) == nodes for i in range(3)), timeout=180)
    print(f"formed after {time.monotonic() - began:.1f} s")

    first = "rabbitcluster-node-0"
    status = json.loads(kubectl.execute(first, namespace, "rabbitmqctl", "cluster_status", "--formatter=json"))
    assert sorted(status["running_nodes"]) == sorted(status["disk_nodes"]) == nodes
    assert nodes[0] in kubectl.execute(first, namespace, "rabbitmq-diagnostics", "ping")
    assert kubectl.execute(first, namespace, "rabbitmqctl", "--quiet", "--node", nodes[2], "eval", "node().").strip() == f"'{nodes[2]}'"
    assert "Server startup complete" in kubectl.logs(first, namespace)
    assert all(pod["status"]["containerStatuses"][0]["restartCount"] == 0 for pod in kubectl.list_all("pods", namespace))

    address = kubectl.pod_address(first, namespace)
    with Publisher(address, "orders", "root", "secret", arguments={"x-queue-type": "quorum"}) as publisher:
        wait_until("ten messages confirmed", lambda: len(publisher.confirmed) >= 10)
    assert not publisher.confirmed - consume_all(address, "orders", "root", "secret")
