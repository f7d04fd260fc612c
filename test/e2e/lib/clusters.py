"""RabbitClusters of the tests, and what their status says."""

from lib import kubectl, management
from lib.wait import NotYet, wait_until

OLD = "localhost/rabbitmq:3.10-management"
NEW = "localhost/rabbitmq:4.0-management"
OLDEST = "localhost/rabbitmq:3.8-management"  # this and the next are for tests that ask for `standing`
NEWEST = "localhost/rabbitmq:4.3-management"
ABSENT = "localhost/absent:1"  # nobody has it: all objects are made, and no container runs
# Little enough that the two cores of a small machine have room for these beside the example.
SMALL = {"requests": {"cpu": "10m", "memory": "512Mi"}, "limits": {"memory": "512Mi"}}
SMALL_PROXY = {"requests": {"cpu": "10m", "memory": "128Mi"}, "limits": {"memory": "128Mi"}}


def small(name, image=OLD, **spec):
    """One node behind one proxy, with little memory; `spec` changes or adds fields."""
    balancer = {"replicas": 1, "image": "localhost/haproxy:2.6", "resources": SMALL_PROXY, **spec.pop("loadBalancer", {})}
    return {"apiVersion": "rabbitcluster.dev/v1beta1", "kind": "RabbitCluster", "metadata": {"name": name},
            "spec": {"replicas": 1, "image": image, "resources": SMALL, "storage": {"size": "1Gi"}, "loadBalancer": balancer, **spec}}


# Of the fixture `single_nodes`.
SINGLE_NODES = [
    small("old", OLD, drift={"interval": "2s"}, users=[{"name": "made"}]),  # the password is generated, into a Secret
    small("new", NEW, drift={"interval": "2s"}, loadBalancer={"image": "localhost/haproxy:3.0"}),
]

# Of the fixture `standing`, beside those.
EDGES = {"oldest": small("oldest", OLDEST, drift={"interval": "2s"}, users=[{"name": "made"}]),
         "newest": small("newest", NEWEST, drift={"interval": "2s"}, loadBalancer={"image": "localhost/haproxy:3.0"})}


def status(name, namespace):
    return (kubectl.get("rabbit", name, namespace) or {}).get("status", {})


def condition_is(name, namespace, kind, value, reason=None):
    """The condition, when it is so of the spec as it stands."""
    cluster = kubectl.get("rabbit", name, namespace)
    found = kubectl.condition(cluster, kind)
    current = found.get("observedGeneration") == (cluster or {"metadata": {}})["metadata"].get("generation")
    if found.get("status") != value or (reason and found.get("reason") != reason) or not current:
        raise NotYet(f"{kind}: {found}")
    return found


def wait_condition(name, namespace, kind, value, reason=None, timeout=120):
    return wait_until(f"{kind}={value} {reason or ''}", lambda: condition_is(name, namespace, kind, value, reason), timeout)


def broker_at(address, name, namespace):
    """The management API at an address, of a Service or a pod of cluster `name`."""
    user = kubectl.secret(f"{name}-default-user", namespace)
    return management.Management(address, user["username"], user["password"])


def broker(name, namespace):
    """The management API of any of the cluster's nodes."""
    return broker_at(kubectl.service_address(f"{name}-brokers", namespace), name, namespace)


def node_uids(name, namespace):
    """Which pod stands for which node: what a restart changes."""
    chosen = f"app.kubernetes.io/instance={name},app.kubernetes.io/component=broker"
    found = {}
    for pod in kubectl.list_all("pod", namespace, chosen):
        restarts = [(c["name"], c["restartCount"]) for c in pod["status"].get("containerStatuses", [])]
        found[pod["metadata"]["name"]] = (pod["metadata"]["uid"], pod["metadata"].get("deletionTimestamp"), restarts)
    return found
