"""The operator with no cluster: its memory, and how soon after its start it works."""

import statistics
import time

from lib.control_plane import ControlPlane
from lib.operator_process import Operator

STARTS = 5


def measure(results):
    starts, memories, stops = [], [], []
    with ControlPlane() as plane:
        for _ in range(STARTS):
            with Operator(plane.kubeconfig) as operator:
                starts.append(operator.wait_for("this operator works"))
                time.sleep(1)
                status, text = operator.get("/readyz")
                if status != 200:
                    raise RuntimeError(f"not ready: {text}")
                time.sleep(2)
                memories.append(operator.memory())
            stops.append(operator.stopped_within)
    results.add("empty: start until it leads and its workers start", statistics.median(starts), "s", 0.5)
    results.add("empty: resident", statistics.median(m["resident"] for m in memories), "MB", 18)
    results.add("empty: private", statistics.median(m["private"] for m in memories), "MB", 6)
    results.add("empty: private, and pages of files nobody else maps", statistics.median(m["unshared"] for m in memories), "MB")
    results.add("empty: SIGTERM to the end", max(stops), "s", 5)
