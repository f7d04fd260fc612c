"""The operator as a process of its own, and what /proc says of one."""

import os
import pathlib
import re
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request

from lib import BINARY, OUT

TICKS = os.sysconf("SC_CLK_TCK")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Process:
    """One that runs, by its number."""

    def __init__(self, pid):
        self.pid = pid

    def cpu_seconds(self):
        fields = pathlib.Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def memory(self):
        """{"resident", "peak", "private", "unshared"} in MB of 10^6 bytes. Private is what the process
        has written; unshared also counts pages of files that nobody else happens to map."""
        status = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        rollup = pathlib.Path(f"/proc/{self.pid}/smaps_rollup").read_text()
        kilobytes = lambda text, name: int(re.search(rf"^{name}:\s+(\d+)", text, re.MULTILINE).group(1))
        return {"resident": kilobytes(rollup, "Rss") * 1024 / 1e6,
                "peak": kilobytes(status, "VmHWM") * 1024 / 1e6,
                "private": kilobytes(rollup, "Private_Dirty") * 1024 / 1e6,
                "unshared": (kilobytes(rollup, "Private_Clean") + kilobytes(rollup, "Private_Dirty")) * 1024 / 1e6}


class Operator(Process):
    """Runs from the beginning of the `with` to its end. `started` is the time of the exec."""

    def __init__(self, kubeconfig, *flags, log="operator.log", wrapper=()):
        super().__init__(None)
        self.port = free_port()
        self.log = OUT / log
        self.line = [*wrapper, BINARY, "run", "--kubeconfig", kubeconfig, "--http-address", "127.0.0.1", "--http-port", str(self.port),
                     "--lease-namespace", "rabbit-operator-system", *flags]
        self.seen = {}  # message of a log line -> when it first came

    def __enter__(self):
        self.started = time.time()
        self.process = subprocess.Popen(self.line, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
        self.pid = self.process.pid
        self.reader = threading.Thread(target=self._read)
        self.reader.start()
        return self

    def _read(self):
        with open(self.log, "wb") as log:
            for line in self.process.stderr:
                now = time.time()
                log.write(line)
                for message in (b"this operator works", b"caches are filled"):
                    if message in line:
                        self.seen.setdefault(message.decode(), now)

    def __exit__(self, *_):
        asked = time.time()
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.reader.join()
        self.stopped_within = time.time() - asked

    def wait_for(self, message, timeout=30):
        """Seconds from the start until that line was logged."""
        until = time.time() + timeout
        while message not in self.seen:
            if time.time() > until or self.process.poll() is not None:
                raise RuntimeError(f"the operator did not say '{message}': see {self.log}")
            time.sleep(0.005)
        return self.seen[message] - self.started

    def get(self, path):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
