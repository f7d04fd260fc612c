"""Everything about some namespaces, into files, for whoever reads the failure later."""

import pathlib
import shutil

from lib import kubectl

DIRECTORY = kubectl.ROOT / "build" / "e2e-logs"


def collect(name, namespaces):
    """Writes objects, events, descriptions and logs of pods into build/e2e-logs/NAME; returns that path."""
    directory = DIRECTORY / name
    shutil.rmtree(directory, ignore_errors=True)  # of a failure in an earlier run
    directory.mkdir(parents=True, exist_ok=True)
    _save(directory / "nodes.txt", "describe", "nodes")
    for namespace in namespaces:
        place = directory / namespace
        place.mkdir(exist_ok=True)
        scope = ("--namespace", namespace)
        _save(place / "objects.txt", "get", "all,configmaps,persistentvolumeclaims,endpointslices,poddisruptionbudgets", *scope, "--output=wide")
        _save(place / "rabbitclusters.yaml", "get", "rabbitclusters.rabbitcluster.dev", *scope, "--output=yaml")
        _save(place / "configmaps.yaml", "get", "configmaps", *scope, "--output=yaml")
        _save(place / "events.txt", "events", *scope)
        _save(place / "pods.txt", "describe", "pods", *scope)
        for pod in _pods(namespace):
            _save_logs(place, pod, namespace)
    return directory


def _pods(namespace):
    try:
        return kubectl.list_all("pods", namespace)
    except Exception:  # pylint: disable=broad-except  # nor may this end the whole run
        return []


def _save_logs(place, pod, namespace):
    name = pod["metadata"]["name"]
    for status in pod["status"].get("initContainerStatuses", []) + pod["status"].get("containerStatuses", []):
        of = ("logs", name, "--namespace", namespace, "--container", status["name"])
        _save(place / f"{name}.{status['name']}.log", *of)
        if status["restartCount"]:
            _save(place / f"{name}.{status['name']}.previous.log", *of, "--previous")


def _save(path: pathlib.Path, *arguments):
    try:
        text = kubectl.kubectl(*arguments)
    except Exception as error:  # pylint: disable=broad-except  # the next file may still be had
        text = f"{error}\n"
    path.write_text(text, encoding="utf-8")
