"""The processes of containers, as this machine sees them: what no API can do to them is done by signals."""

import contextlib
import os
import pathlib
import signal

from lib import kubectl


def of_container(pod, namespace, container):
    """The ids of the processes in a running container; not empty."""
    statuses = kubectl.get("pod", pod, namespace)["status"]["containerStatuses"]
    name = next(s["containerID"] for s in statuses if s["name"] == container).removeprefix("containerd://")
    found = []
    for place in pathlib.Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it may have ended
            if name in (place / "cgroup").read_text(encoding="utf-8"):
                found.append(int(place.name))
    assert found, f"no process of container {container} of pod {namespace}/{pod} on this machine"
    return sorted(found)


def send(processes, number):
    for process in processes:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, number)


def alive(processes):
    return [process for process in processes if pathlib.Path(f"/proc/{process}").exists()]


@contextlib.contextmanager
def stopped(pod, namespace, container):
    """A container whose processes are there and do nothing: the kernel goes on to accept connections for them."""
    processes = of_container(pod, namespace, container)
    send(processes, signal.SIGSTOP)
    try:
        yield processes
    finally:
        send(processes, signal.SIGCONT)
