"""`kubectl rabbit …`: the binary under the name by which kubectl finds it."""

import json
import os
import signal
import subprocess

import pytest

from lib import clusters, kubectl
from lib.clusters import wait_condition
from lib.management import Management
from lib.wait import first_match, wait_until

BINARY = kubectl.ROOT / "build" / "release" / "bin" / "rabbit-operator"


@pytest.fixture
def rabbit(tmp_path):
    """Runs `kubectl rabbit` with these arguments."""
    (tmp_path / "kubectl-rabbit").symlink_to(BINARY)
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "KUBECONFIG": kubectl.kubeconfig()}
    program = kubectl.command()[0]

    def run(*arguments, start=False):
        line = [program, "rabbit", *arguments]
        if start:
            return subprocess.Popen(line, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        return subprocess.run(line, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)
    return run


def test_kubectl_finds_it_and_help_says_what_to_type(rabbit):
    listed = rabbit("--help")
    assert listed.returncode == 0 and "manage" in listed.stdout, listed
    assert "kubectl rabbit status" in rabbit("status", "--help").stdout


def test_status_is_what_the_status_says(rabbit, single_nodes):
    done = rabbit("status", "old", "-n", single_nodes)
    assert done.returncode == 0, done.stderr
    version = clusters.status("old", single_nodes)["version"]
    assert done.stdout.startswith(f"RabbitCluster {single_nodes}/old: ready, RabbitMQ {version}, cluster old\n")
    assert "Available" in done.stdout and f"rabbit@old-node-0.old-nodes.{single_nodes}" in done.stdout
    assert "clients log in with Secret old-default-user" in done.stdout
    told = json.loads(rabbit("status", "old", "-n", single_nodes, "-o", "json").stdout)
    assert told["endpoints"] == clusters.status("old", single_nodes)["endpoints"]


def test_plan_is_the_same_as_the_operators(rabbit, single_nodes):
    done = wait_until("an empty plan", lambda: (d := rabbit("plan", "new", "-n", single_nodes)).returncode == 0 and d, timeout=20)
    assert done.stdout.endswith("nothing to do\n"), done.stdout


def test_events_are_those_of_the_cluster_and_its_pods_by_their_time(rabbit, single_nodes):
    done = rabbit("events", "old", "-n", single_nodes)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()[1:]
    assert any("RabbitCluster old " in line for line in lines) and any("Pod old-node-0 " in line for line in lines), done.stdout
    assert not any(" new" in " ".join(line.split()[3:5]) for line in lines), done.stdout
    times = [line.split()[0] for line in lines]
    assert times == sorted(times)


def test_pause_holds_the_operator_back_until_resume(rabbit, single_nodes):
    broker = clusters.broker("old", single_nodes)
    done = rabbit("pause", "old", "-n", single_nodes)
    assert done.returncode == 0 and "is paused: " in done.stdout, done
    assert "is paused already: " in rabbit("pause", "old", "-n", single_nodes).stdout
    wait_until("the operator pauses", lambda: "paused" in wait_condition("old", single_nodes, "Ready", "True")["message"])
    assert "; paused" in rabbit("status", "old", "-n", single_nodes).stdout.splitlines()[0]
    broker.put("cluster-name", {"name": "by-hand"})
    held = wait_until("a step that is held back", lambda: (d := rabbit("plan", "old", "-n", single_nodes)).returncode == 1 and d, timeout=20)
    assert 'set the cluster name "old"' in held.stdout
    assert broker.get("cluster-name")["name"] == "by-hand"
    done = rabbit("resume", "old", "-n", single_nodes)
    assert done.returncode == 0 and "is resumed: " in done.stdout, done
    assert not kubectl.get("rabbit", "old", single_nodes)["spec"].get("paused")  # the CRD's default is filled in
    wait_until("the name is put back", lambda: broker.get("cluster-name")["name"] == "old", timeout=30)
    assert "is not paused" in rabbit("resume", "old", "-n", single_nodes).stdout
    wait_condition("old", single_nodes, "Ready", "True")


def test_manage_leads_to_the_management_until_it_is_stopped(rabbit, single_nodes):
    login = kubectl.secret("new-default-user", single_nodes)
    process = rabbit("manage", "new", "-n", single_nodes, start=True)
    try:
        port = int(first_match(process, process.stdout, r"http://127\.0\.0\.1:(\d+)/")[1])
        assert process.stdout.readline() == f"user: {login['username']}\n"
        assert login["password"] not in process.stdout.readline()
        broker = Management("127.0.0.1", login["username"], login["password"], port=port)
        assert broker.get("overview")["cluster_name"] == "new"
        broker.put("policies/%2F/by-hand", {"pattern": "^none$", "definition": {"max-length": 1}})
        assert broker.get("policies/%2F/by-hand")["pattern"] == "^none$"
        broker.delete("policies/%2F/by-hand")
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=10) == 0
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
    process = rabbit("manage", "new", "-n", single_nodes, "--show-password", start=True)
    try:
        assert first_match(process, process.stdout, r"^password: (.*)$")[1] == login["password"]
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.mark.parametrize("arguments, told", [
    (("status",), "NAME"),
    (("status", "absent"), "absent"),
    (("stats", "old"), "there is no command 'stats'"),
    (("pause", "old", "--for-ever"), "--for-ever"),
    (("status", "old", "--context", "nowhere"), "nowhere"),
])
def test_what_is_wrong_is_one_line_and_exit_code_2(rabbit, single_nodes, arguments, told):
    scope = ("-n", single_nodes) if len(arguments) > 1 else ()
    done = rabbit(*arguments, *scope)
    assert done.returncode == 2 and done.stdout == "", done
    assert len(done.stderr.splitlines()) == 1 and told in done.stderr, done.stderr
