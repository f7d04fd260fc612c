"""TLS alone: what listens, who is let in, and certificates that are renewed while all of it runs."""

import socket
import ssl

import pika
import pytest

from lib import kubectl, leaks
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


def amqps(authority, name, namespace, shown=None):
    """A connection to Service `name`, with its certificate checked."""
    user = kubectl.secret(f"{name}-default-user", namespace)
    return pika.BlockingConnection(pika.ConnectionParameters(
        host=kubectl.service_address(name, namespace), port=5671, credentials=pika.PlainCredentials(user["username"], user["password"]),
        ssl_options=pika.SSLOptions(authority.context(shown), f"{name}.{namespace}.svc"), socket_timeout=5, stack_timeout=5))


def is_let_in(context, name, namespace):
    """Whether the broker begins to speak AMQP with who shows this certificate, or none."""
    with socket.create_connection((kubectl.service_address(name, namespace), 5671), timeout=10) as plain:
        try:
            with context.wrap_socket(plain, server_hostname=f"{name}.{namespace}.svc") as stream:
                stream.sendall(b"AMQP\x00\x00\x09\x01")
                return stream.recv(1) == b"\x01"
        except (ssl.SSLError, ConnectionError):  # with TLS 1.3 it comes after the handshake
            return False


IMAGES = {"old": OLD, "new": NEW}
ASKS = "new"  # for clients' certificates


def only(name):
    tls = {"secretRef": {"name": f"{name}-tls"}, "mode": "Only"}
    if name == ASKS:
        tls |= {"clientAuth": "Require", "caSecretRef": {"name": f"{name}-tls", "key": "ca.crt"}}
    return small(name, IMAGES[name], drift={"interval": "2s"}, tls=tls)


def test_with_tls_alone_nothing_plain_is_left_and_a_renewed_certificate_is_served(authority, shared_namespace, tmp_path):
    namespace = shared_namespace
    kubectl.apply([only(name) for name in IMAGES], namespace)
    for name in IMAGES:
        found = wait_condition(name, namespace, "Stalled", "True", "SecretMissing")
        assert f"spec.tls.secretRef: Secret {name}-tls does not exist: create it with keys tls.crt, tls.key and ca.crt" in found["message"]
        assert kubectl.get("statefulset", f"{name}-node", namespace) is None

    kubectl.apply([authority.secret(f"{name}-tls", names(name, namespace)) for name in IMAGES], namespace)
    shown = {"old": None, "new": authority.issue(["client"])}
    pods = {}
    for name in IMAGES:
        wait_condition(name, namespace, "Ready", "True", timeout=180)
        pods[name] = kubectl.get("pod", f"{name}-node-0", namespace)
        address = pods[name]["status"]["podIP"]
        listens = {port: is_open(address, port) for port in (5671, 5672, 15671, 15672, 15691, 15692)}
        assert listens == {5671: True, 5672: False, 15671: True, 15672: False, 15691: True, 15692: False}
        assert status(name, namespace)["endpoints"]["management"] == f"https://{name}-brokers.{namespace}.svc:15671"
        amqps(authority, name, namespace, shown[name]).close()
        assert not is_open(kubectl.service_address(name, namespace), 5672)

    foreign = Authority(tmp_path).issue(["client"])
    let_in = {who: is_let_in(authority.context(what), ASKS, namespace)
              for who, what in {"with": shown[ASKS], "without": None, "with a foreign one": foreign}.items()}
    assert let_in == {"with": True, "without": False, "with a foreign one": False}

    # Both at once: most of it is to wait for the kubelet and the brokers.
    renewed = {name: authority.secret(f"{name}-tls", names(name, namespace)) for name in IMAGES}
    kubectl.apply(list(renewed.values()), namespace)
    for name, secret in renewed.items():
        for port in (5671, 15671, 15691):
            wait_until(f"the new certificate of {name} on {port}",
                       lambda at=(pods[name]["status"]["podIP"], port), pem=secret["stringData"]["tls.crt"]: same(served(*at), pem), RENEWED_WITHIN)

    def told():
        told_of = {each["regarding"]["name"] for each in kubectl.list_all("events.events.k8s.io", namespace) if each.get("reason") == "CertificateLive"}
        if not told_of >= set(IMAGES):
            raise NotYet(f"Event CertificateLive of {told_of} alone")
        return told_of
    wait_until("the Events", told, 120)
    for name in IMAGES:
        condition_is(name, namespace, "Ready", "True")
        assert kubectl.get("pod", f"{name}-node-0", namespace)["metadata"]["uid"] == pods[name]["metadata"]["uid"]
        amqps(authority, name, namespace, shown[name]).close()


def test_a_key_of_another_certificate_is_named_with_what_comes_of_it(authority, shared_namespace):
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
    # The pods mount that Secret: whether they have read it yet is nobody's promise.
    assert "brokers that run read it within minutes, and then refuse TLS" in found["message"]
    kubectl.apply(other, namespace)
    wait_condition("both", namespace, "Ready", "True", timeout=RENEWED_WITHIN)


def test_a_cluster_that_runs_without_goes_on_until_its_pods_are_made_anew(authority, shared_namespace):
    namespace = shared_namespace
    kubectl.apply([small("later", NEW, drift={"interval": "2s"}), authority.secret("later-tls", names("later", namespace))], namespace)
    wait_condition("later", namespace, "Ready", "True", timeout=180)
    kubectl.patch("rabbit", "later", namespace, {"spec": {"tls": {"secretRef": {"name": "later-tls"}, "mode": "Only"}}})
    found = wait_condition("later", namespace, "NodesReady", "False", "RestartPending")
    assert "earlier settings (because of tls)" in found["message"]
    for kind in ("Available", "TopologySynced", "LoadBalancerSynced"):
        wait_condition("later", namespace, kind, "True")
    assert is_open(kubectl.service_address("later", namespace), 5672)


def test_no_private_key_is_told_anywhere():
    keys = {what: value for what, value in leaks.values().items() if " tls.key " in what}
    assert keys
    assert leaks.search(keys, leaks.everything()) == []
