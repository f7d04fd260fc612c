"""A broker that takes connections and never answers concerns its own cluster only."""

import socket
import time

from lib import kubectl, processes
from lib.clusters import broker, wait_condition
from lib.management import quoted
from lib.wait import wait_until


def policy(length):
    return {"vhost": "/", "name": "short", "pattern": "^short", "applyTo": "queues", "definition": {"max-length": length}}


def declare_policy(name, namespace, length):
    """Declares it, and returns after how many seconds it is at the broker."""
    began = time.monotonic()
    kubectl.patch("rabbit", name, namespace, {"spec": {"policies": [policy(length)]}})
    at = broker(name, namespace)
    wait_until("the policy at the broker", lambda: at.get(f"policies/{quoted('/')}/short")["definition"] == {"max-length": length},
               timeout=20, interval=0.1)
    return time.monotonic() - began


def test_a_hanging_broker_is_told_and_holds_up_no_other_cluster(single_nodes):
    address = kubectl.pod_address("old-node-0", single_nodes)
    with processes.stopped("old-node-0", single_nodes, "rabbitmq"):
        for port in (5672, 15672):
            socket.create_connection((address, port), timeout=5).close()  # so it hangs, and is not down
        found = wait_condition("old", single_nodes, "Available", "Unknown", "BrokerNotAnswering", timeout=30)
        assert "old-node-0" in found["message"]
        assert not kubectl.is_true(kubectl.get("rabbit", "old", single_nodes), "Ready")
        # Several times: whoever waits for the other one in between is found out by one of them.
        assert max(declare_policy("new", single_nodes, length) for length in (10, 20, 30)) < 3
        wait_condition("new", single_nodes, "Ready", "True", timeout=20)
        assert kubectl.condition(kubectl.get("rabbit", "old", single_nodes), "Available")["reason"] == "BrokerNotAnswering"
    wait_condition("old", single_nodes, "Ready", "True")
    kubectl.patch("rabbit", "new", single_nodes, {"spec": {"policies": None}})
    wait_condition("new", single_nodes, "Ready", "True")
