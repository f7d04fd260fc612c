"""What a cluster of three nodes must survive. The tests share one, on RabbitMQ 4.0, and leave it Ready."""

import contextlib

import pytest

from lib import amqp, installed, kubectl
from lib.clusters import NEW, OLD, broker_at, node_uids, small, status, wait_condition
from lib.wait import wait_until

NAME = "three"
PODS = [f"{NAME}-node-{i}" for i in range(3)]


@pytest.fixture(scope="module")
def three(shared_namespace):
    kubectl.apply(small(NAME, NEW, replicas=3, drift={"interval": "2s"}), shared_namespace)
    wait_condition(NAME, shared_namespace, "Ready", "True", timeout=240)
    return shared_namespace


def node_name(pod, namespace):
    return f"rabbit@{pod}.{NAME}-nodes.{namespace}"


def seen_by(pod, namespace):
    """What one node takes for the cluster: each member, and whether it runs."""
    nodes = broker_at(kubectl.pod_address(pod, namespace), NAME, namespace).get("nodes")
    return {node["name"]: node["running"] for node in nodes}


def wait_until_the_new_template_was_seen(namespace):
    """From then on the StatefulSet's controller would have restarted pods, if it was to."""
    def seen():
        found = kubectl.get("statefulset", f"{NAME}-node", namespace)
        return found["status"]["observedGeneration"] == found["metadata"]["generation"]
    wait_until("the StatefulSet's controller has seen the template", seen, interval=0.1)


def test_a_changed_image_restarts_nobody(three):
    before = node_uids(NAME, three)
    kubectl.patch("rabbit", NAME, three, {"spec": {"image": OLD}})
    found = wait_condition(NAME, three, "NodesReady", "False", "RestartPending", timeout=30)
    assert OLD in found["message"] and NEW in found["message"] and PODS[0] in found["message"]
    wait_condition(NAME, three, "Stalled", "True", "RestartPending", timeout=10)
    wait_condition(NAME, three, "Available", "True", timeout=10)
    template = kubectl.get("statefulset", f"{NAME}-node", three)["spec"]["template"]
    assert template["spec"]["containers"][0]["image"] == OLD  # so only the partition holds the pods
    wait_until_the_new_template_was_seen(three)
    assert node_uids(NAME, three) == before

    kubectl.patch("rabbit", NAME, three, {"spec": {"image": NEW}})
    wait_condition(NAME, three, "Ready", "True", timeout=30)
    wait_until_the_new_template_was_seen(three)
    assert node_uids(NAME, three) == before


def test_a_lost_cookie_is_told_and_not_replaced(three):
    secret = f"{NAME}-erlang-cookie"
    before = node_uids(NAME, three)
    copy = kubectl.get("secret", secret, three)
    copy["metadata"] = {key: copy["metadata"][key] for key in ("name", "labels", "annotations") if key in copy["metadata"]}
    kubectl.delete("secret", secret, three)
    installed.restart()  # one that runs looks at its own Secrets every ten minutes
    try:
        found = wait_condition(NAME, three, "Stalled", "True", "SecretLost", timeout=30)
        assert secret in found["message"]
        assert kubectl.get("secret", secret, three) is None
    finally:
        kubectl.apply(copy, three)
    wait_condition(NAME, three, "Ready", "True", timeout=60)
    assert kubectl.get("secret", secret, three)["data"] == copy["data"]
    assert node_uids(NAME, three) == before


def test_a_blank_disk_is_held_until_the_old_member_is_forgotten(three):
    """Of node 0: the one from which a cluster forms."""
    lost, survivors = PODS[0], PODS[1:]
    user = kubectl.secret(f"{NAME}-default-user", three)
    address = kubectl.service_address(NAME, three)
    disks = {node["name"]: node["volumeUID"] for node in status(NAME, three)["nodes"]}
    uid = kubectl.get("pod", lost, three)["metadata"]["uid"]
    members = {node_name(pod, three) for pod in PODS}

    with amqp.Publisher(address, "orders", user["username"], user["password"], arguments={"x-queue-type": "quorum"}) as publisher:
        wait_until("confirms", lambda: len(publisher.confirmed) >= 50, interval=0.1)
        kubectl.delete("persistentvolumeclaim", f"data-{lost}", three, wait=False)
        kubectl.kubectl("delete", "pod", lost, "-n", three, "--grace-period=1", "--wait=false")
        wait_until("another pod", lambda: kubectl.get("pod", lost, three)["metadata"]["uid"] != uid)

        found = wait_condition(NAME, three, "NodesReady", "False", "LostDisk", timeout=60)
        assert lost in found["message"] and node_name(lost, three) in found["message"]
        wait_condition(NAME, three, "Stalled", "True", "LostDisk", timeout=10)

        # The others go on.
        confirmed = len(publisher.confirmed)
        wait_until("more confirms", lambda: len(publisher.confirmed) >= confirmed + 100, interval=0.1)
        wait_condition(NAME, three, "Available", "True", timeout=30)
        for pod in survivors:
            assert seen_by(pod, three) == {name: name != node_name(lost, three) for name in members}

        # Meanwhile it waits, and serves nobody.
        held = kubectl.get("pod", lost, three)
        assert "held: this disk is blank" in kubectl.logs(lost, three, "--container=prepare")
        assert "running" in held["status"]["initContainerStatuses"][0]["state"]
        assert held["status"]["containerStatuses"][0]["state"] == {"waiting": {"reason": "PodInitializing"}}

        with contextlib.suppress(kubectl.KubectlError):  # its exit code says less than the list of members
            kubectl.execute(survivors[0], three, "rabbitmqctl", "forget_cluster_node", node_name(lost, three), container="rabbitmq")
        wait_until("each node sees three", lambda: all(seen_by(pod, three) == dict.fromkeys(members, True) for pod in PODS), timeout=90)
    # Forgetting took the node's copy of the queue along: nobody but a person brings it back.
    kubectl.execute(survivors[0], three, "rabbitmq-queues", "grow", node_name(lost, three), "all", container="rabbitmq", timeout=60)
    wait_condition(NAME, three, "Ready", "True", timeout=60)
    now = {node["name"]: node["volumeUID"] for node in status(NAME, three)["nodes"]}
    assert {name for name in members if now[name] != disks[name]} == {node_name(lost, three)}
    assert amqp.consume_all(address, "orders", user["username"], user["password"]) >= publisher.confirmed
