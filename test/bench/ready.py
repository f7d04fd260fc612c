"""The example from `kubectl apply` to Ready, beside a plain StatefulSet with the same image,
configuration and probes from its creation to a cluster of three: in turn, medians. On the Kubernetes of
test/e2e/kubernetes/cluster, which is started for it and ended again unless it runs already."""

import base64
import contextlib
import copy
import json
import statistics
import subprocess
import time
import urllib.error
import urllib.request

from lib import BINARY, ROOT
from lib.api import Server, path_of

ROUNDS = 5
NAME = "rabbitcluster"
TIMEOUT = 300
E2E = ROOT / "test" / "e2e"
CLUSTER = E2E / "kubernetes" / "cluster"
RELEASE = ROOT / "build" / "release" / "bin" / "rabbit-operator"  # what install-operator installs


def lacks():
    """Why it cannot be measured here, in a line; empty when it can."""
    if BINARY.resolve() != RELEASE.resolve():
        return f"only {RELEASE.relative_to(ROOT)} can be installed"
    done = subprocess.run([CLUSTER, "check"], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    return "" if done.returncode == 0 else done.stderr.strip()


@contextlib.contextmanager
def kubernetes():
    """With the operator on it; gives its kubeconfig."""
    ran = subprocess.run([CLUSTER, "status"], capture_output=True, check=False).returncode == 0
    try:
        _run(CLUSTER, "up")
        _run(E2E / "install-operator")
        yield ROOT / "build" / "kubernetes" / "kubeconfig"
    finally:
        if not ran:
            _run(CLUSTER, "down")


def _run(*command):
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    if done.returncode:
        raise RuntimeError(f"{' '.join(map(str, command))}: {done.stderr}")


def measure(results):
    if missing := lacks():
        raise RuntimeError(missing)
    with kubernetes() as kubeconfig:
        _measure(results, kubeconfig)


def _measure(results, kubeconfig):
    server = Server(kubeconfig)
    example = _kubectl(kubeconfig, "kustomize", "--load-restrictor=LoadRestrictionsNone", str(ROOT / "test" / "e2e" / "overlays" / "example"))
    ours, plain = [], []
    for i in range(ROUNDS):
        namespace = f"bench-ready-{i}"
        with Namespace(server, namespace):
            began = time.time()
            _kubectl(kubeconfig, "apply", "-n", namespace, "-f", "-", stdin=example)
            _wait("Ready", lambda: _is_ready(server, namespace))
            ours.append(time.time() - began)
            objects = _plain_objects(server, namespace, f"bench-plain-{i}")
        with Namespace(server, f"bench-plain-{i}"):
            began = time.time()
            for path, body in objects:
                server.call("POST", path, body)
            _wait("a cluster of three", lambda: _is_formed(server, f"bench-plain-{i}"))
            plain.append(time.time() - began)
        results.note(f"  round {i + 1}: the example {ours[-1]:.1f} s, plain {plain[-1]:.1f} s")
    limit = statistics.median(plain)
    results.add(f"ready: the example, median of {ROUNDS}", statistics.median(ours), "s", 1.4 * limit, "a plain StatefulSet", limit)


def _kubectl(kubeconfig, *arguments, stdin=None):
    done = subprocess.run([kubeconfig.parent / "bin" / "kubectl", "--kubeconfig", kubeconfig, *arguments], input=stdin,
                          capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"kubectl {arguments}: {done.stderr}")
    return done.stdout


class Namespace:
    """A namespace that is gone, pods and all, when the `with` ends."""

    def __init__(self, server, name):
        self.server, self.name = server, name

    def __enter__(self):
        self.server.call("POST", path_of("v1", "namespaces"), {"metadata": {"name": self.name}})
        _wait("the service account", lambda: self.server.call("GET", path_of("v1", "serviceaccounts", self.name, "default"), allow=(404,)))

    def __exit__(self, *_):
        self.server.call("DELETE", path_of("v1", "namespaces") + "/" + self.name)
        # Brokers take their time to stop in good order.
        self.server.call("DELETE", path_of("v1", "pods", self.name), {"gracePeriodSeconds": 1})
        _wait("the end of the namespace", lambda: self.server.call("GET", path_of("v1", "namespaces") + "/" + self.name, allow=(404,)) is None)


def _wait(what, probe):
    until = time.time() + TIMEOUT
    while not probe():
        if time.time() > until:
            raise RuntimeError(f"waited {TIMEOUT} s for {what}")
        time.sleep(0.2)


def _is_ready(server, namespace):
    cluster = server.call("GET", path_of("rabbitcluster.dev/v1beta1", "rabbitclusters", namespace, NAME))
    return any(c["type"] == "Ready" and c["status"] == "True" for c in cluster.get("status", {}).get("conditions", []))


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
