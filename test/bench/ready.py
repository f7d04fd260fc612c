"""The example from `kubectl apply` to Ready, beside a plain StatefulSet with the same image,
configuration and probes from its creation to a cluster of three: in turn, medians."""

import base64
import copy
import json
import statistics
import time
import urllib.error
import urllib.request

from lib.api import path_of
from lib.kubernetes import Kubernetes, wait

ROUNDS = 5
NAME = "rabbitcluster"


def measure(results):
    with Kubernetes() as kubernetes:
        _measure(results, kubernetes)


def _measure(results, kubernetes):
    server = kubernetes.admin
    example = kubernetes.example()
    ours, plain = [], []
    for i in range(ROUNDS):
        with kubernetes.namespace(f"bench-ready-{i}") as namespace:
            began = time.time()
            kubernetes.kubectl("apply", "-n", namespace, "-f", "-", stdin=example)
            wait("Ready", lambda: kubernetes.is_ready(namespace, NAME))
            ours.append(time.time() - began)
            objects = _plain_objects(server, namespace, f"bench-plain-{i}")
        with kubernetes.namespace(f"bench-plain-{i}") as namespace:
            began = time.time()
            for path, body in objects:
                server.call("POST", path, body)
            wait("a cluster of three", lambda: _is_formed(server, namespace))
            plain.append(time.time() - began)
        results.note(f"  round {i + 1}: the example {ours[-1]:.1f} s, plain {plain[-1]:.1f} s")
    limit = statistics.median(plain)
    results.add(f"ready: the example, median of {ROUNDS}", statistics.median(ours), "s", 1.4 * limit, "a plain StatefulSet", limit)


def _is_formed(server, namespace):
    pods = server.call("GET", path_of("v1", "pods", namespace))["items"]
    if sum(c["type"] == "Ready" and c["status"] == "True" for p in pods for c in p["status"].get("conditions", [])) < 3:
        return False
    request = urllib.request.Request(f"http://{pods[0]['status']['podIP']}:15672/api/nodes?columns=name,running",
                                     headers={"Authorization": "Basic " + base64.b64encode(b"guest:guest").decode()})
    try:
        with urllib.request.urlopen(request, timeout=2) as answer:
            return sum(node.get("running", False) for node in json.load(answer)) == 3
    except (urllib.error.URLError, TimeoutError, ConnectionError):
        return False


def _plain_objects(server, namespace, other):
    """The brokers of the example without an operator: no guard, files straight from the ConfigMap."""
    def read(version, plural, name):
        item = server.call("GET", path_of(version, plural, namespace, name))
        item["metadata"] = {"name": name}
        item.pop("status", None)
        return json.loads(json.dumps(item).replace(f".{namespace}", f".{other}"))

    config = read("v1", "configmaps", f"{NAME}-config")
    service = read("v1", "services", f"{NAME}-nodes")
    for field in ("clusterIPs", "ipFamilies", "ipFamilyPolicy"):
        service["spec"].pop(field, None)
    stateful_set = read("apps/v1", "statefulsets", f"{NAME}-node")
    pod = stateful_set["spec"]["template"]["spec"]
    pod.pop("initContainers")
    pod.pop("serviceAccountName"), pod.pop("serviceAccount", None)
    container = pod["containers"][0]
    container["env"].append({"name": "RABBITMQ_ERLANG_COOKIE", "value": "benchbenchbenchbench"})
    pod["volumes"] = [v for v in pod["volumes"] if v["name"] not in ("source", "etc", "run")]
    pod["volumes"].append({"name": "etc", "configMap": {"name": f"{NAME}-config"}})
    claims = copy.deepcopy(stateful_set["spec"].get("volumeClaimTemplates", []))
    for claim in claims:
        claim.pop("status", None)
    stateful_set["spec"]["volumeClaimTemplates"] = claims
    return [(path_of("v1", "configmaps", other), config), (path_of("v1", "services", other), service),
            (path_of("apps/v1", "statefulsets", other), stateful_set)]
