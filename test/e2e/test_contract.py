"""What the operator's client of the management API takes for granted, against the real brokers."""

import subprocess

import pytest

from lib import kubectl
from lib.clusters import wait_condition
from lib.wait import wait_until

PROGRAM = kubectl.ROOT / "build" / "release" / "test" / "contract" / "broker_contract"


VERSIONS = [("oldest", "3.8."), ("old", "3.10."), ("new", "4.0."), ("newest", "4.3.")]


@pytest.fixture
def paused(every_version, name):
    """The operator changes nothing meanwhile: the program changes the cluster's name, and puts it back itself."""
    kubectl.patch("rabbit", name, every_version, {"spec": {"paused": True}})
    wait_until(f"{name} is paused", lambda: "paused" in wait_condition(name, every_version, "Ready", "True")["message"])
    yield every_version
    kubectl.patch("rabbit", name, every_version, {"spec": {"paused": None}})
    wait_condition(name, every_version, "Ready", "True")


@pytest.mark.parametrize("name, version", VERSIONS)
def test_the_broker_keeps_the_contract(paused, tmp_path, name, version):
    assert kubectl.get("rabbit", name, paused)["status"]["version"].startswith(version)
    user = kubectl.secret(f"{name}-default-user", paused)
    password = tmp_path / "password"
    password.write_text(user["password"], encoding="utf-8")
    url = f"http://{kubectl.service_address(f'{name}-brokers', paused)}:15672"
    done = subprocess.run([PROGRAM, url, user["username"], password], capture_output=True, text=True, timeout=60, check=False,
                          stdin=subprocess.DEVNULL)
    assert done.returncode == 0 and "[  PASSED  ]" in done.stdout, done.stdout[-6000:] + done.stderr[-2000:]
