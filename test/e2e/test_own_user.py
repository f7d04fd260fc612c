"""A broker that refuses the operator, for whatever reason, is given the operator's user anew. And a Secret that the
operator made and that was deleted is made anew, and the broker is given what is in it. On every version."""

import base64
import hashlib

import pytest

from lib import clusters, installed, kubectl
from lib.clusters import wait_condition
from lib.management import ApiError, Management, quoted
from lib.wait import wait_until

USER = "rabbit-operator"
VERSIONS = ["oldest", "old", "new", "newest"]


@pytest.fixture(scope="module", autouse=True)
def events_to_spare():
    """Of one cluster an operator tells a number of events and no more for a while; other tests may have used it up."""
    installed.restart()


def told(name, namespace):
    """What the operator's events say of its user, and how often each."""
    found = [event for event in kubectl.list_all("events.events.k8s.io", namespace)
             if event.get("regarding", {}).get("name") == name and f"set user {USER} anew" in event.get("note", "")]
    return sum((event.get("series") or {}).get("count", 1) for event in found)


def lets_in(name, namespace, user, secret):
    login = kubectl.secret(secret, namespace)
    broker = Management(kubectl.pod_address(f"{name}-node-0", namespace), user, login["password"])
    try:
        return broker.get("whoami")["name"] == user
    except ApiError as error:
        assert error.status == 401, error
        return False


def operator_works(name, namespace):
    """What only somebody whom the broker lets in can do: the cluster's name is put back."""
    broker = clusters.broker(name, namespace)
    broker.put("cluster-name", {"name": "by-hand"})
    wait_until("the cluster's name is put back", lambda: broker.get("cluster-name")["name"] == name, timeout=60)


def restarted_operator():
    installed.restart()  # one that runs looks at its own Secrets every ten minutes


def deleted_at_the_broker(name, namespace):
    clusters.broker(name, namespace).delete(f"users/{quoted(USER)}")


def another_password_at_the_broker(name, namespace):
    clusters.broker(name, namespace).put(f"users/{quoted(USER)}", {"password": "of-somebody-else", "tags": "administrator"})


def no_tags_at_the_broker(name, namespace):
    broker = clusters.broker(name, namespace)
    kept = {key: value for key, value in broker.get(f"users/{quoted(USER)}").items() if key in ("password_hash", "hashing_algorithm")}
    broker.put(f"users/{quoted(USER)}", {**kept, "tags": "monitoring"})


def its_secret_deleted(name, namespace):
    kubectl.delete("secret", f"{name}-operator-user", namespace)
    restarted_operator()


@pytest.mark.parametrize("name", VERSIONS)
@pytest.mark.parametrize("what", [deleted_at_the_broker, another_password_at_the_broker, no_tags_at_the_broker, its_secret_deleted])
def test_the_operators_user_is_set_anew(standing, name, what):
    namespace = standing(name)
    before, pods = told(name, namespace), clusters.node_uids(name, namespace)
    what(name, namespace)
    # An event that says the same again is counted up a moment later.
    wait_until("an event that says so", lambda: told(name, namespace) > before, timeout=120)
    wait_condition(name, namespace, "Ready", "True", timeout=60)
    assert lets_in(name, namespace, USER, f"{name}-operator-user")
    user = clusters.broker(name, namespace).get(f"users/{quoted(USER)}")
    assert user["tags"] in ("administrator", ["administrator"])
    operator_works(name, namespace)
    assert clusters.node_uids(name, namespace) == pods


@pytest.mark.parametrize("name", VERSIONS)
def test_a_cluster_applied_again_over_its_disks_without_the_secret_is_ready_again(standing, name):
    namespace = standing(name)
    declared = {cluster["metadata"]["name"]: cluster for cluster in (*clusters.SINGLE_NODES, *clusters.EDGES.values())}[name]
    before = kubectl.secret(f"{name}-operator-user", namespace)["password"]
    kubectl.delete("rabbit", name, namespace)
    kubectl.delete("secret", f"{name}-operator-user", namespace)
    wait_until("no pod", lambda: kubectl.get("pod", f"{name}-node-0", namespace) is None, timeout=120)
    kubectl.apply(declared, namespace)
    wait_condition(name, namespace, "Ready", "True", timeout=240)
    assert kubectl.secret(f"{name}-operator-user", namespace)["password"] != before
    assert lets_in(name, namespace, USER, f"{name}-operator-user")
    operator_works(name, namespace)


@pytest.mark.parametrize("name", ["oldest", "old"])
def test_the_deleted_secret_of_a_user_is_made_anew_and_the_broker_given_it(standing, name):
    namespace = standing(name)
    made = next(secret["metadata"]["name"] for secret in kubectl.list_all("secret", namespace, f"app.kubernetes.io/instance={name}")
                if secret["metadata"]["name"].startswith(f"{name}-user-made"))
    secrets = {"made": made, "default": f"{name}-default-user"}
    before = {user: kubectl.secret(secret, namespace)["password"] for user, secret in secrets.items()}
    for secret in secrets.values():
        kubectl.delete("secret", secret, namespace)
    restarted_operator()
    wait_until("other Secrets", lambda: all(kubectl.secret(secrets[user], namespace)["password"] != before[user] for user in secrets),
               timeout=60)
    wait_until("the default user, whom the broker lets in", lambda: lets_in(name, namespace, "default", secrets["default"]), timeout=60)
    # The other one may not use the management: its password is compared as the broker does.
    password = kubectl.secret(made, namespace)["password"]

    def is_known():
        stored = base64.b64decode(clusters.broker(name, namespace).get("users/made")["password_hash"])
        return hashlib.sha256(stored[:4] + password.encode()).digest() == stored[4:]
    wait_until("the other user's password at the broker", is_known, timeout=60)
    wait_condition(name, namespace, "Ready", "True", timeout=60)
