"""Certificates of an authority of the tests' own, made by openssl."""

import pathlib
import re
import ssl
import subprocess
import tempfile

from lib import kubectl


def _openssl(*arguments):
    subprocess.run(["openssl", *arguments], check=True, capture_output=True, timeout=60)


class Authority:
    """Issues certificates.

        authority = Authority(tmp_path)
        kubectl.apply(authority.secret("web-tls", ["web.test.svc"]), "test")
        context = authority.context()          # trusts it, and nobody else
    """

    def __init__(self, folder):
        self._folder = pathlib.Path(folder)
        self._key, self.path = self._folder / "ca.key", self._folder / "ca.crt"
        _openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=tests", "-keyout", str(self._key), "-out", str(self.path))

    def issue(self, names):
        """Certificate and key, as texts."""
        with tempfile.TemporaryDirectory(dir=self._folder) as place:
            key, request, certificate, names_file = (f"{place}/{name}" for name in ("key", "csr", "crt", "names"))
            pathlib.Path(names_file).write_text("subjectAltName=" + ",".join(f"DNS:{name}" for name in names))
            _openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=x", "-keyout", key, "-out", request)
            _openssl("x509", "-req", "-in", request, "-CA", str(self.path), "-CAkey", str(self._key), "-CAcreateserial", "-days", "2",
                     "-extfile", names_file, "-out", certificate)
            certificate, key = (pathlib.Path(path).read_text() for path in (certificate, key))
        lines = key.splitlines()  # a leak may be broken into lines differently: one of them is looked for
        kubectl.READ_SECRETS.append((f"key for {names[0]}", {"tls.key": lines[len(lines) // 2]}))
        return certificate, key

    def secret(self, name, names):
        certificate, key = self.issue(names)
        return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "type": "kubernetes.io/tls",
                "stringData": {"tls.crt": certificate, "tls.key": key, "ca.crt": self.path.read_text()}}

    def context(self, shown=None):
        """Trusts this authority, and shows a certificate, as issue() returns it."""
        context = ssl.create_default_context(cafile=str(self.path))
        if shown:
            with tempfile.TemporaryDirectory(dir=self._folder) as place:
                both = pathlib.Path(place) / "both"
                both.write_text("".join(shown))
                context.load_cert_chain(both)
        return context


def served(host, port):
    """The certificate that a server shows, as a text."""
    return ssl.get_server_certificate((host, port), timeout=5)


def same(one, other):
    """Whether two texts are of the same certificate, however they are broken into lines."""
    return re.sub(r"\s", "", one) == re.sub(r"\s", "", other)
