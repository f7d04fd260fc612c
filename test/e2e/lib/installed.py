"""The operator as it is installed on the cluster, and what else the tests' own cluster is given."""

import subprocess

from lib import kubectl
from lib.wait import wait_until

NAMESPACE = "rabbit-operator-system"
NAME = "rabbit-operator"
ACCOUNT = f"system:serviceaccount:{NAMESPACE}:{NAME}"


def logs():
    return kubectl.kubectl("-n", NAMESPACE, "logs", f"deployment/{NAME}", "--tail=-1")


def holder():
    """Who holds the lease, as "POD_RANDOM"; empty when nobody does."""
    return (kubectl.get("lease", NAME, NAMESPACE) or {"spec": {}})["spec"].get("holderIdentity") or ""


def pod_of(identity):
    return identity.rsplit("_", 1)[0]


def restart():
    """Another process that knows nothing but what it reads; works when this returns."""
    before = holder()
    kubectl.kubectl("delete", "pod", pod_of(before), "-n", NAMESPACE, timeout=60)
    wait_until("another leader", lambda: holder() not in ("", before), timeout=30, interval=0.2)


def load(image):
    """Gives the node an image that `cluster up` does not, made first where the cache lacks it."""
    tool = kubectl.ROOT / "test" / "e2e" / "kubernetes" / "cluster"
    made = subprocess.run([tool, "images", image], check=True, stdout=subprocess.PIPE, text=True, timeout=900, stdin=subprocess.DEVNULL)
    subprocess.run([tool, "load", made.stdout.split()[-1]], check=True, timeout=300, stdin=subprocess.DEVNULL)
