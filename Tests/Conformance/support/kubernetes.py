"""The cluster's own API, past the platform: what a kubeconfig leads to."""

import atexit
import base64
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading

import requests

KUBECTL = pathlib.Path(sys.executable).with_name("kubectl")
GROUPS = {"ingresses": "apis/networking.k8s.io/v1"}


class KubernetesApi:
    """Lists and watches over REST, and everything else by the published kubectl."""

    def __init__(self, kubeconfig):
        self.kubeconfig = pathlib.Path(kubeconfig)
        document = json.loads(self.kubeconfig.read_text())     # complete in itself, and of one cluster and one user
        cluster, user = document["clusters"][0]["cluster"], document["users"][0]["user"]
        self._server = cluster["server"]
        self._options = {
            "verify": self._file(cluster, "certificate-authority-data") or not cluster.get("insecure-skip-tls-verify", False),
            "cert": (self._file(user, "client-certificate-data"), self._file(user, "client-key-data")) if "client-key-data" in user else None,
            "headers": {"Authorization": f"Bearer {user['token']}"} if "token" in user else {},
        }

    def _file(self, entry, name):
        if name not in entry:
            return None
        with tempfile.NamedTemporaryFile(delete=False) as file:
            file.write(base64.b64decode(entry[name]))
        atexit.register(lambda: pathlib.Path(file.name).unlink(missing_ok=True))
        return file.name

    def call(self, method, path, *, timeout=30, **options):
        options = self._options | options
        with requests.Session() as session:
            session.trust_env = False     # no proxies
            return session.request(method, f"{self._server}/{path}", timeout=timeout, **options)

    def list(self, plural, namespace=None, selector=None):
        """The items of a kind, in one namespace or in all."""
        place = f"namespaces/{namespace}/" if namespace else ""
        answer = self.call("GET", f"{GROUPS.get(plural, 'api/v1')}/{place}{plural}", params={"labelSelector": selector} if selector else None)
        assert answer.status_code == 200, f"{plural}: {answer.status_code} {answer.text[:1000]}"
        return answer.json()["items"]

    def pod(self, namespace, name):
        """The pod, or None."""
        answer = self.call("GET", f"api/v1/namespaces/{namespace}/pods/{name}")
        return answer.json() if answer.status_code == 200 else None

    def answers(self):
        try:
            return self.call("GET", "readyz", timeout=10).status_code == 200
        except requests.RequestException:
            return False

    def watch(self, path, params=None):
        """The events of one watch request, until the server or the network ends it."""
        try:
            with self.call("GET", path, params={"watch": "1"} | (params or {}), stream=True, timeout=(10, 600)) as answer:
                if answer.status_code == 200:
                    for line in answer.iter_lines(chunk_size=None):
                        yield json.loads(line)
        except (requests.RequestException, ValueError, AttributeError):
            pass

    def kubectl(self, *words, code=0, text=None, timeout=60):
        """What kubectl writes; it is expected to end with the code."""
        result = subprocess.run(self.command(*words), input=text, capture_output=True, text=True, check=False, timeout=timeout, env=environment())
        assert code is None or result.returncode == code, (
            f"$ kubectl {' '.join(words)}\nexit {result.returncode}, not {code}\n--- out\n{result.stdout}\n--- err\n{result.stderr}")
        return result.stdout

    def start(self, *words):
        """kubectl, begun: its output is read with `lines`."""
        return subprocess.Popen(self.command(*words), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                env=environment())

    def command(self, *words):
        return [str(KUBECTL), "--kubeconfig", str(self.kubeconfig), *words]


def environment():
    kept = {name: value for name, value in os.environ.items() if not name.startswith("KUBE") and not name.lower().endswith("_proxy")}
    return kept | {"HOME": tempfile.gettempdir(), "LC_ALL": "C.UTF-8"}


def until(process, text, timeout=60):
    """Reads the lines of a process until one contains the text; answers them all. The process is ended if that takes too long."""
    timer = threading.Timer(timeout, process.kill)
    timer.start()
    lines = []
    try:
        for line in process.stdout:
            lines.append(line.rstrip("\n"))
            if text in line:
                return lines
    finally:
        timer.cancel()
    raise AssertionError(f"it ended without saying {text!r}:\n" + "\n".join(lines))
