"""The cluster, through its own kubectl."""

import contextlib
import json
import os
import pathlib
import subprocess

from lib.wait import first_match

ROOT = pathlib.Path(__file__).resolve().parents[3]
RUN_DIRECTORY = ROOT / "build" / "kubernetes"


class KubectlError(Exception):
    """kubectl ended with an exit code other than 0; the text is the command and its standard error."""

    def __init__(self, command, code, stderr):
        super().__init__(f"{' '.join(command)}: exit code {code}: {stderr.strip()}")
        self.code = code
        self.stderr = stderr


def kubeconfig():
    """Of the cluster under test: ours, or the one that `run --kubeconfig` named. Never $KUBECONFIG, which may lead anywhere."""
    return os.environ.get("RABBIT_E2E_KUBECONFIG") or str(RUN_DIRECTORY / "kubeconfig")


def command(*arguments):
    """The command line that runs kubectl on the cluster."""
    own = RUN_DIRECTORY / "bin" / "kubectl"
    return [str(own) if own.exists() else "kubectl", "--kubeconfig", kubeconfig(), *map(str, arguments)]


def kubectl(*arguments, stdin=None, timeout=60):
    """Runs kubectl and returns its standard output."""
    line = command(*arguments)
    done = subprocess.run(line, input=stdin, capture_output=True, text=True, timeout=timeout, check=False,
                          stdin=subprocess.DEVNULL if stdin is None else None)
    if done.returncode:
        raise KubectlError(["kubectl", *map(str, arguments)], done.returncode, done.stderr)
    return done.stdout


def _in(namespace):
    return ("--namespace", namespace) if namespace else ()


def get(kind, name, namespace=None):
    """One object, or None when there is none of that name."""
    text = kubectl("get", kind, name, *_in(namespace), "--ignore-not-found", "--output=json")
    return json.loads(text) if text else None


def list_all(kind, namespace=None, selector=None):
    """All objects of a kind, in a namespace or in all of them."""
    scope = _in(namespace) or ("--all-namespaces",)
    chosen = ("--selector", selector) if selector else ()
    return json.loads(kubectl("get", kind, *scope, *chosen, "--output=json"))["items"]


def apply(objects, namespace=None, dry_run=False):
    """Applies YAML text, one object, or a list of objects, server-side; with `dry_run` the server only says what it would do."""
    if isinstance(objects, list):
        objects = {"apiVersion": "v1", "kind": "List", "items": objects}
    text = objects if isinstance(objects, str) else json.dumps(objects)
    tried = ("--dry-run=server",) if dry_run else ()
    return kubectl("apply", "--server-side", "--force-conflicts", "--field-manager=e2e", *tried, *_in(namespace), "--filename=-", stdin=text)


def patch(kind, name, namespace, change, kind_of_patch="merge"):
    return kubectl("patch", kind, name, *_in(namespace), f"--type={kind_of_patch}", "--patch", json.dumps(change))


def delete(kind, name, namespace=None, wait=True, timeout=120):
    return kubectl("delete", kind, name, *_in(namespace), "--ignore-not-found", f"--wait={str(wait).lower()}", timeout=timeout)


def execute(pod, namespace, *arguments, container=None, stdin=None, timeout=60):
    """Runs a command in a pod and returns its standard output."""
    chosen = ("--container", container) if container else ()
    attach = ("--stdin",) if stdin is not None else ()
    return kubectl("exec", pod, *_in(namespace), *chosen, *attach, "--", *arguments, stdin=stdin, timeout=timeout)


def logs(pod, namespace, *options):
    return kubectl("logs", pod, *_in(namespace), *options)


def condition(thing, kind):
    """A condition of an object by its type, or an empty one."""
    found = [c for c in (thing or {}).get("status", {}).get("conditions", []) if c["type"] == kind]
    return found[0] if found else {}


def is_true(thing, kind):
    return condition(thing, kind).get("status") == "True"


READ_SECRETS = []  # (name, data) of all that any test has read, also of namespaces that are gone: for test_secrets.py


def secret(name, namespace):
    """A Secret's data, decoded."""
    import base64
    data = {key: base64.b64decode(value).decode() for key, value in get("secret", name, namespace)["data"].items()}
    READ_SECRETS.append((f"{namespace}/{name}", data))
    return data


def pod_address(pod, namespace):
    """The pod's IP, reachable from here, when it has one."""
    return (get("pod", pod, namespace) or {}).get("status", {}).get("podIP")


def service_address(service, namespace):
    """The Service's cluster IP, reachable from here."""
    return get("service", service, namespace)["spec"]["clusterIP"]


@contextlib.contextmanager
def port_forward(target, namespace, port):
    """Forwards a local port to `target` (pod/NAME, service/NAME) and gives its number."""
    process = subprocess.Popen(command("port-forward", target, *_in(namespace), f":{port}"),
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        yield int(first_match(process, process.stdout, r":(\d+) ->")[1])
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
