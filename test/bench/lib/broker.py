"""Plays the management API of many brokers and the statistics page of their proxies, in one process on
addresses in 127.0.0.0/8: what is PUT is what the next GET says. Addresses of clusters that hang accept
connections and never answer. Run as `python -m lib.broker CONFIG`; every write goes to standard output
as a line of JSON: {"time", "cluster", "method", "path", "body"}.

CONFIG: {"clusters": [{"name", "namespace", "hangs", "config_hash", "brokers": [address], "proxies": [address]}]}"""

import json
import re
import selectors
import socket
import sys
import time
import urllib.parse

MANAGEMENT_PORT, STATISTICS_PORT = 15672, 9000
CSV_COLUMNS = ["pxname", "svname", "scur", "status", "weight", "type", "check_status"]


class Cluster:
    def __init__(self, config):
        self.name = config["name"]
        self.hangs = config["hangs"]
        self.nodes = [f"rabbit@{self.name}-node-{i}.{self.name}-nodes.{config['namespace']}" for i in range(len(config["brokers"]))]
        self.cluster_name = self.nodes[0]
        self.users = {"rabbit-operator": {"name": "rabbit-operator", "password_hash": "x", "hashing_algorithm": "rabbit_password_hashing_sha256",
                                          "tags": ["administrator"], "limits": {}}}
        self.vhosts = {"/": {"name": "/", "description": "Default virtual host", "tags": [], "default_queue_type": "undefined",
                             "cluster_state": dict.fromkeys(self.nodes, "running")}}
        self.permissions = {("/", "rabbit-operator"): {"user": "rabbit-operator", "vhost": "/", "configure": ".*", "write": ".*", "read": ".*"}}
        self.policies = {}
        rows = [{"svname": f"{self.name}-node-{i}", "status": "UP"} for i in range(len(self.nodes))] + [{"svname": "BACKEND", "status": "UP"}]
        lines = ["# " + ",".join(CSV_COLUMNS)] + [",".join(({"pxname": "rabbitmq_cluster", "scur": "0", "weight": "1", "type": "2"} | row).get(c, "")
                                                          for c in CSV_COLUMNS) for row in rows]
        self.statistics = ("\n".join(lines) + "\n").encode(), [f"x-config-hash: {config['config_hash']}"]

    def get(self, path):
        node = self.nodes[0]
        return {"overview": lambda: {"rabbitmq_version": "3.10.8", "cluster_name": self.cluster_name, "node": node},
                "nodes": lambda: [{"name": n, "running": True, "type": "disc", "partitions": [], "mem_alarm": False, "disk_free_alarm": False,
                                   "being_drained": False, "enabled_plugins": ["rabbitmq_management", "rabbitmq_prometheus"],
                                   "applications": [{"name": "rabbit", "version": "3.10.8"}, {"name": "rabbitmq_management_agent", "version": "3.10.8"}]}
                                  for n in self.nodes],
                "feature-flags": lambda: [{"name": "quorum_queue", "state": "enabled", "stability": "stable"}],
                "cluster-name": lambda: {"name": self.cluster_name},
                "vhosts": lambda: list(self.vhosts.values()), "users": lambda: list(self.users.values()),
                "permissions": lambda: list(self.permissions.values()), "policies": lambda: list(self.policies.values()),
                "operator-policies": lambda: [], "topic-permissions": lambda: [], "queues": lambda: []}.get(path, lambda: None)()

    def put(self, parts, body):
        kind, *names = parts
        if kind == "cluster-name":
            self.cluster_name = body["name"]
        elif kind == "vhosts":
            self.vhosts[names[0]] = {"default_queue_type": "undefined", "tags": [], "description": "",
                                     "cluster_state": dict.fromkeys(self.nodes, "running")} | body | {"name": names[0]}
        elif kind == "users":
            self.users[names[0]] = body | {"name": names[0], "limits": {}}
        elif kind == "permissions":
            self.permissions[names[0], names[1]] = body | {"vhost": names[0], "user": names[1]}
        elif kind == "policies":
            self.policies[names[0], names[1]] = body | {"vhost": names[0], "name": names[1]}
        else:
            return False
        return True

    def delete(self, parts):
        kind, *names = parts
        kept = {"vhosts": self.vhosts, "users": self.users, "permissions": self.permissions, "policies": self.policies}.get(kind, {})
        kept.pop(names[0] if len(names) == 1 else tuple(names), None)

    def answer(self, method, target, body):
        """(status, body, more headers)"""
        path = target.partition("?")[0]
        if not path.startswith("/api/"):
            return 200, *self.statistics
        parts = [urllib.parse.unquote(part) for part in path[len("/api/"):].split("/")]
        if method == "GET":
            found = self.get(parts[0])
            return (404, b"{}", []) if found is None else (200, json.dumps(found).encode(), ["Content-Type: application/json"])
        print(json.dumps({"time": time.time(), "cluster": self.name, "method": method, "path": path, "body": body.decode()}), flush=True)
        if method == "PUT":
            return (201, b"", []) if self.put(parts, json.loads(body)) else (404, b"{}", [])
        self.delete(parts)
        return 204, b"", []


class Peer:
    """One connection of a client."""

    def __init__(self, stream, cluster):
        self.stream, self.cluster, self.data = stream, cluster, b""

    def on_data(self):
        """False when the connection has ended."""
        try:
            piece = self.stream.recv(1 << 16)
        except OSError:
            piece = b""
        if not piece:
            return False
        if self.cluster.hangs:
            return True
        self.data += piece
        while (end := self.data.find(b"\r\n\r\n")) >= 0:
            head = self.data[:end].decode()
            length = re.search(r"\r\ncontent-length: *(\d+)", head, re.IGNORECASE)
            whole = end + 4 + (int(length.group(1)) if length else 0)
            if len(self.data) < whole:
                break
            body, self.data = self.data[end + 4:whole], self.data[whole:]
            method, target, _ = head.split(" ", 2)
            status, text, headers = self.cluster.answer(method, target, body)
            lines = [f"HTTP/1.1 {status} x", f"Content-Length: {len(text)}", *headers]
            self.stream.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + text)
        return True


def main(config):
    selector = selectors.DefaultSelector()
    for each in config["clusters"]:
        cluster = Cluster(each)
        for address, port in [(a, MANAGEMENT_PORT) for a in each["brokers"]] + [(a, STATISTICS_PORT) for a in each["proxies"]]:
            listener = socket.create_server((address, port), backlog=32)
            listener.setblocking(False)
            selector.register(listener, selectors.EVENT_READ, cluster)
    print(json.dumps({"listening": True}), flush=True)
    while True:
        for key, _ in selector.select():
            if isinstance(key.data, Peer):
                if not key.data.on_data():
                    selector.unregister(key.fileobj)
                    key.fileobj.close()
                continue
            try:
                stream, _ = key.fileobj.accept()
            except OSError:
                continue
            stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            selector.register(stream, selectors.EVENT_READ, Peer(stream, key.data))


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as file:
        main(json.load(file))
