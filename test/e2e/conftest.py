"""Fixtures of all end-to-end tests, and the collection of logs when one fails."""

import hashlib
import re

import pytest

from lib import clusters, installed, kubectl, logs

# The ground that the others stand on; then the example, which is large, while nothing else lives beside it.
FIRST = ("test_platform.py", "test_first_light.py")
MADE = pytest.StashKey[dict]()  # in the session, file or test that has it: which fixture made which namespace
COLLECTED = pytest.StashKey[int]()  # how many tests there were before -k and the like took some away, but those that take long


def count(items):
    return sum(item.get_closest_marker("long") is None for item in items)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config, items):
    config.stash[COLLECTED] = count(items)
    place = {name: number for number, name in enumerate(FIRST)}
    items.sort(key=lambda item: (item.get_closest_marker("last") is not None, place.get(item.path.name, len(FIRST))))


@pytest.fixture(scope="session", autouse=True)
def _cluster():
    try:
        kubectl.kubectl("get", "--raw", "/readyz")
    except Exception as error:
        pytest.exit(f"no cluster to test on ({error}); start one: test/e2e/kubernetes/cluster up", returncode=3)


def _make_namespace(request, name):
    # Noted before anything can fail, also what the fixture itself does next.
    request.node.stash.setdefault(MADE, {})[request.fixturename] = name
    # Like a well-kept cluster's, it takes only pods of the level "restricted".
    kubectl.delete("namespace", name)
    kubectl.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {
        "name": name, "labels": {"pod-security.kubernetes.io/enforce": "restricted"}}})


def _words(text):
    return re.sub(r"[^a-z0-9]+", "-", text.lower().removeprefix("test_")).strip("-")


@pytest.fixture
def namespace(request):
    """A namespace of the test's own."""
    digest = hashlib.sha256(request.node.nodeid.encode()).hexdigest()[:6]
    name = f"e2e-{_words(request.node.name)[:30].rstrip('-')}-{digest}"
    _make_namespace(request, name)
    yield name
    kubectl.delete("namespace", name, wait=False)


@pytest.fixture(scope="module")
def shared_namespace(request):
    """A namespace for all tests of a file."""
    name = f"e2e-{_words(request.module.__name__)}"
    _make_namespace(request, name)
    yield name
    kubectl.delete("namespace", name, wait=False)


@pytest.fixture(scope="session")
def single_nodes(request):
    """A namespace with two clusters of one node, `old` (3.10, behind HAProxy 2.6) and `new` (4.0, behind 3.0), both Ready. Leave them so."""
    name = "e2e-single-nodes"
    _make_namespace(request, name)
    kubectl.apply(clusters.SINGLE_NODES, name)
    for cluster in ("old", "new"):
        clusters.wait_condition(cluster, name, "Ready", "True", timeout=180)
    yield name
    kubectl.delete("namespace", name, wait=False)


@pytest.fixture(scope="session")
def standing(single_nodes):
    """`standing(NAME)`: the namespace of `single_nodes` with cluster NAME in it, Ready: `old`, `new`, or one of two more, `oldest` (3.8) and
    `newest` (4.3 or what follows it), which are made when first asked for: what keeps one away concerns its tests alone. Leave them so."""
    outcomes = {}

    def make(cluster):
        try:
            installed.load(clusters.EDGES[cluster]["spec"]["image"])
            kubectl.apply(clusters.EDGES[cluster], single_nodes)
            clusters.wait_condition(cluster, single_nodes, "Ready", "True", timeout=180)
        except Exception as error:  # told to each test, not tried by each
            return error
        return None

    def stand(cluster):
        if cluster in clusters.EDGES:
            if cluster not in outcomes:
                outcomes[cluster] = make(cluster)
            if outcomes[cluster] is not None:
                raise outcomes[cluster]
        return single_nodes

    return stand


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    if report.when == "teardown" or not report.failed:
        return
    # Of the namespaces that there are by now, those that the test asks for, itself or through another fixture: a
    # fixture that failed is the argument of nobody.
    own = [name for node in item.listchain() for fixture, name in node.stash.get(MADE, {}).items() if fixture in item.fixturenames]
    place = logs.collect(re.sub(r"[^A-Za-z0-9_.-]+", "-", item.name), [*own, installed.NAMESPACE])
    report.sections.append(("logs", f"collected in {place}"))
