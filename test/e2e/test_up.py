"""`./dev up` on its own Kubernetes, which is the one that the tests run on and in which nothing is to be built any more;
and on a cluster that is named: in a namespace of its own, beside whatever else lives here. What it must refuse, it
refuses at once. And `./dev` itself."""

import json
import os
import re
import subprocess
import time

import pytest

from lib import amqp, clusters, haproxy, installed, kubectl, management
from lib.wait import wait_until

DEV = kubectl.ROOT / "dev"
INSTALL = kubectl.ROOT / "test" / "e2e" / "install-operator"
RUN = kubectl.ROOT / "test" / "e2e" / "run"
SMALLER = kubectl.ROOT / "test" / "e2e" / "overlays" / "up"
IMAGE = "registry.example/rabbit-operator:1"


def run(*command, directory, timeout=30):
    """As somebody whose $KUBECONFIG leads elsewhere."""
    return subprocess.run([str(word) for word in command], cwd=directory, capture_output=True, text=True, timeout=timeout, check=False,
                          stdin=subprocess.DEVNULL, env=os.environ | {"KUBECONFIG": "/nowhere/config"})


def kubeconfig_for(namespace, path):
    config = json.loads(kubectl.kubectl("config", "view", "--raw", "--flatten", "-o", "json"))
    config["contexts"][0]["context"]["namespace"] = namespace
    path.write_text(json.dumps(config))


def test_up_on_a_named_cluster(namespace, tmp_path):
    kubeconfig_for(namespace, tmp_path / "config")
    image = kubectl.get("deployment", installed.NAME, installed.NAMESPACE)["spec"]["template"]["spec"]["containers"][0]["image"]
    operator = wait_until("an operator that leads", installed.holder)
    up = (DEV, "up", "--kubeconfig", "config", "--image", image, "--example", SMALLER, "--write", "applied.yaml")
    done = run(*up, directory=tmp_path, timeout=300)  # with a path that is relative to where the caller is
    assert done.returncode == 0, done.stderr
    assert kubectl.is_true(kubectl.get("rabbit", "rabbitcluster", namespace), "Ready")
    assert installed.holder() == operator  # the same image: nothing was rolled

    # A password of its own, which is in the Secret and in the file, and nowhere else.
    password = kubectl.secret("rabbit-root", namespace)["password"]
    applied = tmp_path / "applied.yaml"
    assert len(password) == 32 and password in applied.read_text() and password not in done.stdout + done.stderr
    assert applied.stat().st_mode & 0o077 == 0 and str(applied) in done.stdout
    broker = clusters.broker("rabbitcluster", namespace)
    assert broker.get("cluster-name")["name"] == "rabbitcluster"

    # What it prints opens what it says.
    targets = dict(re.findall(r"kubectl port-forward (service/\S+) (\d+) ", done.stdout))
    assert targets == {"service/rabbitcluster": "5672", "service/rabbitcluster-haproxy-admin": "9000", "service/rabbitcluster-brokers": "15672"}
    with kubectl.port_forward("service/rabbitcluster-haproxy-admin", namespace, 9000) as port:
        assert set(haproxy.servers(haproxy.statistics("127.0.0.1", port))) == {f"rabbitcluster-node-{i}" for i in range(3)}

    # Step 5 of the tutorial: that file, edited and applied again. Only what was edited changes.
    nodes = clusters.node_uids("rabbitcluster", namespace)
    applied.write_text(applied.read_text().replace("ha-params: 2", "ha-params: 1"))
    kubectl.kubectl("apply", "-n", namespace, "-f", applied)
    wait_until("ha-params 1 at the broker", lambda: broker.get("policies/%2F/half")["definition"]["ha-params"] == 1, timeout=10, interval=0.1)

    # Once more is the example again, with the password as it was.
    done = run(*up, directory=tmp_path, timeout=300)
    assert done.returncode == 0, done.stderr
    assert kubectl.secret("rabbit-root", namespace)["password"] == password
    assert clusters.node_uids("rabbitcluster", namespace) == nodes
    clusters.wait_condition("rabbitcluster", namespace, "Ready", "True", timeout=30)


OF_THE_EXAMPLE = "app.kubernetes.io/instance=rabbitcluster"


@pytest.fixture
def default():
    """The namespace `default` of our own Kubernetes, where `./dev up` works; only while nobody has anything there."""
    if os.environ.get("RABBIT_E2E_KUBECONFIG"):
        pytest.skip("only on the cluster of kubernetes/cluster")
    kept = kubectl.list_all("secret,persistentvolumeclaim", "default", OF_THE_EXAMPLE)
    if kept or kubectl.list_all("rabbit", "default") or kubectl.get("secret", "rabbit-root", "default"):
        pytest.skip("somebody's cluster is, or was, in the namespace default")
    yield "default"
    kubectl.delete("rabbit", "rabbitcluster", "default")
    wait_until("no pod", lambda: not kubectl.list_all("pod", "default", OF_THE_EXAMPLE), timeout=60)
    kubectl.delete("secret", "rabbit-root", "default")
    kubectl.kubectl("delete", "secret,persistentvolumeclaim", "-n", "default", "-l", OF_THE_EXAMPLE, timeout=120)


def test_up_on_its_own_kubernetes(default, tmp_path):
    done = run(DEV, "up", "--write", "applied.yaml", directory=tmp_path, timeout=400)
    assert done.returncode == 0, done.stderr
    assert kubectl.is_true(kubectl.get("rabbit", "rabbitcluster", default), "Ready")

    # What it prints, by the way that it prints: kubectl with its own environment, and the login from it.
    environment = re.search(r"^  export .*$", done.stdout, re.MULTILINE)[0]

    def printed(what):
        line = re.search(rf"^  {what} +(kubectl .*)$", done.stdout, re.MULTILINE)[1]
        shell = run("bash", "-c", f"{environment}; {line}", directory=tmp_path)
        assert shell.returncode == 0 and shell.stdout, shell.stderr
        return shell.stdout

    login = printed("user"), printed("password")
    addresses = dict(re.findall(r"^  (\w+) +\w+://([\d.]+):(?:5672|9000/rabbitmq-stats|15672)$", done.stdout, re.MULTILINE))
    assert set(addresses) == {"AMQP", "statistics", "management"}, done.stdout
    with amqp.Publisher(addresses["AMQP"], "queue_1", *login) as publisher:
        wait_until("confirms", lambda: len(publisher.confirmed) >= 10, interval=0.1)
    assert set(haproxy.servers(haproxy.statistics(addresses["statistics"]))) == {f"rabbitcluster-node-{i}" for i in range(3)}
    assert len(management.Management(addresses["management"], *login).running_nodes()) == 3
    assert management.Management(addresses["management"], "root", printed("of user root")).get("whoami")["name"] == "root"


def test_the_door_lists_what_is_behind_it(tmp_path):
    commands = re.findall(r"^cmd_(\w+)\(\)", DEV.read_text(), re.MULTILINE)
    assert {"up", "down", "test", "e2e", "bench"} <= set(commands)
    done = run(DEV, directory=tmp_path)
    assert done.returncode == 0 and not done.stderr
    assert re.findall(r"^  (\w+) +\w.*$", done.stdout, re.MULTILINE) == commands == [line.split()[0] for line in done.stdout.splitlines()[1:]]
    assert run(DEV, "--help", directory=tmp_path).stdout == done.stdout


@pytest.mark.parametrize("command, named", [
    ((DEV, "up", "--image", IMAGE), "--kubeconfig"),
    ((DEV, "up", "--kubeconfig", "config"), "--image"),
    ((DEV, "up", "--kubeconfig", "absent", "--image", IMAGE), "absent"),
    ((DEV, "up", "--kubeconfig"), "--kubeconfig needs a value"),
    ((DEV, "up", "--bogus"), "--bogus"),
    ((DEV, "absent"), "absent"),
    ((DEV, "down", "--kubeconfig", "config"), "--kubeconfig"),
    ((DEV, "setup", "everything"), "everything"),
    ((DEV, "check", "lib"), "lib"),
    ((DEV, "build", "release", "clang"), "release clang"),
    ((INSTALL, "--image", IMAGE), "--kubeconfig"),
    ((INSTALL, "--kubeconfig", "config"), "--image"),
    ((RUN, "--kubeconfig", "absent"), "absent"),
])
def test_what_is_not_named_in_full_is_refused_at_once(command, named, tmp_path):
    (tmp_path / "config").touch()
    began = time.monotonic()
    done = run(*command, directory=tmp_path)
    assert done.returncode == 2 and time.monotonic() - began < 5
    assert len(done.stderr.splitlines()) == 1 and named in done.stderr and not done.stdout


def test_a_kubeconfig_that_lies_about_is_not_taken(monkeypatch):
    monkeypatch.setenv("KUBECONFIG", "/nowhere/config")
    assert kubectl.kubeconfig() != "/nowhere/config"
    kubectl.kubectl("get", "--raw", "/readyz")


DIGEST = "sha256:" + "0123456789abcdef" * 4


@pytest.mark.parametrize("image, installed_image", [
    ("name:1", "name:1"),
    ("name", "name:latest"),
    ("registry.example:5000/group/name", "registry.example:5000/group/name:latest"),
    ("registry.example:5000/group/name:1.2", "registry.example:5000/group/name:1.2"),
    (f"registry.example/name@{DIGEST}", f"registry.example/name@{DIGEST}"),
    (f"registry.example:5000/name:1.2@{DIGEST}", f"registry.example:5000/name:1.2@{DIGEST}"),
])
def test_the_image_is_installed_as_it_was_named(image, installed_image, tmp_path):
    (tmp_path / "config").touch()
    done = run(INSTALL, "--print", "--kubeconfig", "config", "--image", image, directory=tmp_path)
    assert done.returncode == 0, done.stderr
    assert re.findall(r"^ *image: (\S+)$", done.stdout, re.MULTILINE) == [installed_image]


def test_an_overlay_may_install_it_in_another_namespace(tmp_path):
    base = os.path.relpath(kubectl.ROOT / "manifests" / "base", tmp_path.resolve())
    (tmp_path / "kustomization.yaml").write_text(f"resources: [{base}]\nnamespace: elsewhere\n")
    text = kubectl.kubectl("kustomize", tmp_path)
    assert installed.NAMESPACE not in text  # in the bindings and the policy neither
    assert len(re.findall("^  namespace: elsewhere$", text, re.MULTILINE)) >= 6
