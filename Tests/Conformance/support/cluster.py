"""The cluster below the jobs, past the platform."""

import json
import subprocess
import threading

from .waiting import eventually

JOB_LABEL = "platform.apolo.us/job"


class Cluster:
    def __init__(self, platform):
        self.platform = platform

    def command(self, *words):
        return ["kubectl", "--kubeconfig", str(self.platform.kubeconfig), *words]

    def get(self, *words):
        """The items of `kubectl get …`."""
        result = subprocess.run(self.command("get", *words, "-o", "json"), capture_output=True, text=True, check=False, timeout=30)
        assert result.returncode == 0, f"kubectl get {' '.join(words)}: {result.stderr}"
        return json.loads(result.stdout)["items"]

    def pods(self, job):
        return self.get("pods", "--all-namespaces", "--selector", f"{JOB_LABEL}={job}")

    @property
    def ending(self):
        """Pods that are being deleted: until they are gone they hold their part of the node."""
        return [pod["metadata"]["name"] for pod in self.get("pods", "--all-namespaces") if "deletionTimestamp" in pod["metadata"]]

    @property
    def free_cores(self):
        """What the largest node has left for jobs, in cores."""
        best = 0.0
        pods = [pod for pod in self.get("pods", "--all-namespaces") if pod["status"]["phase"] not in ("Succeeded", "Failed")]
        for node in self.get("nodes"):
            used = sum(cores(container.get("resources", {}).get("requests", {}).get("cpu", "0"))
                       for pod in pods if pod["spec"].get("nodeName") == node["metadata"]["name"] for container in pod["spec"]["containers"])
            best = max(best, cores(node["status"]["allocatable"]["cpu"]) - used)
        return best

    def answers(self):
        return subprocess.run(self.command("get", "--raw", "/readyz"), capture_output=True, check=False, timeout=10).returncode == 0


def cores(quantity):
    return float(quantity[:-1]) / 1000 if quantity.endswith("m") else float(quantity)


class PodWatch:
    """Counts the pods that were ever created for a job while it watches. A watch that breaks is begun again."""

    def __init__(self, cluster):
        self._cluster, self._pods, self._ended, self._process = cluster, {}, threading.Event(), None
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._ended.set()
        if self._process:
            self._process.kill()
        self._thread.join(5)

    def of(self, job):
        """The uids of all pods that this job ever had."""
        return {uid for uid, name in self._pods.items() if name == job}

    def once(self, job):
        """Asserts that the job had exactly one pod, ever."""
        eventually(f"a pod of {job} is seen", lambda: self.of(job), 15)
        assert len(self.of(job)) == 1, f"{job} was started more than once: {self.of(job)}"

    def _watch(self):
        label = JOB_LABEL.replace(".", "\\.")
        path = f'{{.object.metadata.uid}} {{.object.metadata.labels.{label}}}{{"\\n"}}'
        words = self._cluster.command("get", "pods", "--all-namespaces", "--watch", "--output-watch-events", "-o", f"jsonpath={path}")
        while not self._ended.is_set():
            self._process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
            for line in self._process.stdout:
                uid, _, job = line.strip().partition(" ")
                if job:
                    self._pods[uid] = job
            self._process.wait()
            self._ended.wait(0.3)
