"""Where a secret value stands that should not: everything that a run leaves to be read, searched for every one of them."""

import base64
import contextlib
import json
import pathlib
import subprocess
import threading
import urllib.request

from lib import kubectl

KEYS = ("password", "cookie", "tls.key")  # of Secrets; users' names and addresses are none
SHORTEST = 8  # shorter ones are words that stand anywhere
KINDS = ("rabbitclusters.rabbitcluster.dev", "configmaps", "events", "pods", "statefulsets.apps", "deployments.apps", "replicasets.apps",
         "services", "persistentvolumeclaims", "leases.coordination.k8s.io", "endpointslices.discovery.k8s.io")


def values():
    """The secret values by where they come from: of the Secrets of our clusters that there are, and of those that tests have read."""
    found = {}
    for secret in kubectl.list_all("secrets"):
        labels = secret["metadata"].get("labels", {})
        if labels.get("app.kubernetes.io/managed-by") == "rabbit-operator":
            read = {key: base64.b64decode(text).decode() for key, text in secret.get("data", {}).items()}
            add(found, f"{secret['metadata']['namespace']}/{secret['metadata']['name']}", read)
    for place, read in kubectl.READ_SECRETS:
        add(found, place, read)
    return found


def add(found, place, data):
    for key in KEYS:
        if len(data.get(key, "")) >= SHORTEST:
            found[f"{place} {key} {len(found)}"] = data[key]


def hashes(brokers):
    """The password hashes of all users of these brokers."""
    return {f"hash of {name} {user['name']}": user["password_hash"] for name, broker in brokers.items()
            for user in broker.get("users") if len(user["password_hash"]) >= SHORTEST}


def forms(value):
    """As it may stand somewhere: itself, in JSON, in base64, also amid other things (of a header Authorization: USER:PASSWORD)."""
    text = value.encode()
    return {text, json.dumps(value)[1:-1].encode(), base64.b64encode(text)} | {amid_base64(text, before) for before in range(3)}


def amid_base64(text, before):
    """What stands of it in the base64 of a text that has so many bytes before it (and any multiple of 3): its whole groups of three."""
    first = -before % 3
    return base64.b64encode(text[first:first + (len(text) - first) // 3 * 3])


def search(wanted, texts):
    """Each value that stands in one of the texts, and where: ["ns/c-operator-user password 1 in the operator's log", …]."""
    needles = {what: forms(value) for what, value in wanted.items()}
    return [f"{what} in {place}" for place, text in texts.items() for what, each in needles.items() if any(form in text for form in each)]


def everything():
    """What there is to be read, by its name."""
    texts = {kind: kubectl.kubectl("get", kind, "--all-namespaces", "--output=yaml", timeout=120).encode() for kind in KINDS}
    logs = kubectl.RUN_DIRECTORY / "logs"
    for path in sorted(logs.rglob("*")):  # of pods that are gone, too, and who asked the API server for what
        if path.is_file():
            with contextlib.suppress(OSError):  # a pod may be deleted meanwhile
                texts[str(path.relative_to(logs))] = path.read_bytes()
    return texts


def metrics(pod, namespace):
    url = f"http://{kubectl.pod_address(pod, namespace)}:8080/metrics"
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=10) as answer:
        return answer.read()


@contextlib.contextmanager
def command_lines():
    """Gives the command lines of all processes of this machine, brokers' pods included, that ran meanwhile. (A process that is over
    between two looks, some ten milliseconds, is missed.)"""
    seen, end = set(), threading.Event()

    def watch():
        while not end.wait(0.01):
            for place in pathlib.Path("/proc").glob("[0-9]*"):
                with contextlib.suppress(OSError):
                    seen.add((place / "cmdline").read_bytes())

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield seen
    finally:
        end.set()
        watcher.join()


def printed(*line, **more):
    """Both outputs of a command."""
    done = subprocess.run([str(word) for word in line], capture_output=True, timeout=60, check=False, stdin=subprocess.DEVNULL, **more)
    return done.stdout + done.stderr
