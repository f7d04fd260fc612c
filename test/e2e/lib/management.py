"""The management API of one broker."""

import base64
import json
import time
import urllib.error
import urllib.parse
import urllib.request


# A Service leads to a pod a moment after the pod is ready, and until then refuses.
UNTIL_THE_SERVICE_LEADS_THERE = 15


class ApiError(Exception):
    """The broker answered with an error; `status` and `body` are its answer."""

    def __init__(self, method, url, status, body):
        super().__init__(f"{method} {url}: {status} {body}")
        self.status = status
        self.body = body


def quoted(name):
    """A vhost or other name as a part of a path: `/` becomes `%2F`."""
    return urllib.parse.quote(name, safe="")


class Management:
    """GET, PUT, POST and DELETE below /api, with JSON both ways.

        broker = Management(kubectl.service_address("rmq-brokers", "test"), "root", password)
        assert len(broker.get("nodes")) == 3
        broker.put(f"policies/{quoted('/')}/half", {"pattern": "^q", "definition": {"ha-mode": "all"}})
    """

    def __init__(self, host, user, password, port=15672, timeout=10):
        self._base = f"http://{host}:{port}/api/"
        self._timeout = timeout
        self._headers = {"Content-Type": "application/json",
                         "Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}
        # Never through a proxy: the address exists on this machine only.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def call(self, method, path, body=None):
        url = self._base + path
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(url, data=data, headers=self._headers, method=method)
        patience = time.monotonic() + UNTIL_THE_SERVICE_LEADS_THERE
        while True:
            try:
                with self._opener.open(request, timeout=self._timeout) as answer:
                    text = answer.read().decode()
                return json.loads(text) if text else None
            except urllib.error.HTTPError as error:
                raise ApiError(method, url, error.code, error.read().decode(errors="replace")) from None
            except urllib.error.URLError as error:
                if not isinstance(error.reason, ConnectionRefusedError) or time.monotonic() > patience:
                    raise
            time.sleep(0.2)

    def get(self, path):
        return self.call("GET", path)

    def put(self, path, body):
        return self.call("PUT", path, body)

    def post(self, path, body):
        return self.call("POST", path, body)

    def delete(self, path):
        return self.call("DELETE", path)

    def running_nodes(self):
        """The names of the cluster's nodes that run, as this broker sees it, sorted."""
        return sorted(node["name"] for node in self.get("nodes") if node["running"])
