"""The cluster below the jobs: what is in it, and how to take it away. Each kind of cluster has its own way; tests see one interface."""

import contextlib
import json
import os
import signal
import subprocess
import threading

import pytest

from .kubernetes import KubernetesApi
from .rest import checked
from .waiting import eventually

JOB_LABEL = "platform.apolo.us/job"


class Cluster:
    """A cluster of which we know nothing but its API."""

    kind = "given"
    # Seconds for which the object of a deleted pod may stay after its last container ended: see Testbed.
    lingering = 60 + 10 + 5

    @staticmethod
    def of(platform):
        """The cluster that this platform was started with, as its run folder tells."""
        facts = json.loads((platform.run / "cluster.json").read_text())
        found = {"embedded": Embedded, "testbed": Testbed, "given": Cluster}[facts["kind"]](platform, facts)
        wanted = os.environ.get("ORRERY_CONFORMANCE_CLUSTER")
        assert not wanted or (wanted == "embedded") == (found.kind == "embedded"), f"the platform in {platform.run} has another cluster: {found.kind}"
        return found

    def __init__(self, platform, facts):
        self.platform, self.facts = platform, facts
        self.api = KubernetesApi(platform.kubeconfig)

    def list(self, plural, namespace=None, selector=None):
        return self.api.list(plural, namespace, selector)

    def pods(self, job):
        return self.list("pods", selector=f"{JOB_LABEL}={job}")

    def expect_gone(self, job, grace=30):
        """Waits until nothing of the job runs, and then until nothing of it is left."""
        eventually(f"nothing of {job} runs", lambda: all(pod["status"]["phase"] in ("Succeeded", "Failed") for pod in self.pods(job)), grace + 15, 0.3)
        eventually(f"the pod of {job} is gone", lambda: not self.pods(job), self.lingering, 0.3)

    @property
    def ending(self):
        """Pods that are being deleted: until their containers ended they hold their part of the node."""
        return [pod["metadata"]["name"] for pod in self.list("pods")
                if "deletionTimestamp" in pod["metadata"] and pod["status"]["phase"] not in ("Succeeded", "Failed")]

    @property
    def free_cores(self):
        """What the largest node has left for jobs, in cores."""
        best = 0.0
        pods = [pod for pod in self.list("pods") if pod["status"]["phase"] not in ("Succeeded", "Failed")]
        for node in self.list("nodes"):
            used = sum(cores(container.get("resources", {}).get("requests", {}).get("cpu", "0"))
                       for pod in pods if pod["spec"].get("nodeName") == node["metadata"]["name"] for container in pod["spec"]["containers"])
            best = max(best, cores(node["status"]["allocatable"]["cpu"]) - used)
        return best

    def answers(self):
        return self.api.answers()

    @contextlib.contextmanager
    def volume_for(self, claim):
        """Sees to it that the claim gets a volume, where the cluster makes none by itself."""
        yield

    @contextlib.contextmanager
    def away(self):
        """The cluster's API is gone inside the block; containers run on."""
        pytest.skip("this cluster is not ours to stop")
        yield


class Testbed(Cluster):
    """The genuine Kubernetes of Tests/Kubernetes."""

    kind = "testbed"
    # Its kubelet (1.20) removes a pod's sandbox when it saw the last container go; if the sandbox had not quite stopped by then, as happens on a loaded
    # machine, nothing asks again before the sweep that comes each minute. Then its status goes out within ten seconds.
    lingering = 60 + 10 + 5
    __test__ = False

    def command(self, *words):
        from .platform import REPOSITORY

        verb, *rest = words
        subprocess.run([REPOSITORY / "Tests/Kubernetes/testbed", verb, "--run", self.facts["folder"], *rest], check=True, capture_output=True, text=True)

    @contextlib.contextmanager
    def volume_for(self, claim):
        """It has no provisioner: somebody sets a directory of the node aside."""
        (found,) = [each for each in self.list("persistentvolumeclaims") if each["metadata"]["name"] == claim]
        name = f"volume-of-{claim}"
        checked(self.api.call("POST", "api/v1/persistentvolumes", json={
            "apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name},
            "spec": {
                "capacity": found["spec"]["resources"]["requests"], "accessModes": found["spec"]["accessModes"], "storageClassName": found["spec"].get("storageClassName", ""),
                "persistentVolumeReclaimPolicy": "Retain", "hostPath": {"path": f"{self.facts['folder']}/volumes/{claim}", "type": "DirectoryOrCreate"},
                "claimRef": {"namespace": found["metadata"]["namespace"], "name": claim}}}), 201)
        try:
            yield
        finally:
            checked(self.api.call("DELETE", f"api/v1/persistentvolumes/{name}"), 200, 404)

    @contextlib.contextmanager
    def away(self):
        self.command("kill", "kube-apiserver")
        try:
            yield
        finally:
            self.command("start-component", "kube-apiserver")


class Embedded(Cluster):
    """The embedded cluster: API and kubelet in one process."""

    kind = "embedded"
    lingering = 10

    @property
    def part(self):
        return self.platform.part("cluster")

    @contextlib.contextmanager
    def away(self, number=signal.SIGKILL):
        with self.part.away(number):
            yield
        eventually("the embedded cluster is ready again", self.answers, 60, 0.1)

    @contextlib.contextmanager
    def faults(self, *rules):
        """The cluster fails inside the block as the rules say; see Local/Cluster/README.md."""
        answer = self.api.call("PUT", "faults", json={"rules": list(rules)})
        assert answer.status_code < 300, answer.text
        try:
            yield
        finally:
            answer = self.api.call("DELETE", "faults")
            assert answer.status_code < 300, answer.text

    def lose(self, pod, how):
        """The pod's containers, or the pod object, vanish behind everybody's back."""
        place = {"namespace": pod["metadata"]["namespace"], "name": pod["metadata"]["name"]}
        answer = self.api.call("POST", "faults/lose-pod", json=place | {"how": how})
        assert answer.status_code < 300, answer.text


def cores(quantity):
    return float(quantity[:-1]) / 1000 if quantity.endswith("m") else float(quantity)


class PodWatch:
    """Counts the pods that were ever created for a job while it watches. A watch that breaks is begun again."""

    def __init__(self, cluster):
        self._cluster, self._pods, self._ended = cluster, {}, threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._ended.set()     # the thread ends with its watch request, at the latest with the process

    def of(self, job):
        """The uids of all pods that this job ever had."""
        return {uid for uid, name in list(self._pods.items()) if name == job}

    def once(self, job):
        """Asserts that the job had exactly one pod, ever."""
        eventually(f"a pod of {job} is seen", lambda: self.of(job), 15)
        assert len(self.of(job)) == 1, f"{job} was started more than once: {self.of(job)}"

    def _watch(self):
        while not self._ended.is_set():
            # Without a resource version each request begins with the pods that are there.
            for event in self._cluster.api.watch("api/v1/pods", {"labelSelector": JOB_LABEL, "timeoutSeconds": "60"}):
                metadata = event.get("object", {}).get("metadata", {})
                if job := metadata.get("labels", {}).get(JOB_LABEL):
                    self._pods[metadata["uid"]] = job
                if self._ended.is_set():
                    return
            self._ended.wait(0.2)
