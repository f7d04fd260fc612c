"""Fixtures of all end-to-end tests, and the collection of logs when one fails."""

import hashlib
import re

import pytest

from lib import kubectl, logs

# Collected with every failure, besides the test's own namespace.
OPERATOR_NAMESPACE = "rabbit-operator-system"


@pytest.fixture(scope="session", autouse=True)
def _cluster():
    try:
        kubectl.kubectl("get", "--raw", "/readyz")
    except Exception as error:
        pytest.exit(f"no cluster to test on ({error}); start one: test/e2e/kubernetes/cluster up", returncode=3)


@pytest.fixture
def namespace(request):
    """A namespace of the test's own. Like a well-kept cluster's, it takes only pods of the level "restricted"."""
    words = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower().removeprefix("test_")).strip("-")
    digest = hashlib.sha256(request.node.nodeid.encode()).hexdigest()[:6]
    name = f"e2e-{words[:30].rstrip('-')}-{digest}"
    kubectl.delete("namespace", name)
    kubectl.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {
        "name": name, "labels": {"pod-security.kubernetes.io/enforce": "restricted"}}})
    yield name
    kubectl.delete("namespace", name, wait=False)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    if report.when == "teardown" or not report.failed:
        return
    own = [item.funcargs["namespace"]] if "namespace" in getattr(item, "funcargs", {}) else []
    place = logs.collect(re.sub(r"[^A-Za-z0-9_.-]+", "-", item.name), [*own, OPERATOR_NAMESPACE])
    report.sections.append(("logs", f"collected in {place.relative_to(kubectl.ROOT)}"))
