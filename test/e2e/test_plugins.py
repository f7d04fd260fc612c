"""Plugins and feature flags of running brokers, on every version."""

import pytest

from lib import clusters, installed, kubectl
from lib.clusters import wait_condition
from lib.wait import NotYet, wait_until

OWN = {"rabbitmq_management", "rabbitmq_prometheus"}
VERSIONS = ["oldest", "old", "new", "newest"]


@pytest.fixture(params=VERSIONS)
def name(request, standing, single_nodes):
    standing(request.param)
    yield request.param
    kubectl.patch("rabbit", request.param, single_nodes, {"spec": {"plugins": None, "rollout": None}})
    wait_condition(request.param, single_nodes, "Ready", "True")


def are_enabled(name, namespace, plugins):
    """By what the node itself says."""
    listed = kubectl.execute(f"{name}-node-0", namespace, "cat", "/etc/rabbitmq/enabled_plugins", container="rabbitmq")
    found = set(listed.strip().removesuffix(".").strip("[]").split(","))
    if found != OWN | set(plugins):
        raise NotYet(found)
    return True


def runs(name, namespace, plugin):
    broker = clusters.broker(name, namespace)
    applications = {app["name"] for app in broker.get("nodes")[0].get("applications", [])}
    if plugin not in applications:
        raise NotYet(applications)
    return True


def drift_is_told(name, namespace, words):
    events = kubectl.list_all("events.events.k8s.io", namespace)
    notes = [event["note"] for event in events if event["reason"] == "DriftRepaired" and event["regarding"]["name"] == name]
    if not any(words in note for note in notes):
        raise NotYet(notes)
    return True


def test_plugins_change_without_a_restart_and_stay_as_declared(name, single_nodes):
    installed.restart()  # events of an object are cut short after 25
    before = clusters.node_uids(name, single_nodes)
    kubectl.patch("rabbit", name, single_nodes, {"spec": {"plugins": ["rabbitmq_shovel", "rabbitmq_top"]}})
    wait_until("the plugins", lambda: are_enabled(name, single_nodes, ["rabbitmq_shovel", "rabbitmq_top"]), timeout=60)
    wait_until("they run", lambda: runs(name, single_nodes, "rabbitmq_top"), timeout=30)
    wait_condition(name, single_nodes, "Ready", "True")

    kubectl.kubectl("-n", single_nodes, "exec", f"{name}-node-0", "-c", "rabbitmq", "--", "sh", "-c",
                    "export RABBITMQ_PLUGINS_DIR=$(rabbitmqctl -q eval '{ok, D} = application:get_env(rabbit, plugins_dir), D.' | tr -d '\"'); "
                    "rabbitmq-plugins -q set rabbitmq_management rabbitmq_prometheus rabbitmq_shovel rabbitmq_event_exchange", timeout=60)
    wait_until("they are put back", lambda: are_enabled(name, single_nodes, ["rabbitmq_shovel", "rabbitmq_top"]), timeout=60)
    wait_until("it is told", lambda: drift_is_told(name, single_nodes, "rabbitmq_event_exchange is enabled and not declared"), timeout=20)

    kubectl.patch("rabbit", name, single_nodes, {"spec": {"plugins": None}})
    wait_until("they are disabled", lambda: are_enabled(name, single_nodes, []), timeout=60)
    wait_condition(name, single_nodes, "Ready", "True")
    assert clusters.node_uids(name, single_nodes) == before, "no node was restarted"


def test_a_plugin_that_does_not_exist_is_told_and_the_others_are_in_effect(name, single_nodes):
    kubectl.patch("rabbit", name, single_nodes, {"spec": {"plugins": ["rabbitmq_top", "no_such_plugin"]}})
    found = wait_condition(name, single_nodes, "TopologySynced", "False", "PluginMissing", timeout=60)
    assert f"no plugin no_such_plugin in the image of {name}-node-0" in found["message"]
    wait_until("the other", lambda: are_enabled(name, single_nodes, ["rabbitmq_top"]), timeout=60)
    assert kubectl.is_true(kubectl.get("rabbit", name, single_nodes), "NodesReady"), "no restart is pending"


def recorded(name, namespace):
    """For what the operator has noted that all stable feature flags are enabled."""
    return kubectl.get("configmap", f"{name}-inventory", namespace)["data"]["featureFlagsOf"]


def stable_flags(name, namespace):
    return {flag["name"]: flag["state"] for flag in clusters.broker(name, namespace).get("feature-flags") if flag["stability"] == "stable"}


def test_the_stable_feature_flags_are_enabled_and_no_others(name, single_nodes):
    assert set(stable_flags(name, single_nodes).values()) <= {"enabled"}
    assert recorded(name, single_nodes) == kubectl.get("rabbit", name, single_nodes)["status"]["version"]


@pytest.mark.parametrize("image, some", [(clusters.OLD, {"quorum_queue", "drop_unroutable_metric"}),
                                         (clusters.NEW, {"rabbitmq_4.0.0", "detailed_queues_endpoint"})], ids=["old", "new"])
def test_feature_flags_that_a_broker_has_booted_without_are_enabled(namespace, image, some):
    """As after an upgrade: a new broker enables them by itself, unless it is told which ones. Some are of plugins."""
    kubectl.apply(clusters.small("flags", image, advancedConfig="[{rabbit, [{forced_feature_flags_on_init, []}]}]."), namespace)
    wait_condition("flags", namespace, "Ready", "True", timeout=180)
    version = kubectl.get("rabbit", "flags", namespace)["status"]["version"]
    wait_until("it is recorded", lambda: recorded("flags", namespace) == version, timeout=60)
    flags = stable_flags("flags", namespace)
    assert some <= set(flags) and set(flags.values()) == {"enabled"}
    log = [line for line in installed.logs().splitlines() if f"{namespace}/flags" in line]
    assert all(any(f"enable feature flag {flag}" in line for line in log) for flag in some), "not by the broker"
