"""Two operators at once: one works, the other stands by. Who wrote when is read from the API server's audit log."""

import signal
import threading
import time

import pytest

from lib import audit, installed, kubectl, processes
from lib.clusters import ABSENT, small
from lib.wait import wait_until

LEASE, RENEW, RETRY = 6, 4, 1  # seconds; shorter than by default, to wait less here
WRITES = ("create", "update", "patch", "delete", "deletecollection")
DEPLOYMENT = ("deployment", installed.NAME, installed.NAMESPACE)


def set_deployment(replicas, arguments):
    kubectl.patch(*DEPLOYMENT, {"spec": {"replicas": replicas, "template": {"spec": {"containers": [
        {"name": "operator", "args": arguments}]}}}}, kind_of_patch="strategic")
    kubectl.kubectl("-n", installed.NAMESPACE, "rollout", "status", f"deployment/{installed.NAME}", "--timeout=60s", timeout=70)


@pytest.fixture
def two_operators():
    before = kubectl.get(*DEPLOYMENT)["spec"]
    arguments = before["template"]["spec"]["containers"][0]["args"]
    try:
        set_deployment(2, [*arguments, f"--lease-seconds={LEASE}", f"--lease-renew-seconds={RENEW}", f"--lease-retry-seconds={RETRY}"])
        yield
    finally:
        set_deployment(before["replicas"], arguments)


class Edits:
    """Goes on changing a cluster's spec, so that whoever believes to lead has something to write."""

    def __init__(self, name, namespace):
        self._name, self._namespace = name, namespace
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.count = 0

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join(timeout=60)

    def _run(self):
        while not self._stop.wait(0.2):
            kubectl.patch("rabbit", self._name, self._namespace, {"spec": {"service": {"annotations": {"edits": str(self.count + 1)}}}})
            self.count += 1

    def wait_until_they_arrive(self, timeout=15.0):
        """Waits for one that is made after this call."""
        wanted = self.count + 2
        wait_until(f"edit {wanted} at the Service", lambda: int(kubectl.get("service", self._name, self._namespace)[
            "metadata"].get("annotations", {}).get("edits", 0)) >= wanted, timeout=timeout, interval=0.1)


def is_write(event):
    """Not the Lease, and no question about its own rights, which each asks at its start."""
    return event["verb"] in WRITES and event["stage"] == "ResponseComplete" and event["objectRef"].get("apiGroup") not in (
        "coordination.k8s.io", "authorization.k8s.io")


def lease_records(events):
    """What was written into the Lease, in turn: (received, answered, pod that holds it; empty when it is released)."""
    found = [e for e in events if e["objectRef"]["resource"] == "leases" and e["verb"] in WRITES and e["responseStatus"]["code"] < 300]
    return sorted((audit.received(e), audit.answered(e), installed.pod_of(e["requestObject"]["spec"].get("holderIdentity") or ""))
                  for e in found)


def outside_of_terms(events, lease):
    """The writes that did not begin and end while their pod held the lease.

    It holds it from the moment at which the server had written its name into the Lease, until another
    name came in, or none, or `lease` seconds passed."""
    records = lease_records(events)
    bad = []
    for write in filter(is_write, events):
        began, ended, pod = audit.received(write), audit.answered(write), audit.pod(write)
        valid = [record for record in records if record[1] <= began][-1:]
        moved = [record for record in records if record[1] > began and record[0] < ended and record[2] != pod]
        if not valid or valid[0][2] != pod or ended - valid[0][0] >= lease or moved:
            bad.append(write)
    return bad


def wait_for_another(before):
    """Returns after how many seconds somebody else held the lease."""
    began = time.monotonic()
    wait_until("another holder", lambda: installed.holder() not in ("", before), timeout=4 * LEASE, interval=0.1)
    return time.monotonic() - began


def test_two_operators_never_both_write(namespace, two_operators):
    since = audit.position()
    wait_until("a renewal of the lease", lambda: lease_records(audit.events(since, installed.ACCOUNT)), timeout=3 * RETRY, interval=0.1)
    kubectl.apply(small("busy", ABSENT), namespace)
    with Edits("busy", namespace) as edits:
        edits.wait_until_they_arrive()
        first = installed.holder()

        # Killed: it tells nobody.
        processes.send(processes.of_container(installed.pod_of(first), installed.NAMESPACE, "operator"), signal.SIGKILL)
        took = wait_for_another(first)
        assert took < LEASE + 2 * RETRY + 1
        edits.wait_until_they_arrive()

        # Frozen, and back when another one leads: it must see that it slept, and leave without a write.
        wait_until("both run", lambda: kubectl.get(*DEPLOYMENT)["status"].get("readyReplicas") == 2, timeout=30)
        second = installed.holder()
        with processes.stopped(installed.pod_of(second), installed.NAMESPACE, "operator") as frozen:
            wait_for_another(second)
            edits.wait_until_they_arrive()
        wait_until("it has left", lambda: not processes.alive(frozen), timeout=10, interval=0.1)
        edits.wait_until_they_arrive()

    events = audit.events(since, installed.ACCOUNT)
    writers = {audit.pod(e) for e in events if is_write(e) and e["objectRef"].get("namespace") == namespace}
    assert len(writers) >= 2, "only one of them ever wrote: nothing was shown"
    bad = outside_of_terms(events, LEASE)
    assert not bad, "\n".join(f"{e['requestReceivedTimestamp']} {audit.pod(e)}: {text}" for e, text in zip(bad, audit.summary(bad)))
