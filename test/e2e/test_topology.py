"""What the broker holds besides queues is as declared, stays so, and goes when it is declared no more."""

import contextlib

import pytest

from lib import clusters, installed, kubectl
from lib.clusters import wait_condition
from lib.management import ApiError, quoted
from lib.wait import NotYet, wait_until

USER = "clerk/ü %"  # what a path must escape
VHOST = "orders/eu 1"
PERMISSION = {"vhost": VHOST, "configure": "^$", "write": ".*", "read": ".*"}
TOPIC = {"vhost": VHOST, "exchange": "amq.topic", "write": "^eu\\.", "read": ".*"}


def declared(name):
    vhost = {"name": VHOST, "description": "of the shop", "tags": ["eu", "shop"], "limits": {"maxConnections": 7, "maxQueues": 3}}
    if name != "old":
        vhost["defaultQueueType"] = "Quorum"
    return {
        "vhosts": [vhost],
        "users": [{"name": "made"}, {"name": USER, "tags": ["monitoring"], "permissions": [PERMISSION], "topicPermissions": [TOPIC],
                                     "limits": {"maxConnections": 5, "maxChannels": 50}}],
        "operatorPolicies": [{"vhost": VHOST, "name": "short", "pattern": "^tmp", "applyTo": "queues", "priority": 3,
                              "definition": {"max-length": 100}}],
    }


NOTHING = {"vhosts": None, "users": [{"name": "made"}], "operatorPolicies": None, "ownership": None}


def at_broker(broker):
    """All of it, as the broker has it."""
    vhost, user = quoted(VHOST), quoted(USER)
    found = broker.get(f"vhosts/{vhost}")
    limits = {entry["vhost"]: entry["value"] for entry in broker.get("vhost-limits")}
    user_limits = {entry["user"]: entry["value"] for entry in broker.get("user-limits")}
    topics = [{key: entry[key] for key in TOPIC} for entry in broker.get("topic-permissions") if entry["user"] == USER]
    tags = broker.get(f"users/{user}")["tags"]
    policy = broker.get(f"operator-policies/{vhost}/short")
    return {
        "description": found["description"], "tags": sorted(found["tags"]), "type": found.get("default_queue_type"),
        "limits": limits.get(VHOST), "user limits": user_limits.get(USER), "topics": topics,
        "user tags": tags if isinstance(tags, list) else tags.split(","),
        "policy": (policy["pattern"], policy["apply-to"], policy["priority"], policy["definition"]),
    }


def wanted(name):
    return {
        "description": "of the shop", "tags": ["eu", "shop"],
        "limits": {"max-connections": 7, "max-queues": 3}, "user limits": {"max-connections": 5, "max-channels": 50},
        "topics": [TOPIC], "user tags": ["monitoring"], "policy": ("^tmp", "queues", 3, {"max-length": 100}),
        **({"type": "quorum"} if name != "old" else {}),
    }


def is_as_declared(name, broker):
    try:
        found = at_broker(broker)
    except ApiError as error:
        raise NotYet(error) from error
    wrong = {key: found[key] for key, value in wanted(name).items() if found[key] != value}
    if wrong:
        raise NotYet(wrong)
    return True


@pytest.fixture(params=["old", "new", "newest"])
def name(request, standing, single_nodes):
    standing(request.param)
    kubectl.patch("rabbit", request.param, single_nodes, {"spec": declared(request.param)})
    wait_condition(request.param, single_nodes, "Ready", "True")
    yield request.param
    broker = clusters.broker(request.param, single_nodes)
    with contextlib.suppress(ApiError):  # what a test left in it would keep it
        broker.delete(f"vhosts/{quoted(VHOST)}")
    kubectl.patch("rabbit", request.param, single_nodes, {"spec": NOTHING})
    wait_condition(request.param, single_nodes, "Ready", "True")


def gone(broker, path):
    try:
        raise NotYet(broker.get(path))
    except ApiError as error:
        assert error.status == 404
        return True


def test_what_is_declared_is_there_and_what_is_changed_by_hand_is_put_back(name, single_nodes):
    installed.restart()  # events of an object are cut short after 25, and the tests before had theirs
    broker = clusters.broker(name, single_nodes)
    assert is_as_declared(name, broker)  # Ready says so

    vhost, user = quoted(VHOST), quoted(USER)
    by_hand = {  # and how the event that tells of the repair begins
        f"write vhost {VHOST}: ": lambda: broker.put(f"vhosts/{vhost}", {"description": "mine", "tags": "other"}),
        f"set limit max-queues of vhost {VHOST} to 3: is 1, ": lambda: broker.put(f"vhost-limits/{vhost}/max-queues", {"value": 1}),
        f"set limit max-connections of vhost {VHOST} to 7: was removed": lambda: broker.delete(f"vhost-limits/{vhost}/max-connections"),
        f"set limit max-channels of user {USER} to 50: is 1, ": lambda: broker.put(f"user-limits/{user}/max-channels", {"value": 1}),
        f"write topic permission of user {USER} on exchange amq.topic ": lambda: broker.put(f"topic-permissions/{vhost}/{user}", {**TOPIC, "write": ""}),
        f"delete topic permission of user {USER} on exchange amq.direct ": lambda: broker.put(
            f"topic-permissions/{vhost}/{user}", {**TOPIC, "exchange": "amq.direct"}),
        f"write operator policy short in vhost {VHOST}: was removed": lambda: broker.delete(f"operator-policies/{vhost}/short"),
    }

    def told():
        events = kubectl.list_all("events.events.k8s.io", single_nodes)
        return [event["note"] for event in events if event["reason"] == "DriftRepaired" and event["regarding"]["name"] == name]

    def is_told(repair):
        if not any(note.startswith(repair) for note in told()):
            raise NotYet(told())
        return True

    first = [note for note in told() if any(note.startswith(repair) for repair in by_hand)]
    assert not first, "what is declared for the first time is no drift"
    for repair, change in by_hand.items():
        change()
        wait_until(f"it is repaired: {repair}", lambda: is_as_declared(name, broker), timeout=20)
        wait_until(f"it is told: {repair}", lambda repair=repair: is_told(repair), timeout=20)


def test_what_is_declared_no_more_goes_but_no_vhost_that_holds_a_queue(name, single_nodes):
    broker = clusters.broker(name, single_nodes)
    vhost, user = quoted(VHOST), quoted(USER)
    # The permission to make a queue there is the default user's for a moment.
    me = kubectl.secret(f"{name}-default-user", single_nodes)["username"]
    broker.put(f"permissions/{vhost}/{quoted(me)}", {"configure": ".*", "write": ".*", "read": ".*"})
    broker.put(f"queues/{vhost}/kept", {"durable": True})

    kubectl.patch("rabbit", name, single_nodes, {"spec": NOTHING})
    found = wait_condition(name, single_nodes, "TopologySynced", "False", "VhostNotEmpty")
    assert VHOST in found["message"]
    wait_until("the user goes", lambda: gone(broker, f"users/{user}"), timeout=20)
    wait_until("the operator policy goes", lambda: gone(broker, f"operator-policies/{vhost}/short"), timeout=20)
    assert broker.get(f"queues/{vhost}/kept")["name"] == "kept"

    broker.delete(f"queues/{vhost}/kept")
    wait_until("the vhost goes", lambda: gone(broker, f"vhosts/{vhost}"), timeout=20)
    wait_condition(name, single_nodes, "Ready", "True")


def test_what_nobody_declared_stays_unless_ownership_is_exclusive(name, single_nodes):
    broker = clusters.broker(name, single_nodes)
    vhost = quoted(VHOST)
    broker.put("users/stranger", {"password": "x", "tags": ""})
    broker.put(f"policies/{vhost}/strange", {"pattern": "^x", "definition": {"max-length": 1}})
    # A change arrives after that, and leaves them alone.
    operator_policies = [{**declared(name)["operatorPolicies"][0], "priority": 4}]
    kubectl.patch("rabbit", name, single_nodes, {"spec": {"operatorPolicies": operator_policies}})
    wait_until("the change arrives", lambda: broker.get(f"operator-policies/{vhost}/short")["priority"] == 4, timeout=20)
    assert broker.get("users/stranger")["name"] == "stranger"
    assert broker.get(f"policies/{vhost}/strange")["name"] == "strange"

    kubectl.patch("rabbit", name, single_nodes, {"spec": {"ownership": {"users": "Exclusive", "policies": "Exclusive"}}})
    wait_until("the user goes", lambda: gone(broker, "users/stranger"), timeout=20)
    wait_until("the policy goes", lambda: gone(broker, f"policies/{vhost}/strange"), timeout=20)
    wait_condition(name, single_nodes, "Ready", "True")
    # The operator's own user is still there: it looks, and writes.
    kubectl.patch("rabbit", name, single_nodes, {"spec": {"operatorPolicies": declared(name)["operatorPolicies"]}})
    wait_until("the operator can write", lambda: is_as_declared(name, broker), timeout=20)


def test_a_policy_that_stands_behind_another_on_each_of_its_queues_is_told(name, single_nodes):
    broker = clusters.broker(name, single_nodes)
    broker.put("queues/%2F/shaded", {"durable": True})
    policies = [{"vhost": "/", "name": policy, "pattern": "^shaded", "applyTo": "queues", "priority": priority, "definition": {"max-length": 9}}
                for policy, priority in (("before", 2), ("behind", 1))]
    kubectl.patch("rabbit", name, single_nodes, {"spec": {"policies": policies}})

    def told():
        message = wait_condition(name, single_nodes, "Ready", "True")["message"]
        if "warning: policy behind in vhost /: governs no queue: " not in message:
            raise NotYet(message)
        return message

    message = wait_until("the warning", told, timeout=30)
    assert "policy before of the same or a higher priority" in message and "warning: policy before" not in message
    kubectl.patch("rabbit", name, single_nodes, {"spec": {"policies": None}})
    broker.delete("queues/%2F/shaded")
