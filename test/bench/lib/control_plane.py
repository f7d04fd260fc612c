"""A real etcd and API server without a node, and the operator's rights on it."""

import json
import re
import subprocess
import time

from lib import OUT, ROOT
from lib.api import Server, path_of

API_PORT, ETCD_PORT = 17443, 17379
CLUSTER = ROOT / "test" / "e2e" / "kubernetes" / "cluster"
OPERATOR_NAMESPACE = "rabbit-operator-system"
OPERATOR = f"system:serviceaccount:{OPERATOR_NAMESPACE}:rabbit-operator"


class ControlPlane:
    """Fresh and empty but for the CRD and the operator's account; ended with the `with`."""

    def __enter__(self):
        self.directory = OUT / "kubernetes"
        self._cluster("down", self.directory)
        try:
            self._cluster("up", "--no-node", "--api-port", str(API_PORT), "--etcd-port", str(ETCD_PORT), self.directory)
            self.admin = Server(self.directory / "kubeconfig")
            self._install_rights()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self._cluster("down", self.directory)

    @staticmethod
    def _cluster(*arguments):
        done = subprocess.run([CLUSTER, *arguments], capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"cluster {' '.join(map(str, arguments))}: {done.stderr}")

    def kubectl(self, *arguments, stdin=None):
        done = subprocess.run([self.directory / "bin" / "kubectl", "--kubeconfig", self.directory / "kubeconfig", *arguments],
                              input=stdin, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"kubectl {arguments}: {done.stderr}")
        return done.stdout

    def _install_rights(self):
        self.kubectl("apply", "-k", str(ROOT / "manifests" / "base"))
        # The Deployment of the base stays an object only: nothing runs pods here.
        token = self.admin.call(
            "POST", path_of("v1", "serviceaccounts", OPERATOR_NAMESPACE, "rabbit-operator", "token"),
            {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 36000}})["status"]["token"]
        self.operator = Server(self.directory / "kubeconfig", token)
        # The same kubeconfig with the token in place of the administrator's certificate.
        text = (self.directory / "kubeconfig").read_text()
        self.kubeconfig = self.directory / "operator.kubeconfig"
        self.kubeconfig.touch(0o600)
        self.kubeconfig.write_text(re.sub(r"user: \{client-certificate-data: [^}]*\}", f'user: {{token: "{token}"}}', text))
        while not any(c["type"] == "Established" and c["status"] == "True" for c in self.admin.call(
                "GET", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/rabbitclusters.rabbitcluster.dev")
                .get("status", {}).get("conditions", [])):
            time.sleep(0.1)

    def make_namespace(self, name):
        self.admin.call("POST", path_of("v1", "namespaces"), {"metadata": {"name": name}})
        # No controller makes it here, and pods are not admitted without.
        self.admin.call("POST", path_of("v1", "serviceaccounts", name), {"metadata": {"name": "default"}})

    def audit(self):
        return AuditLog(self.directory / "logs" / "audit.log")


class AuditLog:
    """What the operator wrote, read on from where the last look ended. Reads of Secrets and reviews of
    rights are no writes; the Lease is kept apart."""

    def __init__(self, path):
        self.path = path
        self.at = path.stat().st_size

    def writes(self):
        """[(time, "create statefulsets", namespace, name, status code)] since the last call."""
        found = []
        with open(self.path, "rb") as log:
            log.seek(self.at)
            for line in log:
                if not line.endswith(b"\n"):
                    break
                self.at += len(line)
                event = json.loads(line)
                if event["user"]["username"] != OPERATOR or event.get("userAgent") == "rabbit-bench":
                    continue
                target = event.get("objectRef", {})
                resource = "/".join(filter(None, (target.get("resource", ""), target.get("subresource"))))
                if event["verb"] in ("get", "list", "watch") or resource.startswith("selfsubject") or resource == "leases":
                    continue
                found.append((_seconds(event["stageTimestamp"]), f"{event['verb']} {resource}", target.get("namespace", ""),
                              target.get("name", ""), event.get("responseStatus", {}).get("code", 0)))
        return found


def _seconds(stamp):
    whole, _, fraction = stamp.rstrip("Z").partition(".")
    return time.mktime(time.strptime(whole, "%Y-%m-%dT%H:%M:%S")) - time.timezone + float(f"0.{fraction or 0}")
