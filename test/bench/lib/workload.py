"""RabbitClusters, and what Kubernetes' controllers and nodes would make of the operator's StatefulSets
and Deployments: pods with addresses, volume claims, counts in the status."""

import copy
import json
import time

from lib.api import path_of

MERGE = "application/merge-patch+json"


def rabbit_cluster(namespace, name, seed=False):
    """Three nodes behind two proxies; with `seed` the user and the policy of the example."""
    spec = {"replicas": 3, "image": "localhost/rabbitmq:3.10-management", "loadBalancer": {"image": "localhost/haproxy:2.6"}}
    if seed:
        spec["clusterName"] = name
        spec["users"] = [{"name": "root", "passwordSecretRef": {"name": "rabbit-root", "key": "password"}, "tags": ["administrator"],
                          "permissions": [{"vhost": "/", "configure": "^$", "write": "^$", "read": ".*"}]}]
        spec["policies"] = [{"vhost": "/", "name": "half", "pattern": "^queue.*1$", "applyTo": "queues",
                             "definition": {"ha-mode": "exactly", "ha-params": 2}}]
    return {"apiVersion": "rabbitcluster.dev/v1beta1", "kind": "RabbitCluster",
            "metadata": {"name": name, "namespace": namespace}, "spec": spec}


def create_clusters(server, namespace, names, seed=False):
    path = path_of("rabbitcluster.dev/v1beta1", "rabbitclusters", namespace)
    server.send_all([server.request("POST", path, rabbit_cluster(namespace, name, seed)) for name in names])


def _list(server, api_version, plural, namespace):
    return server.call("GET", path_of(api_version, plural, namespace))["items"]


def count(connection, server, api_version, plural, namespace):
    """How many there are, without reading them."""
    _, text = connection.send(server.request("GET", path_of(api_version, plural, namespace) + "?limit=1"))
    answer = json.loads(text)
    return len(answer["items"]) + answer["metadata"].get("remainingItemCount", 0)


def wait_for(server, plural, namespace, number, timeout=300):
    """Until so many of apps/v1 are there."""
    until = time.time() + timeout
    with server.connect() as connection:
        while count(connection, server, "apps/v1", plural, namespace) < number:
            if time.time() > until:
                raise RuntimeError(f"the {plural} did not come")
            time.sleep(0.1)


def run_pods(server, plural, namespace, address, claims=False):
    """Plays controllers and kubelets: all pods of all `statefulsets` or `deployments` run and are ready.
    `address(cluster, "broker" or "proxy", ordinal)` is a pod's address."""
    objects, states = [], []
    for owner in _list(server, "apps/v1", plural, namespace):
        cluster = owner["metadata"]["labels"]["app.kubernetes.io/instance"]
        is_set = "serviceName" in owner["spec"]
        for ordinal in range(owner["spec"]["replicas"]):
            name = f"{owner['metadata']['name']}-{ordinal}" if is_set else f"{owner['metadata']['name']}-6d5f8b7c9-{ordinal:05}"
            pod = _pod(owner, name, is_set)
            objects.append(server.request("POST", path_of("v1", "pods", namespace), pod))
            state = _running(pod, address(cluster, "broker" if is_set else "proxy", ordinal))
            states.append(server.request("PATCH", path_of("v1", "pods", namespace, name, "status"), state, MERGE))
            if is_set and claims:
                for template in owner["spec"].get("volumeClaimTemplates", []):
                    claim = copy.deepcopy(template)
                    claim["metadata"] = {"name": f"{template['metadata']['name']}-{name}",
                                         "labels": owner["spec"]["selector"]["matchLabels"] | template["metadata"].get("labels", {})}
                    claim.pop("status", None)
                    objects.append(server.request("POST", path_of("v1", "persistentvolumeclaims", namespace), claim))
                    states.append(server.request("PATCH", path_of("v1", "persistentvolumeclaims", namespace, claim["metadata"]["name"], "status"),
                                                 {"status": {"phase": "Bound"}}, MERGE))
        replicas = owner["spec"]["replicas"]
        counts = {"observedGeneration": owner["metadata"]["generation"], "replicas": replicas, "readyReplicas": replicas,
                  "updatedReplicas": replicas, "availableReplicas": replicas}
        states.append(server.request("PATCH", path_of("apps/v1", "statefulsets" if is_set else "deployments", namespace,
                                                      owner["metadata"]["name"], "status"), {"status": counts}, MERGE))
    server.send_all(objects)
    server.send_all(states)


def _pod(owner, name, is_set):
    template = owner["spec"]["template"]
    spec = copy.deepcopy(template["spec"])
    spec["nodeName"] = "bench"
    metadata = {"name": name, "labels": dict(template["metadata"]["labels"]), "annotations": dict(template["metadata"].get("annotations", {}))}
    if is_set:
        spec["hostname"], spec["subdomain"] = name, owner["spec"]["serviceName"]
        spec.setdefault("volumes", []).extend(
            {"name": claim["metadata"]["name"], "persistentVolumeClaim": {"claimName": f"{claim['metadata']['name']}-{name}"}}
            for claim in owner["spec"].get("volumeClaimTemplates", []))
        metadata["labels"]["statefulset.kubernetes.io/pod-name"] = name
        metadata["ownerReferences"] = [{"apiVersion": "apps/v1", "kind": "StatefulSet", "name": owner["metadata"]["name"],
                                        "uid": owner["metadata"]["uid"], "controller": True, "blockOwnerDeletion": True}]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def _running(pod, address):
    def state(container, what):
        return {"name": container["name"], "image": container["image"], "imageID": "", "ready": True, "restartCount": 0, "state": what}

    start = "2025-01-01T00:00:00Z"
    return {"status": {
        "phase": "Running", "podIP": address, "podIPs": [{"ip": address}], "hostIP": "127.0.0.1", "startTime": start,
        "conditions": [{"type": kind, "status": "True", "lastTransitionTime": start}
                       for kind in ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled")],
        "initContainerStatuses": [state(c, {"terminated": {"exitCode": 0, "reason": "Completed"}}) for c in pod["spec"].get("initContainers", [])],
        "containerStatuses": [state(c, {"running": {"startedAt": start}}) for c in pod["spec"]["containers"]]}}
