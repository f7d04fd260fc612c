"""TLS alone: what listens, who is let in, and certificates that are renewed while all of it runs."""

import socket

import pika
import pytest

from lib import kubectl
from lib.certificates import Authority, same, served
from lib.clusters import NEW, OLD, condition_is, small, status, wait_condition
from lib.wait import NotYet, wait_until

# The kubelet looks at Secrets each minute or so, brokers at their files every two.
RENEWED_WITHIN = 300


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


def names(name, namespace):
    return [f"{name}.{namespace}.svc", f"{name}-brokers.{namespace}.svc", f"*.{name}-nodes.{namespace}.svc"]


def is_open(host, port):
    try:
        with socket.create_connection((host, port), timeout=3):
            return True
    except OSError:
        return False


def amqps(authority, name, namespace):
    """A connection to Service `name`, with its certificate checked."""
    user = kubectl.secret(f"{name}-default-user", namespace)
    context = authority.context()
    return pika.BlockingConnection(pika.ConnectionParameters(
        host=kubectl.service_address(name, namespace), port=5671, credentials=pika.PlainCredentials(user["username"], user["password"]),
        ssl_options=pika.SSLOptions(context, f"{name}.{namespace}.svc"), socket_timeout=5, stack_timeout=5))


@pytest.mark.parametrize("name, image", [("old", OLD), ("new", NEW)])
def test_with_tls_alone_nothing_plain_is_left_and_a_renewed_certificate_is_served(authority, shared_namespace, name, image):
    namespace, secret = shared_namespace, f"{name}-tls"
    kubectl.apply(small(name, image, drift={"interval": "2s"}, tls={"secretRef": {"name": secret}, "mode": "Only"}), namespace)
    found = wait_condition(name, namespace, "Stalled", "True", "SecretMissing")
    assert f"spec.tls.secretRef: Secret {secret} does not exist: create it with keys tls.crt, tls.key and ca.crt" in found["message"]
    assert kubectl.get("statefulset", f"{name}-node", namespace) is None

    first = authority.secret(secret, names(name, namespace))
    kubectl.apply(first, namespace)
    wait_condition(name, namespace, "Ready", "True", timeout=180)
    pod = kubectl.get("pod", f"{name}-node-0", namespace)
    address = pod["status"]["podIP"]
    listens = {port: is_open(address, port) for port in (5671, 5672, 15671, 15672, 15691, 15692)}
    assert listens == {5671: True, 5672: False, 15671: True, 15672: False, 15691: True, 15692: False}
    assert status(name, namespace)["endpoints"]["management"] == f"https://{name}-brokers.{namespace}.svc:15671"
    amqps(authority, name, namespace).close()
    assert not is_open(kubectl.service_address(name, namespace), 5672)

    second = authority.secret(secret, names(name, namespace))
    kubectl.apply(second, namespace)
    for port in (5671, 15671, 15691):
        wait_until(f"the new certificate on {port}", lambda p=port: same(served(address, p), second["stringData"]["tls.crt"]), RENEWED_WITHIN)

    def told():
        events = [each for each in kubectl.list_all("events.events.k8s.io", namespace) if each.get("reason") == "CertificateLive" and each["regarding"]["name"] == name]
        if not events:
            raise NotYet("no Event CertificateLive")
        return events
    wait_until("the Event", told, 60)
    condition_is(name, namespace, "Ready", "True")
    assert kubectl.get("pod", f"{name}-node-0", namespace)["metadata"]["uid"] == pod["metadata"]["uid"]
    amqps(authority, name, namespace).close()


def test_a_key_of_another_certificate_changes_nothing_and_is_named(authority, shared_namespace):
    namespace = shared_namespace
    pair, other = (authority.secret("both-tls", names("both", namespace)) for _ in range(2))
    kubectl.apply([small("both", NEW, drift={"interval": "2s"}, tls={"secretRef": {"name": "both-tls"}},
                         service={"expose": ["amqp", "amqps"]}), pair], namespace)
    wait_condition("both", namespace, "Ready", "True", timeout=180)
    amqps(authority, "both", namespace).close()
    assert is_open(kubectl.service_address("both", namespace), 5672)

    pair["stringData"]["tls.key"] = other["stringData"]["tls.key"]
    kubectl.apply(pair, namespace)
    found = wait_condition("both", namespace, "Stalled", "True", "SecretInvalid")
    assert "Secret both-tls, key tls.key: does not belong to the certificate" in found["message"]
    condition_is("both", namespace, "Available", "True")


def test_a_cluster_that_runs_without_goes_on_until_its_pods_are_made_anew(authority, shared_namespace):
    namespace = shared_namespace
    kubectl.apply([small("later", NEW, drift={"interval": "2s"}), authority.secret("later-tls", names("later", namespace))], namespace)
    wait_condition("later", namespace, "Ready", "True", timeout=180)
    kubectl.patch("rabbit", "later", namespace, {"spec": {"tls": {"secretRef": {"name": "later-tls"}, "mode": "Only"}}})
    found = wait_condition("later", namespace, "NodesReady", "False", "RestartPending")
    # What is told of rabbitmq.conf is that the management port is no longer asked for.
    assert "earlier settings (because of rabbitmq.conf key management.tcp.port and tls)" in found["message"]
    for kind in ("Available", "TopologySynced", "LoadBalancerSynced"):
        wait_condition("later", namespace, kind, "True")
    assert is_open(kubectl.service_address("later", namespace), 5672)
