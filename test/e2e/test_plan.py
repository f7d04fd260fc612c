"""`rabbit-operator plan`: what the operator would do, told before it does, and nothing written."""

import json
import subprocess

import pytest

from lib import clusters, kubectl
from lib.clusters import wait_condition
from lib.wait import NotYet, wait_until

BINARY = kubectl.ROOT / "build" / "release" / "bin" / "rabbit-operator"
POLICY = {"vhost": "/", "name": "short", "pattern": "^tmp", "applyTo": "queues", "definition": {"max-length": 100}}
CHANGED = {**POLICY, "definition": {"max-length": 200}}
PASSWORD = "plan-must-not-tell-this"


def plan(*arguments, objects=None):
    """Runs it on this host, where the broker is reached through the API server; `objects` are its file."""
    given = None if objects is None else json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})
    named = () if objects is None else ("--filename", "-")
    done = subprocess.run([BINARY, "plan", "--kubeconfig", kubectl.kubeconfig(), *arguments, *named], input=given, timeout=60,
                          capture_output=True, text=True, check=False, stdin=None if given is not None else subprocess.DEVNULL)
    assert PASSWORD not in done.stdout + done.stderr
    return done


def in_json(*arguments, objects=None):
    done = plan("--output", "json", *arguments, objects=objects)
    assert done.stdout, done.stderr
    found = json.loads(done.stdout)["clusters"]
    assert len(found) == 1
    return done.returncode, found[0]


def versions(namespace):
    """Of all that a plan could have written, in Kubernetes."""
    kinds = "rabbit,service,configmap,secret,serviceaccount,statefulset,deployment,poddisruptionbudget"
    return {(thing["kind"], thing["metadata"]["name"]): thing["metadata"]["resourceVersion"]
            for thing in json.loads(kubectl.kubectl("get", kinds, "-n", namespace, "-o", "json"))["items"]}


def declared(name, namespace):
    """The cluster as its owner has it in a file."""
    found = kubectl.get("rabbit", name, namespace)
    return {"apiVersion": found["apiVersion"], "kind": found["kind"], "metadata": {"name": name, "namespace": namespace},
            "spec": found["spec"]}


@pytest.fixture(params=["old", "new"])
def name(request, single_nodes):
    kubectl.patch("rabbit", request.param, single_nodes, {"spec": {"policies": [POLICY]}})
    wait_condition(request.param, single_nodes, "Ready", "True")
    yield request.param
    kubectl.patch("rabbit", request.param, single_nodes, {"spec": {"paused": None, "policies": None}})
    wait_condition(request.param, single_nodes, "Ready", "True")


def in_sync(name, namespace):
    code, found = in_json(name, "--namespace", namespace)
    if code != 0:  # a status may be about to be written, a proxy about to answer
        raise NotYet(found)
    return found


def test_of_a_cluster_in_sync_there_is_nothing_to_do_and_the_broker_was_looked_at(name, single_nodes):
    found = wait_until("an empty plan", lambda: in_sync(name, single_nodes), timeout=20)
    assert found["broker"]["seen"] and found["broker"]["by"].startswith("RabbitMQ "), found["broker"]
    assert found["steps"] == found["held"] == found["problems"] == found["waits"] == []
    done = plan(name, "--namespace", single_nodes)
    assert done.returncode == 0 and done.stdout.splitlines()[-1] == "nothing to do", done.stdout


def test_a_changed_policy_is_told_with_old_and_new_value_and_nothing_is_written(name, single_nodes):
    wait_until("an empty plan", lambda: in_sync(name, single_nodes), timeout=20)
    broker = clusters.broker(name, single_nodes)
    before = versions(single_nodes)
    changed = declared(name, single_nodes)
    changed["spec"]["policies"] = [CHANGED]

    code, found = in_json("--namespace", single_nodes, objects=[changed])
    assert code == 1
    assert found["declared"] == [{"path": "spec.policies[name=short].definition.max-length", "old": 100, "new": 200}]
    steps = [step for step in found["steps"] if step["step"] == "write policy short in vhost /"]
    assert len(steps) == 1 and steps[0]["action"] == "change", found["steps"]
    assert steps[0]["changes"] == [{"path": "definition.max-length", "old": 100, "new": 200}]
    text = plan("--namespace", single_nodes, objects=[changed])
    assert text.returncode == 1 and "definition.max-length: 100 -> 200" in text.stdout and "\033" not in text.stdout

    assert versions(single_nodes) == before
    assert broker.get("policies/%2F/short")["definition"] == {"max-length": 100}


def test_what_was_changed_by_hand_and_is_held_back_is_told(name, single_nodes):
    broker = clusters.broker(name, single_nodes)
    kubectl.patch("rabbit", name, single_nodes, {"spec": {"paused": True}})
    generation = kubectl.get("rabbit", name, single_nodes)["metadata"]["generation"]
    wait_until("the operator pauses", lambda: clusters.status(name, single_nodes).get("observedGeneration") == generation, timeout=20)
    broker.put("policies/%2F/short", {"pattern": "^mine", "apply-to": "queues", "definition": {"max-length": 100}})
    code, found = in_json(name, "--namespace", single_nodes)
    assert code == 1 and found["paused"] and found["steps"] == []
    assert [step["changes"] for step in found["held"]] == [[{"path": "pattern", "old": "^mine", "new": "^tmp"}]]
    assert broker.get("policies/%2F/short")["pattern"] == "^mine"


def test_a_new_cluster_of_a_file_shows_what_is_made_of_it(namespace):
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "root"}, "stringData": {"password": PASSWORD}}
    cluster = clusters.small("fresh", clusters.ABSENT,
                             users=[{"name": "root", "passwordSecretRef": {"name": "root", "key": "password"}}])
    before = versions(namespace)
    code, found = in_json("--namespace", namespace, objects=[secret, cluster])
    assert code == 1 and found["new"]
    steps = [step["step"] for step in found["steps"]]
    assert steps.index("create ConfigMap fresh-inventory") < steps.index("create StatefulSet fresh-node")
    assert all(step["action"] == "create" for step in found["steps"] if step["step"].startswith("create "))
    assert versions(namespace) == before and kubectl.get("rabbit", "fresh", namespace) is None


@pytest.mark.parametrize("change, told", [
    ({"replicas": 1000}, "spec.replicas"),
    ({"replica": 3}, 'unknown field "spec.replica"'),
])
def test_what_the_api_server_refuses_is_one_line_and_exit_code_2(namespace, change, told):
    cluster = clusters.small("bad", clusters.ABSENT)
    cluster["spec"].update(change)
    done = plan("--namespace", namespace, objects=[cluster])
    assert done.returncode == 2 and done.stdout == ""
    assert len(done.stderr.splitlines()) == 1 and done.stderr.startswith("rabbit-operator: ") and told in done.stderr


def test_a_file_that_is_none_is_one_line_and_exit_code_2(tmp_path):
    bad = tmp_path / "bad.yaml"
    bad.write_text("a: [b\n")
    for file in (bad, tmp_path / "absent.yaml"):
        done = plan("--filename", file)
        assert done.returncode == 2 and done.stdout == ""
        assert len(done.stderr.splitlines()) == 1 and str(file) in done.stderr


def test_who_may_not_forward_ports_gets_the_plan_of_the_children(single_nodes, tmp_path):
    # `*` would grant pods/portforward, too.
    resources = ["rabbitclusters", "services", "configmaps", "secrets", "serviceaccounts", "statefulsets", "deployments",
                 "poddisruptionbudgets", "pods", "persistentvolumeclaims"]
    rules = [{"apiGroups": ["*"], "resources": resources, "verbs": ["get", "list", "watch"]}]
    subject = {"kind": "ServiceAccount", "name": "reader", "namespace": single_nodes}
    role = "rbac.authorization.k8s.io"
    kubectl.apply([
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "reader"}},
        {"apiVersion": f"{role}/v1", "kind": "Role", "metadata": {"name": "reader"}, "rules": rules},
        {"apiVersion": f"{role}/v1", "kind": "RoleBinding", "metadata": {"name": "reader"},
         "roleRef": {"apiGroup": role, "kind": "Role", "name": "reader"}, "subjects": [subject]}], single_nodes)
    try:
        token = kubectl.kubectl("create", "token", "reader", "-n", single_nodes).strip()
        view = json.loads(kubectl.kubectl("config", "view", "--raw", "--flatten", "-o", "json"))
        config = tmp_path / "config"
        config.write_text(json.dumps({
            "current-context": "c", "clusters": view["clusters"][:1], "users": [{"name": "u", "user": {"token": token}}],
            "contexts": [{"name": "c", "context": {"cluster": view["clusters"][0]["name"], "user": "u", "namespace": single_nodes}}]}))
        done = subprocess.run([BINARY, "plan", "--kubeconfig", config, "old"], capture_output=True, text=True, timeout=60,
                              check=False, stdin=subprocess.DEVNULL)
        assert done.returncode == 2, done.stdout + done.stderr
        assert "broker not looked at: " in done.stdout and "pods/portforward" in done.stdout and "the operator would" not in done.stdout
    finally:
        for kind in ("rolebinding", "role", "serviceaccount"):
            kubectl.delete(kind, "reader", single_nodes)
