"""The management API of a real broker, on one kept connection."""

import base64
import http.client
import json

from lib.api import path_of


class NotFound(Exception):
    pass


class Management:
    """Of a cluster's first node, as its default user. One thread at a time."""

    def __init__(self, kubernetes, namespace, name):
        read = lambda kind, what: kubernetes.admin.call("GET", path_of("v1", kind, namespace, what))
        self.connection = http.client.HTTPConnection(read("pods", f"{name}-node-0")["status"]["podIP"], 15672, timeout=30)
        login = read("secrets", f"{name}-default-user")["data"]
        words = [base64.b64decode(login[key]) for key in ("username", "password")]
        self.headers = {"Authorization": "Basic " + base64.b64encode(b":".join(words)).decode(), "Content-Type": "application/json"}

    def call(self, method, path, body=None):
        self.connection.request(method, f"/api/{path}", None if body is None else json.dumps(body), self.headers)
        answer = self.connection.getresponse()
        text = answer.read()
        if answer.status == 404:
            raise NotFound(path)
        if answer.status >= 300:
            raise RuntimeError(f"{method} {path}: {answer.status} {text[:200]}")
        return json.loads(text) if text else None

    def get(self, path):
        return self.call("GET", path)

    def put(self, path, body):
        return self.call("PUT", path, body)

    def delete(self, path):
        """What is gone already, is gone."""
        try:
            self.call("DELETE", path)
        except NotFound:
            pass
