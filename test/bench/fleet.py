"""300 RabbitClusters of three nodes behind two proxies, on a real API server whose pods the bench writes;
then the same 300 at rest, with brokers that nobody reaches."""

import collections
import json
import re
import time

from lib import workload
from lib.api import path_of
from lib.control_plane import ControlPlane
from lib.operator_process import Operator

CLUSTERS = 300
WORKERS = 8  # of the operator, by default: each has a connection
NAMESPACE, LIMIT_NAMESPACE = "bench-fleet", "bench-limit"
# RabbitMQ's cluster-operator with as many, on a machine with two cores and all controllers running.
PEER = {"seconds": 144, "cpu": 33, "megabytes": 106, "writes": 60}
CHILDREN = [("v1", "configmaps"), ("v1", "secrets"), ("v1", "services"), ("v1", "serviceaccounts"), ("apps/v1", "statefulsets"),
            ("apps/v1", "deployments"), ("policy/v1", "poddisruptionbudgets")]
# Without a write for so long the fleet counts as settled. Progress of a fleet of 300 is written each 30 s.
QUIET_SECONDS = 35


def unreachable(cluster, role, ordinal):
    number = int(cluster.rpartition("-")[2])
    return f"127.90.{number // 10}.{number % 10 * 10 + ordinal + (5 if role == 'proxy' else 0) + 1}"


def measure(results, idle_seconds=60):
    with ControlPlane() as plane:
        names = [f"fleet-{i:03}" for i in range(CLUSTERS)]
        plane.make_namespace(NAMESPACE)
        workload.create_clusters(plane.admin, NAMESPACE, names)
        audit = plane.audit()
        with Operator(plane.kubeconfig) as operator:
            workload.wait_for(plane.admin, "statefulsets", NAMESPACE, CLUSTERS)
            writes, cpu_created = until_quiet(audit, operator, time.time(), quiet=2)
            wave = _creations(writes)
            all_sets = max(at for at, plural, _ in wave if plural == "statefulsets") - operator.started
            all_children = max(at for at, _, _ in wave) - operator.started
            workload.run_pods(plane.admin, "statefulsets", NAMESPACE, unreachable, claims=True)
            workload.wait_for(plane.admin, "deployments", NAMESPACE, CLUSTERS)
            workload.run_pods(plane.admin, "deployments", NAMESPACE, unreachable)
            running = time.time()
            more, cpu = until_quiet(audit, operator, running)
            writes += more
            settled = writes[-1][0] - running
            memory = operator.memory()
            results.add("fleet: all StatefulSets after the operator's start", all_sets, "s", 10, "cluster-operator", PEER["seconds"])
            results.add("fleet: CPU until settled", cpu, "CPU s", 4, "cluster-operator", PEER["cpu"])
            results.add("fleet: CPU until all StatefulSets", cpu_created, "CPU s")
            results.add("fleet: resident at the peak", memory["peak"], "MB", 25, "cluster-operator", PEER["megabytes"])
            results.add("fleet: writes a cluster until settled", len(writes) / CLUSTERS, "requests", 20, "cluster-operator", PEER["writes"])
            for what, number in sorted(collections.Counter(w[1] if w[4] < 300 else f"{w[1]}: {w[4]}" for w in writes).items()):
                results.note(f"  {number / CLUSTERS:6.2f} {what}")
            results.add("fleet: last write after the last pod ran", max(0, settled), "s")
            idle(results, operator, audit, idle_seconds, "idle", cpu_limit=2)
            results.add("idle: resident", operator.memory()["resident"], "MB")
        limit_sets, limit_children = _limit(plane, [(plural, name) for _, plural, name in wave])
        results.add("fleet: all StatefulSets, beside the limit", all_sets, "s", 2 * limit_sets, f"a plain loop on {WORKERS} connections", limit_sets)
        results.add("fleet: all children, beside the limit", all_children, "s", 2 * limit_children, f"a plain loop on {WORKERS} connections",
                    limit_children)


def _creations(writes):
    """[(time, plural, name)] of the children that were made, in their order: no Events, and nothing of the operator's own."""
    made = {f"create {plural}": plural for _, plural in CHILDREN}
    return [(at, made[what], name) for at, what, namespace, name, code in sorted(writes) if what in made and namespace == NAMESPACE and code == 201]


def until_quiet(audit, operator, since, quiet=QUIET_SECONDS, timeout=240):
    """The writes until there was none for so long after `since`, and the operator's CPU time when the last was there."""
    writes = []
    cpu = operator.cpu_seconds()
    until = time.time() + timeout
    while time.time() < until:
        if found := audit.writes():
            writes += found
            cpu = operator.cpu_seconds()
        if time.time() - max([since] + [w[0] for w in writes[-1:]]) > quiet:
            break
        time.sleep(0.25)
    else:
        raise RuntimeError(f"the operator still wrote after {timeout} s; the last: {writes[-3:]}")
    return writes, cpu


def idle(results, operator, audit, seconds, label, cpu_limit=None):
    audit.writes()
    cpu, began = operator.cpu_seconds(), time.time()
    time.sleep(seconds)
    share = (operator.cpu_seconds() - cpu) / (time.time() - began) * 100
    writes = audit.writes()
    results.add(f"{label}: writes in {seconds} s but the Lease's renewal", len(writes), "requests", 0)
    for what, number in sorted(collections.Counter(w[1] for w in writes).items()):
        results.note(f"  {number} {what}")
    results.add(f"{label}: CPU", share, "% of a core", cpu_limit)


def _limit(plane, order):
    """Creates what the operator created, [(plural, name)] in its order, as fast as the same number of connections can;
    when the last StatefulSet and the last object were there, in seconds."""
    bodies = {}
    for version, plural in CHILDREN:
        for item in plane.admin.call("GET", path_of(version, plural, NAMESPACE))["items"]:
            bodies[plural, item["metadata"]["name"]] = path_of(version, plural, LIMIT_NAMESPACE), _as_sent(item)
    plane.make_namespace(LIMIT_NAMESPACE)
    requests = [plane.operator.request("POST", *bodies[key]) for key in order]
    began = time.time()
    answered = plane.operator.send_all(requests, connections=WORKERS)
    return max(at for key, at in zip(order, answered) if key[0] == "statefulsets") - began, max(answered) - began


def _as_sent(item):
    """The object as it was before the server filled it in, for the other namespace."""
    for field in ("uid", "resourceVersion", "creationTimestamp", "managedFields", "generation"):
        item["metadata"].pop(field, None)
    item.pop("status", None)
    for field in ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"):
        if item.get("spec", {}).get("clusterIP") != "None":
            item.get("spec", {}).pop(field, None)
    return re.sub(NAMESPACE, LIMIT_NAMESPACE, json.dumps(item)).encode()
