"""At the end of all other tests: no password, cookie or hash of them stands anywhere but in its Secret."""

import secrets

import pytest

from lib import clusters, installed, kubectl, leaks
from lib.clusters import wait_condition
from lib.management import quoted
from lib.wait import wait_until

BINARY = kubectl.ROOT / "build" / "release" / "bin" / "rabbit-operator"
NAMES = ("oldest", "old", "new", "newest")
OWN = {"name": "e2e-secrets-own", "key": "password"}


def declare(namespace, password):
    kubectl.apply({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": OWN["name"]}, "stringData": {"password": password}}, namespace)


def brokers(namespace):
    return {name: clusters.broker(name, namespace) for name in NAMES}


def hash_of(broker, user):
    return broker.get(f"users/{quoted(user)}")["password_hash"]


@pytest.fixture(scope="module")
def played(standing):
    """Every way in which the operator touches a password: declared, rotated, made, made anew, and its own set anew. What it said
    on the way, and what was secret."""
    namespace = [standing(name) for name in NAMES][0]
    wanted = leaks.values()
    passwords = [f"declared-{secrets.token_hex(12)}", f"rotated-{secrets.token_hex(12)}"]
    wanted |= {"the declared password": passwords[0], "the rotated one": passwords[1]}
    with leaks.command_lines() as lines:
        declare(namespace, passwords[0])
        users = {name: kubectl.get("rabbit", name, namespace)["spec"].get("users") for name in NAMES}
        for name in NAMES:
            added = [*(users[name] or []), {"name": "teller", "passwordSecretRef": OWN, "tags": ["monitoring"]}]
            kubectl.patch("rabbit", name, namespace, {"spec": {"users": added}})
        for name in NAMES:
            wait_condition(name, namespace, "Ready", "True")
        wanted |= leaks.hashes(brokers(namespace))
        before = {name: hash_of(broker, "teller") for name, broker in brokers(namespace).items()}
        declare(namespace, passwords[1])
        for name, broker in brokers(namespace).items():
            wait_until(f"{name} has the rotated password", lambda n=name, b=broker: hash_of(b, "teller") != before[n], timeout=60)
            broker.delete("users/rabbit-operator")
        for name, broker in brokers(namespace).items():
            wait_until(f"{name} has the operator's user again", lambda b=broker: hash_of(b, "rabbit-operator"), timeout=120)
            wait_condition(name, namespace, "Ready", "True", timeout=60)
        wanted |= leaks.hashes(brokers(namespace))
        said = {}
        for name in NAMES:
            scope = (name, "--namespace", namespace, "--kubeconfig", kubectl.kubeconfig())
            for command in (("plan",), ("plan", "-o", "json"), ("status",), ("status", "-o", "json"), ("events",)):
                said[f"{' '.join(command)} of {name}"] = leaks.printed(BINARY, command[0], *scope, *command[1:])
    yield {"wanted": wanted | leaks.values(), "said": said, "lines": lines, "namespace": namespace}
    for name in NAMES:
        kubectl.patch("rabbit", name, namespace, {"spec": {"users": users[name]}})
    for name in NAMES:
        wait_condition(name, namespace, "Ready", "True")
    kubectl.delete("secret", OWN["name"], namespace)


@pytest.mark.last
def test_no_secret_value_stands_anywhere_but_in_its_secret(played):
    texts = leaks.everything() | played["said"] | {"command lines": b"\n".join(played["lines"])}
    texts["metrics"] = leaks.metrics(installed.pod_of(installed.holder()), installed.NAMESPACE)
    # That there is something to search, and to search for.
    assert len(played["wanted"]) >= 20
    assert b"beam" in texts["command lines"] and b"rabbitmqctl" in texts["command lines"]
    assert b"rabbit-operator" in texts["rabbitclusters.rabbitcluster.dev"] and b"set user rabbit-operator anew" in texts["events"]
    assert texts["metrics"] and all(played["said"].values()) and "audit.log" in texts
    assert leaks.search(played["wanted"], texts) == []

    # And that it would be found, in each form.
    value = next(iter(leaks.values().values()))
    for form in leaks.forms(value):
        planted = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "planted"}, "data": {"note": f"a {form.decode()} b"}}
        kubectl.apply(planted, played["namespace"])
        found = leaks.search({"the planted one": value}, leaks.everything())
        assert "the planted one in configmaps" in found
    kubectl.delete("configmap", "planted", played["namespace"])
