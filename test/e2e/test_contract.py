"""What the operator's client of the management API takes for granted, against the real brokers."""

import subprocess

import pytest

from lib import kubectl
from lib.clusters import wait_condition
from lib.wait import wait_until

PROGRAM = kubectl.ROOT / "build" / "release" / "test" / "contract" / "broker_contract"


# What must answer there. `newest` comes from where versions move on (sid): what follows 4.3 is held to the contract too.
VERSIONS = [("oldest", (3, 8), (3, 9)), ("old", (3, 10), (3, 11)), ("new", (4, 0), (4, 1)), ("newest", (4, 3), (5, 0))]


@pytest.fixture
def paused(standing, name):
    """The operator changes nothing meanwhile: the program changes the cluster's name, and puts it back itself."""
    namespace = standing(name)
    kubectl.patch("rabbit", name, namespace, {"spec": {"paused": True}})
    wait_until(f"{name} is paused", lambda: "paused" in wait_condition(name, namespace, "Ready", "True")["message"])
    yield namespace
    kubectl.patch("rabbit", name, namespace, {"spec": {"paused": None}})
    wait_condition(name, namespace, "Ready", "True")


@pytest.mark.parametrize("name, least, below", VERSIONS, ids=[name for name, *_ in VERSIONS])
def test_the_broker_keeps_the_contract(paused, tmp_path, name, least, below):
    version = kubectl.get("rabbit", name, paused)["status"]["version"]
    assert least <= tuple(map(int, version.split(".")[:2])) < below
    user = kubectl.secret(f"{name}-default-user", paused)
    password = tmp_path / "password"
    password.write_text(user["password"], encoding="utf-8")
    url = f"http://{kubectl.service_address(f'{name}-brokers', paused)}:15672"
    done = subprocess.run([PROGRAM, url, user["username"], password], capture_output=True, text=True, timeout=60, check=False,
                          stdin=subprocess.DEVNULL)
    assert done.returncode == 0 and "[  PASSED  ]" in done.stdout, done.stdout[-6000:] + done.stderr[-2000:]
