"""What `kubectl delete rabbitcluster` leaves, and what comes of it when the same is applied again."""

from lib import amqp, kubectl
from lib.clusters import ABSENT, SINGLE_NODES, small, wait_condition
from lib.wait import wait_until

GOES = ("statefulset", "deployment", "service", "configmap", "serviceaccount", "poddisruptionbudget", "pod", "endpointslice")


def names(kind, name, namespace):
    return {each["metadata"]["name"] for each in kubectl.list_all(kind, namespace, f"app.kubernetes.io/instance={name}")}


def delete(name, namespace):
    kubectl.delete("rabbit", name, namespace)
    for kind in GOES:
        wait_until(f"no {kind}", lambda k=kind: not names(k, name, namespace), timeout=60)


def claims(namespace):
    return {c["metadata"]["name"]: c["metadata"]["uid"] for c in kubectl.list_all("persistentvolumeclaim", namespace)}


def test_retained_disks_come_back_with_their_messages(single_nodes):
    user = kubectl.secret("old-default-user", single_nodes)
    login = user["username"], user["password"]
    secrets = {each: kubectl.secret(each, single_nodes) for each in names("secret", "old", single_nodes)}
    assert len(secrets) == 4  # cookie, operator, default user, the declared user
    disks = claims(single_nodes)
    assert set(disks) >= {"data-old-node-0", "data-new-node-0"}
    with amqp.Publisher(kubectl.service_address("old", single_nodes), "orders", *login) as publisher:
        wait_until("100 confirms", lambda: len(publisher.confirmed) >= 100, interval=0.1)

    delete("old", single_nodes)
    assert claims(single_nodes) == disks
    assert names("secret", "old", single_nodes) == set(secrets)

    kubectl.apply(SINGLE_NODES[0], single_nodes)
    wait_condition("old", single_nodes, "Ready", "True", timeout=180)
    assert claims(single_nodes) == disks
    assert {each: kubectl.secret(each, single_nodes) for each in secrets} == secrets
    assert amqp.consume_all(kubectl.service_address("old", single_nodes), "orders", *login) >= publisher.confirmed


def test_without_retention_nothing_is_left(namespace):
    def left():
        found = {kind: names(kind, "gone", namespace) for kind in (*GOES, "persistentvolumeclaim", "secret")}
        return {kind: there for kind, there in found.items() if there}

    def declare(when_deleted):
        storage = {"size": "1Gi", "retention": {"whenDeleted": when_deleted}}
        kubectl.apply(small("gone", ABSENT, users=[{"name": "made"}], storage=storage), namespace)

    def owned_secrets():
        found = kubectl.list_all("secret", namespace, "app.kubernetes.io/instance=gone")
        return len([each for each in found if each["metadata"].get("ownerReferences")])

    # Made to be retained, then not: what would have stayed goes as well.
    declare("Retain")
    wait_until("disk and Secrets", lambda: names("persistentvolumeclaim", "gone", namespace) == {"data-gone-node-0"}
               and len(names("secret", "gone", namespace)) == 4)
    assert owned_secrets() == 0
    declare("Delete")
    wait_until("Secrets that go with the cluster", lambda: owned_secrets() == 4)
    declare("Retain")
    wait_until("Secrets that stay", lambda: owned_secrets() == 0)
    declare("Delete")
    wait_until("Secrets that go with the cluster", lambda: owned_secrets() == 4)
    wait_until("the pod", lambda: names("pod", "gone", namespace))
    kubectl.delete("rabbit", "gone", namespace)
    wait_until("nothing left", lambda: not left(), timeout=60)
