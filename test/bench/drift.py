"""What is changed by hand at the broker is put back: a hundred random changes, the same ones each time, on
each version of RabbitMQ that can be had, and how long each stood, beside the drift interval and one second."""

import random
import statistics
import threading
import time
import urllib.parse

from lib.kubernetes import Kubernetes, brokers_alone, wait
from lib.management import Management, NotFound

NAMESPACE = "bench-drift"
INTERVAL, GRACE = 2, 1
CHANGES = 100
SEED = 7
VERSIONS = {"v3-8": "3.8", "v3-10": "3.10", "v4-0": "4.0", "v4-3": "4.3"}


def quoted(name):
    return urllib.parse.quote(name, safe="")


VHOSTS = ["plain", "with/slash", "ü %"]
USERS = ["clerk", "auditor \"x\""]
POLICIES = [f"policy {i}" for i in range(6)]
PERMISSION = {"configure": "^$", "write": "^w", "read": ".*"}


def _spec():
    return {
        "drift": {"interval": f"{INTERVAL}s"},
        "vhosts": [{"name": name, "description": f"of {name}", "limits": {"maxConnections": 50, "maxQueues": 20}} for name in VHOSTS],
        "users": [{"name": name, "tags": ["monitoring"], "limits": {"maxChannels": 30},
                   "permissions": [{"vhost": vhost, **PERMISSION} for vhost in VHOSTS]} for name in USERS],
        "policies": [{"vhost": VHOSTS[i % 3], "name": name, "pattern": f"^q{i}", "applyTo": "queues", "priority": i,
                      "definition": {"max-length": 10 + i}} for i, name in enumerate(POLICIES)],
        "operatorPolicies": [{"vhost": "plain", "name": "bound", "pattern": ".*", "applyTo": "queues", "definition": {"max-length": 99}}],
    }


def _policy(i):
    return {"pattern": f"^q{i}", "apply-to": "queues", "priority": i, "definition": {"max-length": 10 + i}}


class Change:
    """Something done by hand at `path`, and what has to stand there again."""

    def __init__(self, what, do, path, right):
        self.what, self.do, self.path, self.right = what, do, path, right

    def is_back(self, broker):
        try:
            return self.right(broker.get(self.path))
        except NotFound:
            return False


def _changes(broker, dice):
    """One change of each kind, of something that the dice choose."""
    vhost, user, number = dice.choice(VHOSTS), dice.choice(USERS), dice.randrange(len(POLICIES))
    value = dice.randrange(1000, 9999)
    where, who = quoted(vhost), quoted(user)
    policy = f"policies/{quoted(VHOSTS[number % 3])}/{quoted(POLICIES[number])}"
    has = lambda wanted: lambda found: all(found.get(key) == wanted[key] for key in wanted)
    is_policy = has(_policy(number))
    limit = lambda entries: entries and entries[0]["value"] == {"max-connections": 50, "max-queues": 20}
    permission = f"permissions/{where}/{who}"
    tags = lambda found: found["tags"] in (["monitoring"], "monitoring")
    return [
        Change("policy deleted", lambda: broker.delete(policy), policy, is_policy),
        Change("policy's pattern", lambda: broker.put(policy, {**_policy(number), "pattern": f"^{value}"}), policy, is_policy),
        Change("policy's priority", lambda: broker.put(policy, {**_policy(number), "priority": value}), policy, is_policy),
        Change("policy's definition", lambda: broker.put(policy, {**_policy(number), "definition": {"max-length": value, "expires": value}}),
               policy, is_policy),
        Change("operator policy deleted", lambda: broker.delete("operator-policies/plain/bound"), "operator-policies/plain/bound",
               has({"definition": {"max-length": 99}})),
        Change("user deleted", lambda: broker.delete(f"users/{who}"), permission, has(PERMISSION)),
        Change("user's tags", lambda: broker.put(f"users/{who}", {"tags": "administrator", "password": str(value)}), f"users/{who}", tags),
        Change("permissions deleted", lambda: broker.delete(permission), permission, has(PERMISSION)),
        Change("permissions widened", lambda: broker.put(permission, {"configure": ".*", "write": ".*", "read": ".*"}), permission, has(PERMISSION)),
        # All in it goes with it; policies come back last.
        Change("vhost deleted", lambda: broker.delete(f"vhosts/{quoted(VHOSTS[number % 3])}"), policy, is_policy),
        Change("vhost's limit deleted", lambda: broker.delete(f"vhost-limits/{where}/max-queues"), f"vhost-limits/{where}", limit),
        Change("vhost's limit changed", lambda: broker.put(f"vhost-limits/{where}/max-connections", {"value": value}), f"vhost-limits/{where}", limit),
        Change("cluster's name", lambda: broker.put("cluster-name", {"name": f"by-hand-{value}"}), "cluster-name", lambda found: not found["name"].startswith("by-hand")),
    ]


def _run(broker, outcomes, patience):
    dice = random.Random(SEED)
    for _ in range(CHANGES):
        change = dice.choice(_changes(broker, dice))
        time.sleep(dice.uniform(0, INTERVAL))  # at any moment between two looks
        change.do()
        began = time.time()
        while not change.is_back(broker) and time.time() - began < patience:
            time.sleep(0.02)
        outcomes.append((time.time() - began, change.what))


def measure(results):
    with Kubernetes() as kubernetes, kubernetes.namespace(NAMESPACE):
        for name, version in VERSIONS.items():
            image = f"localhost/rabbitmq:{version}-management"
            kubernetes.load(image)
            kubernetes.apply(NAMESPACE, brokers_alone(name, image, 1, "512Mi", _spec()))
        runs = {}
        for name in VERSIONS:
            wait(f"{name} Ready", lambda name=name: kubernetes.is_ready(NAMESPACE, name))
            outcomes = []
            runs[name] = threading.Thread(target=_run, args=(Management(kubernetes, NAMESPACE, name), outcomes, 30)), outcomes
        for thread, _ in runs.values():
            thread.start()
        for name, (thread, outcomes) in runs.items():
            thread.join()
            took = [seconds for seconds, _ in outcomes]
            late = [outcome for outcome in outcomes if outcome[0] > INTERVAL + GRACE]
            results.add(f"drift: {VERSIONS[name]}: changes that stood longer than {INTERVAL + GRACE} s", len(late) + CHANGES - len(outcomes),
                        f"of {CHANGES}", 0)
            for seconds, what in late[:5]:
                results.note(f"  {what}: {seconds:.1f} s")
            results.add(f"drift: {VERSIONS[name]}: until put back, slowest", max(took, default=0), "s", INTERVAL + GRACE)
            results.add(f"drift: {VERSIONS[name]}: until put back, median", statistics.median(took or [0]), "s")
