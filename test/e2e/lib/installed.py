"""The operator as it is installed on the cluster."""

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
