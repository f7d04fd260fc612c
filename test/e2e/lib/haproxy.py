"""The statistics that HAProxy shows."""

import csv
import io
import urllib.request


def statistics(host, port=9000, path="/rabbitmq-stats", timeout=10):
    """The rows of the statistics page, each a dict by column name (pxname, svname, status, scur, …)."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"http://{host}:{port}{path};csv", timeout=timeout) as answer:
        text = answer.read().decode()
    return list(csv.DictReader(io.StringIO(text.removeprefix("# "))))


def servers(rows, backend="rabbitmq_cluster"):
    """A back end's servers and their states: {"rmq-node-0": "UP", …}."""
    return {row["svname"]: row["status"] for row in rows if row["pxname"] == backend and row["svname"] not in ("FRONTEND", "BACKEND")}
