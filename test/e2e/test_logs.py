"""What a failure leaves for whoever looks into it: toy tests that fail, under the hooks of the real ones, with a
kubectl that only repeats its arguments, and knows two pods in every namespace."""

import json
import os
import pathlib
import re
import subprocess
import sys

import pytest

TOYS = '''
import pathlib, pytest
from lib import clusters, kubectl, logs

logs.DIRECTORY = pathlib.Path("collected").absolute()
kubectl.command = lambda *arguments: (
    ["cat", "pods.json"] if arguments[:2] == ("get", "pods") else ["echo", "kubectl", *map(str, arguments)])

def never(*_, **__):
    raise AssertionError("not Ready")

clusters.wait_condition = never

@pytest.fixture(scope="module")
def three(shared_namespace):
    never()

def test_of_its_own(namespace):
    never()

def test_of_a_fixture_that_fails(three):
    pass

def test_of_the_second_after_it(three):
    pass

def test_of_the_clusters_of_all(single_nodes):
    pass

def test_of_none():
    never()

def test_that_passes(namespace):
    pass
'''
PODS = {"items": [
    {"metadata": {"name": "new"}, "status": {}},
    {"metadata": {"name": "old"}, "status": {"initContainerStatuses": [{"name": "first", "restartCount": 0}],
                                             "containerStatuses": [{"name": "main", "restartCount": 2}]}},
]}
OPERATOR = "rabbit-operator-system"


@pytest.fixture(scope="module")
def collected(tmp_path_factory):
    """Which namespaces each toy left something of."""
    place = tmp_path_factory.mktemp("toys")
    (place / "test_toys.py").write_text(TOYS)
    (place / "pods.json").write_text(json.dumps(PODS))
    (place / "collected" / "test_of_none" / "e2e-earlier").mkdir(parents=True)
    line = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "conftest", f"--rootdir={place}", "-c", os.devnull, "test_toys.py"]
    done = subprocess.run(line, cwd=place, capture_output=True, text=True, timeout=60, check=False, stdin=subprocess.DEVNULL,
                          env=os.environ | {"PYTHONPATH": str(pathlib.Path(__file__).parent), "PYTHONDONTWRITEBYTECODE": "1"})
    assert "2 failed, 1 passed, 3 errors" in done.stdout, done.stdout + done.stderr
    assert f"collected in {place / 'collected' / 'test_of_none'}" in done.stdout
    for objects in (place / "collected").glob("*/*/objects.txt"):
        assert f"--namespace {objects.parent.name} " in objects.read_text()
        logs = {path.name: path.read_text() for path in objects.parent.glob("*.log")}
        assert logs == {name: f"kubectl logs old --namespace {objects.parent.name} --container {rest}\n" for name, rest in {
            "old.first.log": "first", "old.main.log": "main", "old.main.previous.log": "main --previous"}.items()}
    return {test.name: {each.name for each in test.iterdir() if each.is_dir()} for test in (place / "collected").iterdir()}


def test_what_a_failed_test_was_about_is_collected_and_nothing_else(collected):
    own, = (name for name in collected.pop("test_of_its_own") if name != OPERATOR)
    assert re.fullmatch(r"e2e-of-its-own-[0-9a-f]{6}", own)
    assert collected == {
        "test_of_a_fixture_that_fails": {"e2e-toys", OPERATOR},
        "test_of_the_second_after_it": {"e2e-toys", OPERATOR},
        "test_of_the_clusters_of_all": {"e2e-single-nodes", OPERATOR},
        "test_of_none": {OPERATOR},
    }
