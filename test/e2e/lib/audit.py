"""Who wrote what to the API server, from its audit log: writes, reads of Secrets, and all that the operator reads."""

import datetime
import json

from lib import kubectl

LOG = kubectl.RUN_DIRECTORY / "logs" / "audit.log"


def position():
    """Where the log ends now; give it to `events` to see only what comes after."""
    return LOG.stat().st_size


def events(since=0, user=None):
    """The events after a position, of one user when given (system:serviceaccount:NAMESPACE:NAME)."""
    with open(LOG, encoding="utf-8") as log:
        log.seek(since)
        found = [json.loads(line) for line in log if line.endswith("\n")]
    return [event for event in found if user in (None, event["user"]["username"])]


def pod(event):
    """The pod whose process sent it. Kubernetes binds a pod's token to the pod, and tells it here."""
    return event["user"]["extra"]["authentication.kubernetes.io/pod-name"][0]


def received(event):
    """When the server got it, in seconds."""
    return datetime.datetime.fromisoformat(event["requestReceivedTimestamp"]).timestamp()


def answered(event):
    """When the server had done it, in seconds."""
    return datetime.datetime.fromisoformat(event["stageTimestamp"]).timestamp()


def summary(found):
    """Events in words: ["patch statefulsets test/rmq-node 200", "create pods/exec test/rmq-node-0 101", …]."""
    lines = []
    for event in found:
        target = event.get("objectRef", {})
        resource = "/".join(filter(None, (target.get("resource", event["requestURI"]), target.get("subresource"))))
        lines.append(f"{event['verb']} {resource} "
                     f"{target.get('namespace', '')}/{target.get('name', '')} {event.get('responseStatus', {}).get('code', '')}".strip())
    return lines
