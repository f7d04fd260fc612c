"""A real Kubernetes with a node, that of test/e2e/kubernetes/cluster, and the operator installed on it."""

import contextlib
import json
import pathlib
import subprocess
import time

from lib import BINARY, ROOT
from lib.api import Server, path_of
from lib.control_plane import AuditLog
from lib.operator_process import Process

TIMEOUT = 300
E2E = ROOT / "test" / "e2e"
CLUSTER = E2E / "kubernetes" / "cluster"
RUN = ROOT / "build" / "kubernetes"
RELEASE = ROOT / "build" / "release" / "bin" / "rabbit-operator"  # what install-operator installs


def lacks():
    """Why it cannot be had here, in a line; empty when it can."""
    if BINARY.resolve() != RELEASE.resolve():
        return f"only {RELEASE.relative_to(ROOT)} can be installed"
    done = subprocess.run([CLUSTER, "check"], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    return "" if done.returncode == 0 else done.stderr.strip()


class Kubernetes:
    """With the operator on it. Started for the `with` and ended again, unless it runs already."""

    def __enter__(self):
        if missing := lacks():
            raise RuntimeError(missing)
        self.ran = subprocess.run([CLUSTER, "status"], capture_output=True, check=False).returncode == 0
        try:
            _run(CLUSTER, "up")
            _run(E2E / "install-operator")
        except BaseException:
            self.__exit__()
            raise
        self.admin = Server(RUN / "kubeconfig")
        return self

    def __exit__(self, *_):
        if not self.ran:
            _run(CLUSTER, "down")

    def kubectl(self, *arguments, stdin=None):
        return _run(RUN / "bin" / "kubectl", "--kubeconfig", RUN / "kubeconfig", *arguments, stdin=stdin)

    def apply(self, namespace, *objects):
        for each in objects:
            self.kubectl("apply", "-n", namespace, "-f", "-", stdin=json.dumps(each))

    def example(self):
        """The example's manifests, with images that there are."""
        return self.kubectl("kustomize", "--load-restrictor=LoadRestrictionsNone", str(E2E / "overlays" / "example"))

    @staticmethod
    def load(image):
        """Makes the image, unless the cache has it, and gives it to the node."""
        _run(CLUSTER, "load", _run(CLUSTER, "images", image).split()[-1])

    def audit(self):
        return AuditLog(RUN / "logs" / "audit.log")

    @staticmethod
    def operator():
        """The process of the operator that is installed."""
        found = [int(entry.name) for entry in pathlib.Path("/proc").iterdir() if entry.name.isdigit() and _is_operator(entry)]
        if len(found) != 1:
            raise RuntimeError(f"{len(found)} operators run in pods")
        return Process(found[0])

    @contextlib.contextmanager
    def namespace(self, name):
        """A namespace that is gone, pods and all, when the `with` ends."""
        self.admin.call("POST", path_of("v1", "namespaces"), {"metadata": {"name": name}})
        wait("the service account", lambda: self.admin.call("GET", path_of("v1", "serviceaccounts", name, "default"), allow=(404,)))
        try:
            yield name
        finally:
            self.admin.call("DELETE", path_of("v1", "namespaces") + "/" + name)
            # Brokers take their time to stop in good order.
            self.admin.call("DELETE", path_of("v1", "pods", name), {"gracePeriodSeconds": 1})
            wait("the end of the namespace", lambda: self.admin.call("GET", path_of("v1", "namespaces") + "/" + name, allow=(404,)) is None)

    def is_ready(self, namespace, name):
        """Of the spec as it stands."""
        cluster = self.admin.call("GET", path_of("rabbitcluster.dev/v1beta1", "rabbitclusters", namespace, name))
        return any(c["type"] == "Ready" and c["status"] == "True" and c.get("observedGeneration") == cluster["metadata"]["generation"]
                   for c in cluster.get("status", {}).get("conditions", []))


def _is_operator(entry):
    try:
        line = (entry / "cmdline").read_bytes().split(b"\0")
        return line[0].endswith(b"rabbit-operator") and line[1:2] == [b"run"] and "rabbit-operator-" in (entry / "cgroup").read_text()
    except OSError:
        return False  # it has ended meanwhile


def brokers_alone(name, image, replicas, memory, spec):
    """A RabbitCluster without proxies, of nodes for which there is room beside others; `spec` adds fields."""
    return {"apiVersion": "rabbitcluster.dev/v1beta1", "kind": "RabbitCluster", "metadata": {"name": name},
            "spec": {"replicas": replicas, "image": image, "storage": {"size": "1Gi"}, "loadBalancer": {"enabled": False},
                     "resources": {"requests": {"cpu": "10m", "memory": memory}, "limits": {"memory": memory}}, **spec}}


def wait(what, probe, every=0.2):
    until = time.time() + TIMEOUT
    while not probe():
        if time.time() > until:
            raise RuntimeError(f"waited {TIMEOUT} s for {what}")
        time.sleep(every)


def _run(*command, stdin=None):
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False,
                          **({} if stdin is not None else {"stdin": subprocess.DEVNULL}))
    if done.returncode:
        raise RuntimeError(f"{' '.join(map(str, command))}: {done.stderr}")
    return done.stdout
