"""100 RabbitClusters with brokers and proxies that answer and are in step with their spec, and 5 whose
brokers accept a connection and hang: what the operator writes at rest, and how soon a change arrives."""

import contextlib
import json
import re
import statistics
import subprocess
import sys
import threading
import time

import fleet
from lib import OUT, workload
from lib.api import path_of
from lib.control_plane import ControlPlane
from lib.operator_process import Operator

ANSWERING, HANGING = 100, 5
NAMESPACE = "bench-answered"
CHANGES = 10


def address(cluster, role, ordinal):
    number = int(cluster.rpartition("-")[2])
    return f"127.91.{number // 10}.{number % 10 * 10 + ordinal + (5 if role == 'proxy' else 0) + 1}"


class Brokers:
    """The scripted brokers; `arrived` are their writes."""

    def __init__(self, clusters):
        self.config = OUT / "brokers.json"
        self.config.write_text(json.dumps({"clusters": clusters}))
        self.arrived = []

    def __enter__(self):
        self.process = subprocess.Popen([sys.executable, "-m", "lib.broker", self.config], stdout=subprocess.PIPE,
                                        cwd=str(fleet.__file__).rpartition("/")[0])
        if not self.process.stdout.readline():
            raise RuntimeError("the scripted brokers did not start")
        self.reader = threading.Thread(target=lambda: self.arrived.extend(map(json.loads, self.process.stdout)))
        self.reader.start()
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        self.reader.join()


def _clusters_of(plane):
    """What the scripted brokers need to know: the operator has made the proxies' configuration by now."""
    hashes = {}
    for item in plane.admin.call("GET", path_of("v1", "configmaps", NAMESPACE))["items"]:
        found = re.search(r"x-config-hash (\w+)", item.get("data", {}).get("haproxy.cfg", ""))
        if found:
            hashes[item["metadata"]["labels"]["app.kubernetes.io/instance"]] = found.group(1)
    return [{"name": name, "namespace": NAMESPACE, "hangs": i >= ANSWERING, "config_hash": hashes[name],
             "brokers": [address(name, "broker", n) for n in range(3)], "proxies": [address(name, "proxy", n) for n in range(2)]}
            for i, name in enumerate(sorted(hashes))]


def measure(results, idle_seconds=60):
    names = [f"answered-{i:03}" for i in range(ANSWERING + HANGING)]
    with contextlib.ExitStack() as stack:
        plane = stack.enter_context(ControlPlane())
        plane.make_namespace(NAMESPACE)
        plane.admin.call("POST", path_of("v1", "secrets", NAMESPACE), {"metadata": {"name": "rabbit-root"}, "stringData": {"password": "change-me"}})
        workload.create_clusters(plane.admin, NAMESPACE, names, seed=True)
        audit = plane.audit()
        operator = stack.enter_context(Operator(plane.kubeconfig))
        workload.wait_for(plane.admin, "statefulsets", NAMESPACE, len(names))
        fleet.until_quiet(audit, operator, time.time(), quiet=2)
        brokers = stack.enter_context(Brokers(_clusters_of(plane)))
        workload.run_pods(plane.admin, "statefulsets", NAMESPACE, address, claims=True)
        # Those that hang never get that far: without an answer the proxies wait.
        _wait_for_proxies(plane, len(names))
        workload.run_pods(plane.admin, "deployments", NAMESPACE, address)
        writes, _ = fleet.until_quiet(audit, operator, time.time())
        ready = [c for c in plane.admin.call("GET", path_of("rabbitcluster.dev/v1beta1", "rabbitclusters", NAMESPACE))["items"]
                 if any(k["type"] == "Ready" and k["status"] == "True" for k in c["status"].get("conditions", []))]
        results.add("answered: clusters that are not Ready", ANSWERING - len(ready), "clusters", 0)
        if not ready:
            results.note(str(plane.kubectl("get", "rabbit", "-n", NAMESPACE, "-o", "wide"))[:800])
        fleet.idle(results, operator, audit, idle_seconds, "answered")
        results.add("answered: resident", operator.memory()["resident"], "MB")
        waits = [_change(plane, brokers, name) for name in names[:ANSWERING:ANSWERING // CHANGES]]
        results.add(f"answered: a changed policy at the broker, slowest of {CHANGES}", max(waits), "s", 1)
        results.add("answered: a changed policy at the broker, median", statistics.median(waits), "s")


def _wait_for_proxies(plane, number, patience=15):
    """Until all proxies' Deployments are there, or no more came for a while."""
    last, since = -1, time.time()
    with plane.admin.connect() as connection:
        while time.time() - since < patience:
            there = workload.count(connection, plane.admin, "apps/v1", "deployments", NAMESPACE)
            if there == number:
                return
            if there != last:
                last, since = there, time.time()
            time.sleep(0.5)


def _change(plane, brokers, name, timeout=30):
    """Seconds from the answer to a PATCH of the policy to its arrival at the scripted broker."""
    seen = len(brokers.arrived)
    plane.admin.call("PATCH", path_of("rabbitcluster.dev/v1beta1", "rabbitclusters", NAMESPACE, name),
                     [{"op": "replace", "path": "/spec/policies/0/definition/ha-params", "value": 1}], "application/json-patch+json")
    began = time.time()
    while time.time() - began < timeout:
        for write in brokers.arrived[seen:]:
            if write["cluster"] == name and "/policies/" in write["path"]:
                return max(0, write["time"] - began)
        time.sleep(0.005)
    return timeout
