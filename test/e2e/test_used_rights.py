"""At the end of all other tests: what the operator may do is what it does."""

import pathlib

import pytest

import conftest
from lib import audit, installed, kubectl

# Granted and not used in these tests, with the reason why it is granted all the same.
UNUSED = {
    "update rabbitclusters/finalizers.rabbitcluster.dev": "servers that enforce rights on owner references that block deletion",
    "create pods/exec": "servers that take opening a websocket to a pod for a creation",
}


def granted(kind, namespace=None):
    rules = kubectl.get(kind, installed.NAME, namespace)["rules"]
    return {name(verb, resource, group) for rule in rules for group in rule["apiGroups"] for resource in rule["resources"] for verb in rule["verbs"]}


def name(verb, resource, group):
    return f"{verb} {resource}.{group}".rstrip(".")


def used(event):
    target = event["objectRef"]
    resource = "/".join(filter(None, (target["resource"], target.get("subresource"))))
    return name(event["verb"], resource, target.get("apiGroup", ""))


def code(event):
    return event.get("responseStatus", {}).get("code", 0)


@pytest.mark.last
def test_every_right_is_used_and_none_is_missing(request):
    files = {path.name for path in pathlib.Path(__file__).parent.glob("test_*.py")}
    session = request.session
    if request.config.stash[conftest.COLLECTED] != conftest.count(session.items) or {item.path.name for item in session.items} != files or session.testsfailed:
        pytest.skip("only after a whole run without a failure")
    events = [event for event in audit.events(user=installed.ACCOUNT) if "objectRef" in event]
    done = {used(event) for event in events if code(event) < 400}

    rights = granted("clusterrole") | granted("role", installed.NAMESPACE)
    assert rights - done - set(UNUSED) == set(), "granted, and never used"
    assert set(UNUSED) & done == set(), "used after all: no longer an exception"
    assert set(UNUSED) - rights == set(), "not granted any more"

    # An operator that is denied something says so at its start, and ends; what is left is the end of a namespace.
    denied = [event for event in events if code(event) == 403 and "because it is being terminated" not in event["responseStatus"].get("message", "")]
    assert audit.summary(denied) == []
