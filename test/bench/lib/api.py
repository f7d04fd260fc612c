"""Calls of the API server, as light as Python makes them: requests are bytes made beforehand, one
TLS connection stays open for each thread. The driver shares two cores with what it measures."""

import base64
import json
import re
import socket
import ssl
import tempfile
import threading
import time


class ApiError(Exception):
    pass


def path_of(api_version, plural, namespace=None, name=None, subresource=None):
    root = f"/api/{api_version}" if "/" not in api_version else f"/apis/{api_version}"
    parts = [root, "namespaces", namespace] if namespace else [root]
    return "/".join(parts + [part for part in (plural, name, subresource) if part])


class Server:
    """Where the API server is, and as whom we speak: the client certificate of a kubeconfig, or a token."""

    def __init__(self, kubeconfig, token=None):
        text = kubeconfig.read_text()
        host, port = re.search(r'server: "https://([^:]+):(\d+)"', text).groups()
        self.address = (host, int(port))
        self.token = token
        self.context = ssl.create_default_context(cadata=self._data(text, "certificate-authority-data").decode())
        if not token:
            with tempfile.NamedTemporaryFile() as pem:
                pem.write(self._data(text, "client-certificate-data") + b"\n" + self._data(text, "client-key-data"))
                pem.flush()
                self.context.load_cert_chain(pem.name)

    @staticmethod
    def _data(text, key):
        return base64.b64decode(re.search(key + r": (\S+?)[,}]", text).group(1))

    def request(self, method, path, body=None, content_type="application/json"):
        """The bytes of a request."""
        text = b"" if body is None else (body if isinstance(body, bytes) else json.dumps(body).encode())
        head = [f"{method} {path} HTTP/1.1", f"Host: {self.address[0]}", "User-Agent: rabbit-bench", "Accept: application/json",
                f"Content-Type: {content_type}", f"Content-Length: {len(text)}"]
        if self.token:
            head.append(f"Authorization: Bearer {self.token}")
        return "\r\n".join(head).encode() + b"\r\n\r\n" + text

    def connect(self):
        plain = socket.create_connection(self.address, timeout=60)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return Connection(self.context.wrap_socket(plain, server_hostname=self.address[0]))

    def call(self, method, path, body=None, content_type="application/json", allow=()):
        """One call on a connection of its own: the answer's JSON, or None when its status is in `allow`."""
        with self.connect() as connection:
            status, text = connection.send(self.request(method, path, body, content_type))
        if status in allow:
            return None
        if status // 100 != 2:
            raise ApiError(f"{method} {path}: {status} {text[:500].decode(errors='replace')}")
        return json.loads(text)

    def send_all(self, requests, connections=16):
        """Sends all over so many connections, each its next one when it has the answer of the one before. When each
        was answered, in their order."""
        left = iter(enumerate(requests))
        lock = threading.Lock()
        failures, answered = [], {}

        def work():
            with self.connect() as connection:
                while not failures:
                    with lock:
                        number, request = next(left, (None, None))
                    if request is None:
                        return
                    status, text = connection.send(request)
                    answered[number] = time.time()
                    if status // 100 != 2:
                        failures.append(f"{request[:120]!r}: {status} {text[:500]!r}")

        threads = [threading.Thread(target=work) for _ in range(connections)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if failures:
            raise ApiError(failures[0])
        return [at for _, at in sorted(answered.items())]


class Connection:
    def __init__(self, stream):
        self.stream = stream
        self.data = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stream.close()

    def send(self, request):
        self.stream.sendall(request)
        while (end := self.data.find(b"\r\n\r\n")) < 0:
            self._more()
        head, self.data = self.data[:end], self.data[end + 4:]
        status = int(head[9:12])
        length = re.search(rb"\r\nContent-Length: (\d+)", head, re.IGNORECASE)
        if length:
            return status, self._take(int(length.group(1)))
        return status, b"".join(self._chunks())

    def _chunks(self):
        while True:
            while (end := self.data.find(b"\r\n")) < 0:
                self._more()
            size = int(self.data[:end], 16)
            self.data = self.data[end + 2:]
            chunk = self._take(size + 2)[:-2]
            if not chunk:
                return
            yield chunk

    def _take(self, size):
        parts, have = [self.data], len(self.data)
        while have < size:
            parts.append(self.stream.recv(1 << 18))
            if not parts[-1]:
                raise ApiError("the API server closed the connection")
            have += len(parts[-1])
        whole = b"".join(parts)
        self.data = whole[size:]
        return whole[:size]

    def _more(self):
        piece = self.stream.recv(1 << 18)
        if not piece:
            raise ApiError("the API server closed the connection")
        self.data += piece


