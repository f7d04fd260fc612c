"""Definitions from a ConfigMap or Secret: once, kept, beside a spec that names the same things."""

import base64
import json

import pytest

from lib import clusters, installed, kubectl
from lib.clusters import wait_condition
from lib.management import ApiError, quoted
from lib.wait import NotYet, wait_until

DEFINITIONS = {
    "users": [{"name": "from-definitions", "password": "s3cret-of-definitions", "tags": "monitoring"},
              {"name": "of-the-spec", "password": "not-this-one", "tags": "administrator"},
              {"name": "rabbit-operator", "password": "lock-out", "tags": ""}],
    "vhosts": [{"name": "defined"}],
    "permissions": [{"user": "from-definitions", "vhost": "defined", "configure": "", "write": ".*", "read": ".*"}],
    "policies": [{"vhost": "defined", "name": "short", "pattern": "^q", "apply-to": "queues", "priority": 0, "definition": {"max-length": 5}},
                 {"vhost": "/", "name": "both", "pattern": "^q", "apply-to": "queues", "priority": 0, "definition": {"max-length": 5}}],
    "queues": [{"name": "q1", "vhost": "defined", "durable": True, "auto_delete": False, "arguments": {}}],
    "exchanges": [{"name": "e1", "vhost": "defined", "type": "topic", "durable": True, "auto_delete": False, "internal": False, "arguments": {}}],
    "bindings": [{"source": "e1", "vhost": "defined", "destination": "q1", "destination_type": "queue", "routing_key": "k", "arguments": {}}],
}
SPEC = {
    "users": [{"name": "made"}, {"name": "of-the-spec", "tags": ["monitoring"]}],
    "policies": [{"vhost": "/", "name": "both", "pattern": "^q", "applyTo": "queues", "definition": {"max-length": 9}}],
    "ownership": {"users": "Exclusive", "policies": "Exclusive"},
}


def config_map(content):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "defs"}, "data": {"d.json": content}}


@pytest.fixture(params=["oldest", "old", "new", "newest"])
def name(request, standing, single_nodes):
    standing(request.param)
    yield request.param
    kubectl.patch("rabbit", request.param, single_nodes, {"spec": {
        "definitions": None, "policies": None, "vhosts": None, "ownership": None, "users": [{"name": "made"}]}})
    broker = clusters.broker(request.param, single_nodes)
    for path in ("vhosts/defined", "users/from-definitions"):
        try:
            broker.delete(path)
        except ApiError as error:
            assert error.status == 404
    wait_condition(request.param, single_nodes, "Ready", "True")
    kubectl.delete("configmap", "defs", single_nodes)
    kubectl.delete("secret", "defs", single_nodes)


def declare(name, namespace, **definitions):
    kubectl.patch("rabbit", name, namespace, {"spec": {**SPEC, "definitions": definitions}})


def has(broker, path, **fields):
    try:
        found = broker.get(path)
    except ApiError as error:
        raise NotYet(error) from error
    wrong = {key: found.get(key) for key, value in fields.items() if found.get(key) != value}
    if wrong:
        raise NotYet(wrong)
    return True


def test_kept_definitions_are_put_back_and_the_spec_wins(name, single_nodes):
    kubectl.apply(config_map(json.dumps(DEFINITIONS)), single_nodes)
    declare(name, single_nodes, configMapRef={"name": "defs", "key": "d.json"}, mode="Keep")
    wait_condition(name, single_nodes, "Ready", "True")
    broker = clusters.broker(name, single_nodes)
    assert has(broker, "policies/defined/short", definition={"max-length": 5})
    assert has(broker, "policies/%2F/both", definition={"max-length": 9})
    assert len(broker.get("exchanges/defined/e1/bindings/source")) == 1
    tags = broker.get("users/of-the-spec")["tags"]
    assert tags in ("monitoring", ["monitoring"])

    def delete_queue():  # the permission to is the default user's for a moment
        me = kubectl.secret(f"{name}-default-user", single_nodes)["username"]
        broker.put(f"permissions/defined/{quoted(me)}", {"configure": ".*", "write": ".*", "read": ".*"})
        broker.delete("queues/defined/q1")

    by_hand = {
        "policies/defined/short": lambda: broker.put("policies/defined/short", {"pattern": "^x", "definition": {"max-length": 1}}),
        "queues/defined/q1": delete_queue,
        "users/from-definitions": lambda: broker.delete("users/from-definitions"),
    }
    wanted = {"policies/defined/short": {"definition": {"max-length": 5}, "pattern": "^q"}}
    for path, change in by_hand.items():
        change()
        wait_until(f"{path} is put back", lambda path=path: has(broker, path, **wanted.get(path, {})), timeout=30)
    wait_condition(name, single_nodes, "Ready", "True")

    changed = {**DEFINITIONS, "policies": [{**DEFINITIONS["policies"][0], "definition": {"max-length": 6}}]}
    kubectl.apply(config_map(json.dumps(changed)), single_nodes)
    wait_until("the change arrives", lambda: has(broker, "policies/defined/short", definition={"max-length": 6}), timeout=30)


def test_definitions_are_imported_once_and_no_secret_is_told(name, single_nodes):
    kubectl.apply({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "defs"},
                   "data": {"d.json": base64.b64encode(json.dumps(DEFINITIONS).encode()).decode()}}, single_nodes)
    declare(name, single_nodes, secretRef={"name": "defs", "key": "d.json"})
    wait_condition(name, single_nodes, "Ready", "True")
    broker = clusters.broker(name, single_nodes)
    assert has(broker, "policies/defined/short")
    broker.delete("policies/defined/short")
    # The operator has looked since, and done what it had to do: what the spec says is put back.
    broker.delete("policies/%2F/both")
    wait_until("the spec's policy is put back", lambda: has(broker, "policies/%2F/both", definition={"max-length": 9}), timeout=30)
    with pytest.raises(ApiError) as gone:
        broker.get("policies/defined/short")
    assert gone.value.status == 404
    assert not kubectl.get("configmap", f"{name}-inventory", single_nodes)["data"]["definitions"] == ""
    told = installed.logs() + json.dumps(kubectl.list_all("events.events.k8s.io", single_nodes)) + json.dumps(
        kubectl.get("rabbit", name, single_nodes)) + json.dumps(kubectl.get("configmap", f"{name}-inventory", single_nodes))
    assert "s3cret-of-definitions" not in told


def test_a_vhost_that_moves_from_the_spec_to_definitions_stays_when_they_go(name, single_nodes):
    kubectl.apply(config_map(json.dumps({"vhosts": [{"name": "defined"}]})), single_nodes)
    kubectl.patch("rabbit", name, single_nodes, {"spec": {
        "policies": SPEC["policies"], "vhosts": [{"name": "defined", "onRemove": "Delete"}]}})
    wait_condition(name, single_nodes, "Ready", "True")
    broker = clusters.broker(name, single_nodes)
    assert has(broker, "vhosts/defined")
    kubectl.patch("rabbit", name, single_nodes, {"spec": {
        "vhosts": None, "definitions": {"configMapRef": {"name": "defs", "key": "d.json"}, "mode": "Keep"}}})
    wait_condition(name, single_nodes, "Ready", "True")

    def is_handed_on():
        vhosts = kubectl.get("configmap", f"{name}-inventory", single_nodes)["data"]["vhosts"]
        if "defined" in vhosts:
            raise NotYet(vhosts)
        return True
    wait_until("the record of the spec's vhost is dropped", is_handed_on, timeout=30)
    kubectl.patch("rabbit", name, single_nodes, {"spec": {"definitions": None}})
    wait_condition(name, single_nodes, "Ready", "True")
    broker.delete("policies/%2F/both")
    wait_until("the spec's policy is put back", lambda: has(broker, "policies/%2F/both", definition={"max-length": 9}), timeout=30)
    assert has(broker, "vhosts/defined")


@pytest.mark.parametrize("content, words", [("{", "is not JSON"), ('{"policies": [{"name": "p"}]}', "policies[0]: has no vhost"), (None, "does not exist")])
def test_what_is_wrong_with_definitions_is_said_and_the_rest_is_in_effect(single_nodes, content, words):
    name = "old"
    try:
        if content is not None:
            kubectl.apply(config_map(content), single_nodes)
        kubectl.patch("rabbit", name, single_nodes, {"spec": {
            "definitions": {"configMapRef": {"name": "defs", "key": "d.json"}}, "policies": SPEC["policies"]}})
        found = wait_condition(name, single_nodes, "TopologySynced", "False", "DefinitionsInvalid", timeout=30)
        assert f"spec.definitions: ConfigMap defs, key d.json: {words}" in found["message"]
        assert has(clusters.broker(name, single_nodes), "policies/%2F/both", definition={"max-length": 9})
    finally:
        kubectl.patch("rabbit", name, single_nodes, {"spec": {"definitions": None, "policies": None}})
        kubectl.delete("configmap", "defs", single_nodes)
    wait_condition(name, single_nodes, "Ready", "True")
