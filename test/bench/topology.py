"""500 policies, 200 vhosts and 200 users at once on a fresh three-node broker, beside a plain loop that
makes the same PUTs over as many connections as one reconcile has, which is one; what a look then costs;
and how soon a change of a policy is at the broker."""

import statistics
import time

import yaml
from lib.api import path_of
from lib.kubernetes import Kubernetes, brokers_alone, wait
from lib.management import Management

NAMESPACE = "bench-topology"
OURS, LIMIT = "ours", "limit"
POLICIES, VHOSTS, USERS = 500, 200, 200
CHANGES = 20
LOOKS = 60  # one a second


def measure(results):
    with Kubernetes() as kubernetes, kubernetes.namespace(NAMESPACE):
        documents = [d for d in yaml.safe_load_all(kubernetes.example()) if d]
        kubernetes.apply(NAMESPACE, *(d for d in documents if d["kind"] == "Secret"))
        image = next(d for d in documents if d["kind"] == "RabbitCluster")["spec"]["image"]
        for name, interval in ((OURS, "15s"), (LIMIT, "1h")):  # beside the loop nothing is looked at
            kubernetes.apply(NAMESPACE, brokers_alone(name, image, 3, "1Gi", {"drift": {"interval": interval}}))
            wait(f"{name} Ready", lambda name=name: kubernetes.is_ready(NAMESPACE, name))
        took, limit = _declare(kubernetes), _loop(kubernetes)
        results.add(f"topology: {POLICIES} policies, {VHOSTS} vhosts, {USERS} users at the broker", took, "s", 1.5 * limit,
                    "a plain loop on one connection", limit)
        wait("all in effect", lambda: kubernetes.is_ready(NAMESPACE, OURS))
        _look(results, kubernetes)
        _change(results, kubernetes)


def _spec():
    reference = {"name": "rabbit-root", "key": "password"}
    return {"vhosts": [{"name": f"vhost-{i}"} for i in range(VHOSTS)],
            "users": [{"name": f"user-{i}", "passwordSecretRef": reference} for i in range(USERS)],
            "policies": [{"vhost": f"vhost-{i % VHOSTS}", "name": f"policy-{i}", "pattern": f"^queue-{i}-", "applyTo": "queues",
                          "definition": {"max-length": 1000 + i}} for i in range(POLICIES)]}


def _count(broker):
    return [len(broker.get(f"{kind}?columns=name")) for kind in ("policies", "vhosts", "users")]


def _declare(kubernetes):
    """Seconds from the answer to the PATCH until the broker has everything."""
    broker = Management(kubernetes, NAMESPACE, OURS)
    before = _count(broker)
    wanted = [there + more for there, more in zip(before, (POLICIES, VHOSTS, USERS))]
    kubernetes.admin.call("PATCH", path_of("rabbitcluster.dev/v1beta1", "rabbitclusters", NAMESPACE, OURS), {"spec": _spec()},
                          "application/merge-patch+json")
    began = time.time()
    wait("everything at the broker", lambda: _count(broker) == wanted)
    return time.time() - began


def _loop(kubernetes):
    broker = Management(kubernetes, NAMESPACE, LIMIT)
    spec = _spec()
    began = time.time()
    for vhost in spec["vhosts"]:
        broker.put(f"vhosts/{vhost['name']}", {})
    for user in spec["users"]:
        broker.put(f"users/{user['name']}", {"password": "change-me", "tags": ""})
    for policy in spec["policies"]:
        broker.put(f"policies/{policy['vhost']}/{policy['name']}",
                    {"pattern": policy["pattern"], "apply-to": "queues", "priority": 0, "definition": policy["definition"]})
    return time.time() - began


def _patch(kubernetes, patch):
    kubernetes.admin.call("PATCH", path_of("rabbitcluster.dev/v1beta1", "rabbitclusters", NAMESPACE, OURS), patch,
                          "application/json-patch+json")


def _look(results, kubernetes):
    """CPU of a look, and what is written meanwhile: one look a second, less what the operator uses with none."""
    operator, audit = kubernetes.operator(), kubernetes.audit()

    def used(interval):
        _patch(kubernetes, [{"op": "replace", "path": "/spec/drift/interval", "value": interval}])
        wait("all in effect", lambda: kubernetes.is_ready(NAMESPACE, OURS))
        time.sleep(5)
        audit.writes()
        began = operator.cpu_seconds()
        time.sleep(LOOKS)
        return operator.cpu_seconds() - began

    at_rest = used("1h")
    results.add("topology: CPU of a look at a cluster in sync with them", (used("1s") - at_rest) / LOOKS * 1000, "ms", 10)
    writes = audit.writes()
    results.add(f"topology: writes in {LOOKS} looks", len(writes), "requests", 0)
    for write in writes[:5]:
        results.note(f"  {write[1]} {write[3]}")


def _change(results, kubernetes):
    broker = Management(kubernetes, NAMESPACE, OURS)
    _patch(kubernetes, [{"op": "replace", "path": "/spec/drift/interval", "value": "15s"}])
    wait("all in effect", lambda: kubernetes.is_ready(NAMESPACE, OURS))
    waits = []
    for i in range(CHANGES):
        _patch(kubernetes, [{"op": "replace", "path": "/spec/policies/7/definition/max-length", "value": 5000 + i}])
        began = time.time()
        wait("the change at the broker",
             lambda value=5000 + i: broker.get("policies/vhost-7/policy-7")["definition"]["max-length"] == value, every=0.005)
        waits.append(time.time() - began)
        wait("all in effect", lambda: kubernetes.is_ready(NAMESPACE, OURS))
    results.add("topology: a changed policy at the broker, median", statistics.median(waits), "s", 0.5)
    results.add(f"topology: a changed policy at the broker, slowest of {CHANGES}", max(waits), "s", 1)
