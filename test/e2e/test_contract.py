"""What the operator's client of the management API takes for granted, against the real brokers."""

import subprocess

import pytest

from lib import kubectl
from lib.clusters import wait_condition
from lib.wait import wait_until

PROGRAM = kubectl.ROOT / "build" / "release" / "test" / "contract" / "broker_contract"


@pytest.fixture
def paused(single_nodes):
    """The operator changes nothing meanwhile: the program changes the cluster's name, and puts it back itself."""
    for name in ("old", "new"):
        kubectl.patch("rabbit", name, single_nodes, {"spec": {"paused": True}})
    for name in ("old", "new"):
        wait_until(f"{name} is paused", lambda c=name: "paused" in wait_condition(c, single_nodes, "Ready", "True")["message"])
    yield single_nodes
    for name in ("old", "new"):
        kubectl.patch("rabbit", name, single_nodes, {"spec": {"paused": None}})
    for name in ("old", "new"):
        wait_condition(name, single_nodes, "Ready", "True")


@pytest.mark.parametrize("name, version", [("old", "3.10."), ("new", "4.0.")])
def test_the_broker_keeps_the_contract(paused, tmp_path, name, version):
    assert kubectl.get("rabbit", name, paused)["status"]["version"].startswith(version)
    user = kubectl.secret(f"{name}-default-user", paused)
    password = tmp_path / "password"
    password.write_text(user["password"], encoding="utf-8")
    url = f"http://{kubectl.service_address(f'{name}-brokers', paused)}:15672"
    done = subprocess.run([PROGRAM, url, user["username"], password], capture_output=True, text=True, timeout=60, check=False,
                          stdin=subprocess.DEVNULL)
    assert done.returncode == 0 and "[  PASSED  ]" in done.stdout, done.stdout[-6000:] + done.stderr[-2000:]
