"""`rabbit-operator import` says what a broker holds, and what it says changes nothing there."""

import base64
import json
import os
import subprocess

import pytest

from lib import clusters, kubectl
from lib.clusters import wait_condition
from lib.management import ApiError
from lib.wait import NotYet, wait_until

BINARY = kubectl.ROOT / "build" / "release" / "bin" / "rabbit-operator"
PASSWORD = "as \"good\" as any 用"
OWN = {"name": "e2e-import-own", "key": "password"}
VHOST = "import/é 100% \"集群\" 🐇"
USER = "clerk/ü % \"q\" 🐇"
MADE = {"name": "made"}  # the operator made its password
NOTHING = {"vhosts": None, "users": [MADE], "policies": None, "operatorPolicies": None}


def declared(name):
    vhost = {"name": VHOST, "description": "of: the \"shop\" # 1", "tags": ["eu", "shop"], "limits": {"maxConnections": 7, "maxQueues": 3}}
    if name not in ("oldest", "old"):
        vhost["defaultQueueType"] = "Quorum"
    permissions = [{"vhost": VHOST, "configure": "^$", "write": "^(a|b)\\.", "read": ".*"}]
    topics = [{"vhost": VHOST, "exchange": "amq.topic", "write": "^eu\\.", "read": "^\"x\"$"}]
    definition = {"max-length": 100, "overflow": "reject-publish", "dead-letter-routing-key": "1"}
    user = {"name": USER, "passwordSecretRef": OWN, "tags": ["monitoring"], "permissions": permissions, "topicPermissions": topics}
    if name != "oldest":  # has no limits of users
        user["limits"] = {"maxConnections": 5, "maxChannels": 50}
    return {
        "vhosts": [vhost],
        "users": [user, {"name": "yes", "passwordSecretRef": OWN}, MADE],
        "policies": [{"vhost": VHOST, "name": "100% / \"p\" 用", "pattern": "^tmp", "applyTo": "queues", "priority": 3, "definition": definition}],
        "operatorPolicies": [{"vhost": "/", "name": "1e3", "pattern": "^\"", "applyTo": "queues", "priority": 0, "definition": {"expires": 60000}}],
    }


def secret(name, key):
    data = {key: base64.b64encode(PASSWORD.encode()).decode()}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "data": data}


def import_from(url, user, password):
    environment = {**os.environ, "RABBITMQ_USERNAME": user, "RABBITMQ_PASSWORD": password}
    return subprocess.run([BINARY, "import", "--from", url, "--name", "imported"], env=environment,
                          capture_output=True, text=True, timeout=30, check=False, stdin=subprocess.DEVNULL)


@pytest.fixture(params=["oldest", "old", "new", "newest"])
def name(request, standing, single_nodes):
    standing(request.param)
    kubectl.apply([secret(OWN["name"], OWN["key"])], single_nodes)
    kubectl.patch("rabbit", request.param, single_nodes, {"spec": declared(request.param)})
    wait_condition(request.param, single_nodes, "Ready", "True")
    yield request.param
    kubectl.patch("rabbit", request.param, single_nodes, {"spec": {**NOTHING, "clusterName": None}})
    wait_condition(request.param, single_nodes, "Ready", "True")


def everything(broker):
    """All that the document may speak of, as the broker says it."""
    lists = ("users", "permissions", "topic-permissions", "user-limits", "vhost-limits", "policies", "operator-policies")
    paths = (*lists, "vhosts?disable_stats=true&columns=name,description,tags,default_queue_type")
    found = {path: sorted(list_of(broker, path), key=json.dumps) for path in paths}
    return {**found, "name": broker.get("cluster-name")}


def list_of(broker, path):
    try:
        return broker.get(path)
    except ApiError as error:
        assert error.status == 404 and path == "user-limits"  # 3.8 has none
        return []


def plan_of(document, namespace, *arguments):
    line = [BINARY, "plan", "--kubeconfig", kubectl.kubeconfig(), "--namespace", namespace, "--filename", "-", *arguments]
    return subprocess.run(line, input=json.dumps(document), capture_output=True, text=True, timeout=60, check=False)


def is_empty(done):
    if done.returncode != 0:  # a status may be about to be written, a proxy about to answer
        raise NotYet(done.stdout + done.stderr)
    return done.stdout.endswith("nothing to do\n")


def by_name(entries):
    return {entry["name"]: entry for entry in entries}


def test_what_was_declared_is_what_is_imported_and_changes_nothing(name, single_nodes):
    broker = clusters.broker(name, single_nodes)
    login = kubectl.secret(f"{name}-default-user", single_nodes)
    with kubectl.port_forward(f"pod/{name}-node-0", single_nodes, 15672) as port:
        done = import_from(f"http://localhost:{port}", login["username"], login["password"])
    assert done.returncode == 0, done.stderr
    for user in ("default", "rabbit-operator"):  # belong to the operator
        assert f'left out: user "{user}"' in done.stderr
    assert len(done.stderr.splitlines()) == 2, done.stderr
    assert login["password"] not in done.stdout + done.stderr and PASSWORD not in done.stdout + done.stderr

    document = json.loads(kubectl.kubectl("create", "--dry-run=client", "--output=json", "--filename=-", stdin=done.stdout))
    spec, wanted = document["spec"], declared(name)
    assert document["metadata"]["name"] == "imported"
    assert (spec["replicas"], spec["clusterName"]) == (1, name)
    vhosts = by_name(spec["vhosts"])
    # A broker with a type of its own for vhosts that name none says that one.
    assert {key: vhosts[VHOST][key] for key in wanted["vhosts"][0]} == wanted["vhosts"][0]
    assert spec["policies"] == wanted["policies"]
    assert spec["operatorPolicies"] == wanted["operatorPolicies"]
    users = by_name(spec["users"])
    assert set(users) == {USER, "yes", "made"}
    for user in wanted["users"]:
        reference = users[user["name"]]["passwordSecretRef"]
        assert users[user["name"]] == {**user, "passwordSecretRef": reference}
    series = ".".join(broker.get("overview")["rabbitmq_version"].split(".")[:2])
    assert f"# image: rabbitmq:{series}-management" in done.stdout
    kubectl.apply(done.stdout, single_nodes, dry_run=True)  # by the rules of the CRD

    # Into the very cluster that it was read from, with the Secrets that it asks for.
    ours = [user for user in spec["users"] if user["name"] != "made"]
    kubectl.apply([secret(**user["passwordSecretRef"]) for user in ours], single_nodes)
    before = everything(broker)
    lists = {key: spec[key] for key in ("clusterName", "vhosts", "policies", "operatorPolicies")} | {"users": [*ours, MADE]}
    current = kubectl.get("rabbit", name, single_nodes)
    whole = {key: document[key] for key in ("apiVersion", "kind")} | {"metadata": {"name": name}, "spec": {**current["spec"], **lists}}
    # What is declared changes (where its passwords lie, and defaults that are said now), and nothing at the broker.
    found = json.loads(plan_of(whole, single_nodes, "--output", "json").stdout)["clusters"][0]
    assert found["declared"] and found["broker"]["seen"], found
    assert [step["step"] for step in found["steps"] if " ConfigMap " not in step["step"]] == []  # C-inventory may list more
    assert found["problems"] == []
    kubectl.patch("rabbit", name, single_nodes, {"spec": lists})
    wait_condition(name, single_nodes, "Ready", "True")
    assert everything(broker) == before
    # In effect, it is nothing but what there is.
    wait_until("an empty plan", lambda: is_empty(plan_of(whole, single_nodes)), timeout=20)
    assert everything(broker) == before


def test_who_is_asked_in_vain_is_told_on_one_line(single_nodes):
    address = kubectl.pod_address("old-node-0", single_nodes)
    login = kubectl.secret("old-default-user", single_nodes)

    def refused(url, user, password):
        done = import_from(url, user, password)
        assert (done.returncode, done.stdout) == (1, "")
        assert len(done.stderr.splitlines()) == 1
        return done.stderr

    url = f"http://{address}:15672"
    assert "refuses user nobody with this password" in refused(url, "nobody", "x")
    assert "no management API of RabbitMQ" in refused(f"{url}/elsewhere", login["username"], login["password"])
    assert "cannot be reached" in refused(f"http://{address}:15673", "x", "x")


def test_a_user_who_may_not_read_users_is_told_which_tag_it_needs(name, single_nodes):
    address = kubectl.pod_address(f"{name}-node-0", single_nodes)
    done = import_from(f"http://{address}:15672", USER, PASSWORD)
    assert (done.returncode, done.stdout) == (1, "")
    assert "needs the tag administrator" in done.stderr
