"""What the API server refuses by the rules that the CRD has in CEL, and with which words. Needs no node and no
operator: `cluster up --no-node --controllers`, the CRD, `run --kubeconfig FILE test_schema.py`. Nothing is kept but one
paused cluster, which the rules about changes are tried on."""

import re

import pytest

from lib import kubectl
from lib.clusters import ABSENT

MEMORY = "memory must be requested as it is limited"
OURS = "keys of app.kubernetes.io/ and rabbitcluster.dev/ belong to the operator"
UNEQUAL = {"requests": {"memory": "1Gi"}, "limits": {"memory": "2Gi"}}
REF = {"name": "some", "key": "key"}


def nested(path, value):
    """{"a": {"b": value}} of "a.b"."""
    for word in reversed(path.split(".")):
        value = {word: value}
    return value


# Of each rule: a spec that breaks it and no other, the field that the refusal names, and what it says.
BROKEN = [
    ({"replicas": 3, "ramNodes": 3}, "spec.ramNodes", "ramNodes must be less than replicas: one node at least keeps its data on disk"),
    ({"users": [{"name": "a"}], "binding": {"user": "b"}}, "spec.binding.user", "binding.user must be one of users"),
    ({"resources": UNEQUAL}, "spec.resources", MEMORY),
    ({"loadBalancer": {"resources": UNEQUAL}}, "spec.loadBalancer.resources", MEMORY),
    ({"env": [{"name": "A", "value": "1", "valueFrom": {"secretKeyRef": REF}}]}, "spec.env[0]", "must have value or valueFrom, not both"),
    ({"users": [{"name": "rabbit-operator"}]}, "spec.users[0].name", "must be another name than rabbit-operator, the operator's own user"),
    *[({"definitions": refs}, "spec.definitions", "must have exactly one of configMapRef and secretRef")
      for refs in ({}, {"configMapRef": REF, "secretRef": REF})],
    ({"tls": {"secretRef": {"name": "some"}, "clientAuth": "Require"}}, "spec.tls",
     "caSecretRef is required when clients are asked for certificates"),
    ({"loadBalancer": {"tls": {"mode": "Terminate"}}}, "spec.loadBalancer.tls", "secretRef is required with modes Terminate and Reencrypt"),
    *[({"loadBalancer": {"stats": {ref: REF}}}, "spec.loadBalancer.stats", "must have both of userSecretRef and passwordSecretRef, or neither")
      for ref in ("userSecretRef", "passwordSecretRef")],
    ({"loadBalancer": {"stats": {"port": 5672}}}, "spec.loadBalancer.stats.port", "must not be a port of the brokers' protocols"),
    ({"service": {"type": "NodePort", "loadBalancerClass": "some/class"}}, "spec.service.loadBalancerClass", "needs type LoadBalancer"),
    ({"service": {"type": "NodePort", "sourceRanges": ["10.0.0.0/8"]}}, "spec.service.sourceRanges", "needs type LoadBalancer"),
    ({"service": {"externalTrafficPolicy": "Local"}}, "spec.service.externalTrafficPolicy", "needs type NodePort or LoadBalancer"),
    *[(nested(path, {key: "mine"}), f"spec.{path}", OURS)
      for path in ("service.labels", "service.annotations", "pod.labels", "pod.annotations", "loadBalancer.pod.labels",
                   "loadBalancer.pod.annotations", "monitoring.labels")
      for key in ("app.kubernetes.io/name", "rabbitcluster.dev/cluster")],
]

# Field, and the durations between which it must be.
DURATIONS = [
    ("loadBalancer.healthCheck.interval", "100ms", "1h"),
    ("loadBalancer.healthCheck.timeout", "10ms", "1m"),
    ("loadBalancer.timeouts.connect", "10ms", "5m"),
    ("loadBalancer.timeouts.client", "1s", "168h"),
    ("loadBalancer.timeouts.server", "1s", "168h"),
    ("loadBalancer.stats.refresh", "1s", "1h"),
    ("loadBalancer.drainTime", "0s", "1h"),
    ("rollout.gateTimeout", "10s", "24h"),
    ("drift.interval", "1s", "1h"),
    ("monitoring.interval", "1s", "1h"),
]
# A millisecond beyond, where the field can say it: less than nothing it cannot.
BROKEN += [(nested(path, beyond), f"spec.{path}", f"must be between {least} and {most}") for path, least, most in DURATIONS
           for beyond in {"100ms": ["99ms"], "10ms": ["9ms"], "1s": ["999ms"], "10s": ["9s999ms"], "0s": []}[least] + [most + "1ms"]]

NAME_RULE = "metadata.name must be at most 47 lower-case letters, digits and '-', a letter first and no '-' last"
BAD_NAMES = ["a" * 48, "1a", "a.b"]  # what no object may have is not the rule's to refuse

MADE = {"size": "10Gi", "className": "fast", "ephemeral": False}
CHANGED = [
    ({**MADE, "className": "slow"}, "spec.storage.className", "storage.className must not change"),
    ({"size": "10Gi", "ephemeral": False}, "spec.storage.className", "storage.className must not change"),
    ({**MADE, "ephemeral": True}, "spec.storage.ephemeral", "storage.ephemeral must not change"),
]


def tried(name, spec, namespace):
    """[(field, words)] of the API server's refusal, none when it would take the object."""
    cluster = {"apiVersion": "rabbitcluster.dev/v1beta1", "kind": "RabbitCluster", "metadata": {"name": name}, "spec": spec}
    try:
        kubectl.apply(cluster, namespace, dry_run=True)
    except kubectl.KubectlError as error:
        assert " is invalid: " in error.stderr, error.stderr
        lines = error.stderr.split(" is invalid: ", 1)[1].strip().removeprefix("* ").split("\n* ")
        return [re.fullmatch(r"(.*?): Invalid value: (?:\".*?\"|[^\":{]*|\{.*\}): (.*)", line, re.DOTALL).groups() for line in lines]
    return []


def ids(rows):
    return [f"{number}-{row[1]}" for number, row in enumerate(rows)]


@pytest.fixture(scope="module")
def made(shared_namespace):
    """A cluster whose storage is MADE. Paused, so that no operator acts on it."""
    kubectl.apply({"apiVersion": "rabbitcluster.dev/v1beta1", "kind": "RabbitCluster", "metadata": {"name": "made"},
                   "spec": {"paused": True, "image": ABSENT, "storage": MADE}}, shared_namespace)
    return shared_namespace


@pytest.mark.parametrize("spec, field, words", BROKEN, ids=ids(BROKEN))
def test_a_spec_that_breaks_a_rule_is_refused_with_its_words(shared_namespace, spec, field, words):
    assert tried("broken", spec, shared_namespace) == [(field, words)]


@pytest.mark.parametrize("name", BAD_NAMES)
def test_a_name_that_breaks_the_rule_is_refused(shared_namespace, name):
    assert [words for _, words in tried(name, {}, shared_namespace)] == [NAME_RULE]


@pytest.mark.parametrize("storage, field, words", CHANGED, ids=ids(CHANGED))
def test_storage_is_not_changed(made, storage, field, words):
    assert tried("made", {"paused": True, "image": ABSENT, "storage": storage}, made) == [(field, words)]


def test_other_storage_is_taken_where_it_is_no_change(made):
    assert tried("made", {"paused": True, "image": ABSENT, "storage": {**MADE, "size": "10240Mi", "retention": {"whenDeleted": "Delete"}}}, made) == []
    assert tried("made", {"paused": True, "image": ABSENT, "storage": {**MADE, "size": "11Gi"}}, made) == []
    # Whether it is less than the volumes have only the operator knows: a growth may be taken back.
    assert tried("made", {"paused": True, "image": ABSENT, "storage": {**MADE, "size": "9Gi"}}, made) == []


@pytest.mark.parametrize("end", [1, 2], ids=["least", "most"])
def test_what_just_keeps_the_rules_is_taken(shared_namespace, end):
    equal = {"requests": {"memory": "1Gi"}, "limits": {"memory": "1024Mi"}}
    spec = {
        "replicas": 3, "ramNodes": 2, "users": [{"name": "a"}, {"name": "rabbit-operator2"}], "binding": {"user": "a"}, "resources": equal,
        "env": [{"name": "A", "value": "1"}, {"name": "B", "valueFrom": {"secretKeyRef": REF}}],
        "definitions": [{"configMapRef": REF}, {"secretRef": REF}][end - 1],
        "tls": {"secretRef": {"name": "some"}, "clientAuth": "Require", "caSecretRef": REF},
        "service": {"type": "LoadBalancer", "loadBalancerClass": "some/class", "sourceRanges": ["10.0.0.0/8"],
                    "externalTrafficPolicy": "Local", "labels": {"app": "mine"}, "annotations": {"kubernetes.io/app": "mine"}},
        "pod": {"labels": {"app": "mine"}, "annotations": {"example.com/rabbitcluster.dev": "mine"}}, "monitoring": {"labels": {"app": "mine"}},
        "loadBalancer": {"resources": equal, "tls": {"mode": "Terminate", "secretRef": {"name": "some"}},
                         "stats": {"port": 5673, "userSecretRef": REF, "passwordSecretRef": REF}, "pod": {"labels": {"app": "mine"}}},
    }
    for row in DURATIONS:
        *parts, last = row[0].split(".")
        part = spec
        for word in parts:
            part = part.setdefault(word, {})
        part[last] = row[end]
    assert tried("a" * 47, spec, shared_namespace) == []


def rules(schema, path=""):
    """(field, words) of all rules below a part of the schema, entries of lists as the first ones."""
    for rule in schema.get("x-kubernetes-validations", []):
        yield path + rule.get("fieldPath", ""), rule["message"]
    for name, field in schema.get("properties", {}).items():
        yield from rules(field, f"{path}.{name}" if path else name)
    for inner, suffix in ((schema.get("items"), "[0]"), (schema.get("additionalProperties"), ".*")):
        if isinstance(inner, dict):
            yield from rules(inner, path + suffix)


def test_every_rule_of_the_schema_is_tried():
    crd = kubectl.get("customresourcedefinition", "rabbitclusters.rabbitcluster.dev")
    (version,) = crd["spec"]["versions"]
    assert set(rules(version["schema"]["openAPIV3Schema"])) == {row[1:] for row in BROKEN + CHANGED} | {("", NAME_RULE)}
