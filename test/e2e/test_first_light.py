"""The example, from `kubectl apply` to `kubectl delete`, seen from outside. The tests build upon each
other, in this order, on one cluster. It is in a namespace of its own: one that `./dev up` made, of the
same name, may live beside it."""

import re
import time

import pytest

from lib import amqp, haproxy, kubectl, management
from lib.management import quoted
from lib.wait import NotYet, wait_until

NAME = "rabbitcluster"
NAMESPACE = "e2e-first-light"
OVERLAY = kubectl.ROOT / "test" / "e2e" / "overlays" / "example"


def example():
    return kubectl.kubectl("kustomize", "--load-restrictor=LoadRestrictionsNone", OVERLAY)


def cluster():
    return kubectl.get("rabbit", NAME, NAMESPACE)


@pytest.fixture(scope="module")
def ready(shared_namespace):
    assert shared_namespace == NAMESPACE
    kubectl.kubectl("apply", "-f", "-", "-n", NAMESPACE, stdin=example())
    kubectl.kubectl("wait", "--for=condition=Ready", f"rabbit/{NAME}", "-n", NAMESPACE, "--timeout=240s", timeout=250)


@pytest.fixture
def user(ready):
    return kubectl.secret(f"{NAME}-default-user", NAMESPACE)


@pytest.fixture
def broker(user):
    return management.Management(kubectl.service_address(f"{NAME}-brokers", NAMESPACE), user["username"], user["password"])


@pytest.fixture
def address(ready):
    return kubectl.service_address(NAME, NAMESPACE)


def declare(broker, name):
    broker.put(f"queues/{quoted('/')}/{name}", {"durable": True})


def queue(broker, name):
    columns = "name,policy,slave_nodes,synchronised_slave_nodes"
    return next(q for q in broker.get(f"queues/{quoted('/')}?disable_stats=true&columns={columns}") if q["name"] == name)


def policy(broker):
    return broker.get(f"policies/{quoted('/')}/half")


def test_three_running_nodes_form_one_cluster_of_the_declared_name(broker):
    nodes = broker.get("nodes")
    assert sorted(node["name"] for node in nodes) == [f"rabbit@{NAME}-node-{i}.{NAME}-nodes.{NAMESPACE}" for i in range(3)]
    assert all(node["running"] for node in nodes)
    assert broker.get("cluster-name")["name"] == "rabbitcluster"


def test_the_policy_is_at_the_broker_with_an_integer(broker):
    found = policy(broker)
    assert found["pattern"] == "^queue.*1$" and found["apply-to"] == "queues"
    assert found["definition"] == {"ha-mode": "exactly", "ha-params": 2}
    assert type(found["definition"]["ha-params"]) is int


def test_the_declared_user_logs_in_with_the_password_of_the_secret(broker):
    password = kubectl.secret("rabbit-root", NAMESPACE)["password"]
    as_root = management.Management(kubectl.service_address(f"{NAME}-brokers", NAMESPACE), "root", password)
    assert as_root.get("whoami")["tags"] in ("administrator", ["administrator"])
    assert broker.get(f"permissions/{quoted('/')}/root")["read"] == ".*"
    assert broker.get(f"permissions/{quoted('/')}/root")["write"] == "^$"


def test_a_queue_that_the_policy_matches_gets_one_mirror_in_sync(broker):
    declare(broker, "queue_1")
    declare(broker, "queue_2")
    mirrored = wait_until("a mirror of queue_1 in sync", lambda: (
        q := queue(broker, "queue_1")) and len(q.get("synchronised_slave_nodes", [])) == 1 and q)
    assert mirrored["policy"] == "half"
    assert not queue(broker, "queue_2").get("slave_nodes")
    wait_until("the status counts it", lambda: cluster()["status"]["summary"]["mirrors"] == "1/1", timeout=90)


def test_messages_go_through_the_service_and_none_is_lost(address, user):
    with amqp.Publisher(address, "queue_1", user["username"], user["password"], interval=0.005) as publisher:
        wait_until("200 confirms", lambda: len(publisher.confirmed) >= 200, interval=0.1)
    assert not publisher.failures
    assert not publisher.confirmed - amqp.consume_all(address, "queue_1", user["username"], user["password"])


def test_the_service_leads_to_the_proxies(ready):
    slices = kubectl.list_all("endpointslice", NAMESPACE, f"kubernetes.io/service-name={NAME}")
    targets = sorted(e["targetRef"]["name"] for s in slices for e in s["endpoints"])
    assert len(targets) == 2 and all(t.startswith(f"{NAME}-haproxy-") for t in targets)


def test_the_statistics_page_shows_three_servers_up(ready):
    rows = haproxy.statistics(kubectl.service_address(f"{NAME}-haproxy-admin", NAMESPACE))
    assert haproxy.servers(rows) == {f"{NAME}-node-{i}": "UP" for i in range(3)}


def test_the_columns(ready):
    head, row = (re.split(r"\s{2,}", line.strip()) for line in kubectl.kubectl("get", "rabbit", NAME, "-n", NAMESPACE).splitlines())
    shown = dict(zip(head, row))
    assert shown["NODES"] == "3/3" and shown["PROXIES"] == "2/2" and shown["READY"] == "True"
    assert shown["VERSION"].startswith("3.10.") and shown["CLUSTER"] == "rabbitcluster"


def test_an_edit_of_the_policy_arrives(broker):
    changed = example().replace("ha-params: 2", "ha-params: 1")
    assert changed != example()
    kubectl.kubectl("apply", "-f", "-", "-n", NAMESPACE, stdin=changed)
    wait_until("ha-params 1 at the broker", lambda: policy(broker)["definition"]["ha-params"] == 1, timeout=10, interval=0.1)
    kubectl.kubectl("apply", "-f", "-", "-n", NAMESPACE, stdin=example())
    wait_until("ha-params 2 at the broker", lambda: policy(broker)["definition"]["ha-params"] == 2, timeout=10, interval=0.1)


def test_what_is_changed_by_hand_at_the_broker_is_put_back(broker):
    broker.put("cluster-name", {"name": "by-hand"})
    wait_until("the name is back", lambda: broker.get("cluster-name")["name"] == "rabbitcluster", timeout=40)
    broker.put(f"policies/{quoted('/')}/half", {"pattern": "^x", "definition": {"max-length": 1}})
    wait_until("the policy is back", lambda: policy(broker)["pattern"] == "^queue.*1$", timeout=40)
    broker.delete(f"policies/{quoted('/')}/half")
    wait_until("the policy is there again", lambda: policy(broker)["pattern"] == "^queue.*1$", timeout=40)
    events = wait_until("an Event that says so", lambda: [
        e for e in kubectl.list_all("events.events.k8s.io", NAMESPACE) if e["regarding"]["name"] == NAME and "by-hand" in e["note"]])
    assert events


def test_what_is_changed_by_hand_at_a_child_is_put_back(ready):
    kubectl.patch("service", f"{NAME}-brokers", NAMESPACE, {"spec": {"ports": [{"name": "amqp", "port": 1234}]}})
    wait_until("the Service is back", lambda: 5672 in [
        p["port"] for p in kubectl.get("service", f"{NAME}-brokers", NAMESPACE)["spec"]["ports"]], timeout=20)
    kubectl.delete("configmap", f"{NAME}-haproxy", NAMESPACE)
    wait_until("the ConfigMap is there again", lambda: kubectl.get("configmap", f"{NAME}-haproxy", NAMESPACE), timeout=20)
    kubectl.patch("poddisruptionbudget", f"{NAME}-node", NAMESPACE, {"spec": {"maxUnavailable": 3}})
    kubectl.patch("serviceaccount", f"{NAME}-node", NAMESPACE, {"automountServiceAccountToken": True})
    wait_until("the budget is back", lambda: kubectl.get("poddisruptionbudget", f"{NAME}-node", NAMESPACE)["spec"]["maxUnavailable"] == 1, timeout=20)
    wait_until("the account is back", lambda: kubectl.get(
        "serviceaccount", f"{NAME}-node", NAMESPACE)["automountServiceAccountToken"] is False, timeout=20)


def test_a_killed_node_comes_back(broker):
    victim = f"{NAME}-node-1"
    before = kubectl.get("pod", victim, NAMESPACE)["metadata"]["uid"]
    kubectl.kubectl("delete", "pod", victim, "-n", NAMESPACE, "--force", "--grace-period=0", timeout=120)
    wait_until("another pod that is ready", lambda: (pod := kubectl.get("pod", victim, NAMESPACE)) and
               pod["metadata"]["uid"] != before and kubectl.is_true(pod, "Ready"), timeout=120)
    wait_until("three running nodes", lambda: sum(n["running"] for n in broker.get("nodes")) == 3, timeout=30)
    kubectl.kubectl("wait", "--for=condition=Ready", f"rabbit/{NAME}", "-n", NAMESPACE, "--timeout=120s", timeout=130)


def test_nothing_is_written_when_nothing_is_to_be_done(ready):
    from lib import audit
    time.sleep(5)  # what the last test left behind settles
    since = audit.position()
    time.sleep(20)
    writes = [e for e in audit.events(since, "system:serviceaccount:rabbit-operator-system:rabbit-operator")
              if e["verb"] in ("create", "update", "patch", "delete") and e["objectRef"]["resource"] != "leases"]
    assert audit.summary(writes) == []


def test_a_spec_that_breaks_a_rule_changes_nothing(ready):
    with pytest.raises(kubectl.KubectlError) as refused:
        kubectl.patch("rabbit", NAME, NAMESPACE, {"spec": {"replicas": 0}})
    assert "replicas" in refused.value.stderr
    pods = kubectl.list_all("pod", NAMESPACE)
    kubectl.patch("rabbit", NAME, NAMESPACE, {"spec": {"config": "cluster_name = mine"}})  # no schema can say this
    stalled = wait_until("Stalled", lambda: kubectl.is_true(cluster(), "Stalled") and kubectl.condition(cluster(), "Stalled"), timeout=20)
    assert stalled["reason"] == "InvalidSpec" and "cluster_name" in stalled["message"] and "spec.config" in stalled["message"]
    assert [p["metadata"]["uid"] for p in kubectl.list_all("pod", NAMESPACE)] == [p["metadata"]["uid"] for p in pods]
    kubectl.patch("rabbit", NAME, NAMESPACE, {"spec": {"config": None}})
    kubectl.kubectl("wait", "--for=condition=Ready", f"rabbit/{NAME}", "-n", NAMESPACE, "--timeout=60s", timeout=70)


def test_scaling_down_is_refused_with_a_reason(ready):
    kubectl.kubectl("scale", f"rabbit/{NAME}", "-n", NAMESPACE, "--replicas=2")
    wait_until("a condition that says so", lambda: any(
        c["reason"] == "ScaleDownRefused" and "3" in c["message"] for c in cluster()["status"]["conditions"]), timeout=20)
    assert kubectl.get("statefulset", f"{NAME}-node", NAMESPACE)["spec"]["replicas"] == 3
    kubectl.kubectl("scale", f"rabbit/{NAME}", "-n", NAMESPACE, "--replicas=3")
    kubectl.kubectl("wait", "--for=condition=Ready", f"rabbit/{NAME}", "-n", NAMESPACE, "--timeout=60s", timeout=70)


def test_delete_leaves_what_retention_keeps(ready):
    kinds = ",".join(kubectl.kubectl("api-resources", "--namespaced", "--verbs=list", "--output=name").split())

    def left():
        """All there is in the namespace, whoever made it, but what every namespace has."""
        names = kubectl.kubectl("get", kinds, "-n", NAMESPACE, "--output=name").split()
        return {name for name in names if not name.startswith(("event/", "event.events.k8s.io/"))} - {
            "serviceaccount/default", "configmap/kube-root-ca.crt"}

    def kept():
        """What is to stay, each with what it was: a disk made anew or another password would be none that stayed."""
        disks = {c["metadata"]["name"]: (c["metadata"]["uid"], c["spec"]["volumeName"])
                 for c in kubectl.list_all("persistentvolumeclaim", NAMESPACE)}
        secrets = {s["metadata"]["name"]: (s["metadata"]["uid"], s["data"]) for s in kubectl.list_all("secret", NAMESPACE)}
        return disks, secrets

    before = kept()
    assert set(before[0]) == {f"data-{NAME}-node-{i}" for i in range(3)}
    assert set(before[1]) == {f"{NAME}-erlang-cookie", f"{NAME}-operator-user", f"{NAME}-default-user", "rabbit-root"}
    kubectl.kubectl("delete", "rabbit", NAME, "-n", NAMESPACE, "--timeout=120s", timeout=130)
    expected = {f"persistentvolumeclaim/{name}" for name in before[0]} | {f"secret/{name}" for name in before[1]}

    def only_what_is_kept():
        there = left()
        if there != expected:
            raise NotYet(f"too many: {sorted(there - expected)}, too few: {sorted(expected - there)}")
        return True

    wait_until("nothing left but disks and Secrets", only_what_is_kept, timeout=120)
    assert kept() == before
