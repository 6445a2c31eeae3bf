"""The cluster as kubectl sees it, past the platform: what a person does who looks after it."""

import contextlib
import json
import secrets
import time
import urllib.request

import pytest

from support.kubernetes import until
from support.pods import BUSYBOX, manifest, phase, terminated
from support.waiting import eventually

@pytest.fixture(scope="session")
def space(cluster):
    """A namespace of this session."""
    name = f"kubectl-{secrets.token_hex(3)}"
    cluster.api.kubectl("create", "namespace", name)
    if cluster.kind != "embedded":     # a genuine one makes an account for the pods of each namespace first
        eventually("the namespace can take pods", lambda: cluster.api.call("GET", f"api/v1/namespaces/{name}/serviceaccounts/default").ok, 30)
    yield name
    cluster.api.kubectl("delete", "namespace", name, "--wait=false")


@pytest.fixture
def kubectl(cluster, space):
    return lambda *words, **options: cluster.api.kubectl("--namespace", space, *words, **options)


@pytest.fixture
def start(cluster, space):
    with contextlib.ExitStack() as stack:
        def begin(*words):
            process = cluster.api.start("--namespace", space, *words)
            stack.callback(process.wait)
            stack.callback(process.kill)
            return process
        yield begin


@pytest.fixture(scope="module")
def website(cluster, space):
    """A pod that serves a page until it is deleted."""
    script = "echo served > /tmp/index.html; echo ready; httpd -f -p 8080 -h /tmp & trap 'exit 0' TERM; wait"
    said = cluster.api.kubectl("--namespace", space, "apply", "-f", "-", text=json.dumps(manifest("website", script)))
    assert said == "pod/website created\n"
    eventually("the pod runs", lambda: phase(cluster, space, "website") == "Running", 40)
    return "website"


def test_get(kubectl, website):
    wide = kubectl("get", "pods", "-o", "wide").splitlines()
    assert wide[0].split()[:5] == ["NAME", "READY", "STATUS", "RESTARTS", "AGE"]
    (row,) = [line.split() for line in wide if line.startswith(website)]
    assert row[:4] == [website, "1/1", "Running", "0"]
    assert kubectl("get", "pods", "--selector", "app=website", "-o", "name") == "pod/website\n"
    assert kubectl("get", "pods", "--selector", "app=other", "-o", "name") == ""
    assert kubectl("get", "pods", "--field-selector", "metadata.name=website", "-o", "jsonpath={.items[*].status.phase}") == "Running"
    assert "NotFound" in str(pytest.raises(AssertionError, kubectl, "get", "pod", "nothing").value)


def test_get_nodes(cluster, kubectl):
    (node,) = json.loads(kubectl("get", "nodes", "-o", "json"))["items"]
    ready = {condition["type"]: condition["status"] for condition in node["status"]["conditions"]}
    assert ready["Ready"] == "True"
    assert "Ready" in kubectl("get", "nodes")


def test_describe(kubectl, website):
    told = kubectl("describe", "pod", website)
    assert "Status:" in told and BUSYBOX in told
    assert {"Scheduled", "Pulled", "Created", "Started"} <= {line.split()[1] for line in told.splitlines() if line.startswith("  Normal")}, told


def test_apply_again(kubectl, website):
    """What is the same is left; what differs is changed, and what was taken out of the manifest goes."""
    def apply(labels, data):
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings", "labels": labels}, "data": data}
        return kubectl("apply", "-f", "-", text=json.dumps(body))

    assert apply({"a": "1"}, {"one": "1", "two": "2"}) == "configmap/settings created\n"
    assert apply({"a": "1"}, {"one": "1", "two": "2"}) == "configmap/settings unchanged\n"
    kubectl("label", "configmap", "settings", "theirs=stays")
    assert apply({}, {"one": "changed"}) == "configmap/settings configured\n"
    found = json.loads(kubectl("get", "configmap", "settings", "-o", "json"))
    assert found["data"] == {"one": "changed"} and found["metadata"]["labels"] == {"theirs": "stays"}
    kubectl("patch", "configmap", "settings", "--type", "json", "-p", '[{"op": "add", "path": "/data/two", "value": "2"}]')
    kubectl("patch", "configmap", "settings", "--type", "merge", "-p", '{"data": {"one": null}}')
    assert json.loads(kubectl("get", "configmap", "settings", "-o", "json"))["data"] == {"two": "2"}
    assert kubectl("delete", "configmap", "settings").startswith("configmap \"settings\" deleted")


def test_server_side_apply(kubectl):
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "owned"}, "data": {"one": "1"}}
    assert kubectl("apply", "--server-side", "-f", "-", text=json.dumps(body)) == "configmap/owned serverside-applied\n"
    assert json.loads(kubectl("get", "configmap", "owned", "-o", "json"))["data"] == {"one": "1"}
    kubectl("delete", "configmap", "owned")


def test_watch(cluster, space, kubectl, start):
    """get -w tells each step of a pod from its creation to its deletion."""
    watched = start("get", "pods", "-w", "--field-selector", "metadata.name=watched", "--output-watch-events", "--no-headers")
    kubectl("apply", "-f", "-", text=json.dumps(manifest("watched", "sleep 2")))
    lines = until(watched, "Completed", 60)
    assert lines[0].split()[0] == "ADDED" and any("Running" in line for line in lines), lines
    kubectl("delete", "pod", "watched")
    assert until(watched, "DELETED", 30)


def test_logs(kubectl, start):
    kubectl("apply", "-f", "-", text=json.dumps(manifest("talks", "echo one; sleep 3; echo two; sleep 1; echo three >&2")))
    eventually("the pod has begun", lambda: kubectl("logs", "talks", code=None) == "one\n", 40)
    followed = start("logs", "-f", "talks")
    out, _ = followed.communicate(timeout=30)
    assert (out.splitlines(), followed.returncode) == (["one", "two", "three"], 0)
    assert kubectl("logs", "talks", "--tail=1") == "three\n"
    stamped = kubectl("logs", "talks", "--timestamps", "--since=1h").splitlines()
    assert [line.split()[1] for line in stamped] == ["one", "two", "three"] and all(line[10] == "T" for line in stamped)
    kubectl("delete", "pod", "talks", "--wait=false")


def test_logs_of_the_run_before(cluster, space, kubectl):
    script = "if [ -e /shared/again ]; then echo second; sleep 600; fi; touch /shared/again; echo first; exit 3"
    body = manifest("restarts", script, restartPolicy="OnFailure", volumes=[{"name": "shared", "emptyDir": {}}])
    body["spec"]["containers"][0]["volumeMounts"] = [{"name": "shared", "mountPath": "/shared"}]
    kubectl("apply", "-f", "-", text=json.dumps(body))
    eventually("the container runs again", lambda: kubectl("logs", "restarts", code=None) == "second\n", 60, 0.3)
    assert kubectl("logs", "restarts", "--previous") == "first\n"
    (status,) = cluster.api.pod(space, "restarts")["status"]["containerStatuses"]
    assert status["restartCount"] == 1 and status["lastState"]["terminated"]["exitCode"] == 3
    kubectl("delete", "pod", "restarts", "--wait=false")


def test_exec(kubectl, website):
    assert kubectl("exec", website, "--", "cat", "/tmp/index.html") == "served\n"
    kubectl("exec", website, "--", "sh", "-c", "exit 5", code=5)
    assert kubectl("exec", "-i", website, "--", "sh", "-c", "cat; echo end", text="to its input\n") == "to its input\nend\n"


def test_port_forward(start, website):
    forwarding = start("port-forward", f"pod/{website}", ":8080")
    line = until(forwarding, "Forwarding from 127.0.0.1", 20)[-1]
    url = f"http://{line.split()[2]}/"
    for _ in range(3):     # each request is a connection of its own
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=10) as answer:
            assert answer.read() == b"served\n"


def test_memory_limit(cluster, space, kubectl):
    """`tail` of an endless line takes all it can get."""
    kubectl("apply", "-f", "-", text=json.dumps(manifest("greedy", "exec tail /dev/zero", limits={"memory": "32Mi", "cpu": "100m"})))
    end = terminated(cluster, space, "greedy")
    assert (end["reason"], end["exitCode"]) == ("OOMKilled", 137), end
    assert phase(cluster, space, "greedy") == "Failed"
    assert "OOMKilled" in kubectl("get", "pod", "greedy")
    kubectl("delete", "pod", "greedy", "--wait=false")


def test_missing_image(cluster, space, kubectl):
    kubectl("apply", "-f", "-", text=json.dumps(manifest("imageless", "true", image="registry.local/no-such-image:1")))
    reasons = []

    def waiting():
        statuses = (cluster.api.pod(space, "imageless") or {}).get("status", {}).get("containerStatuses") or [{}]
        reason = statuses[0].get("state", {}).get("waiting", {}).get("reason")
        if reason and reason not in reasons[-1:]:
            reasons.append(reason)
        return "ImagePullBackOff" in reasons

    eventually("the pull is put off", waiting, 60, 0.05)
    assert "ErrImagePull" in reasons[:reasons.index("ImagePullBackOff")], reasons
    assert phase(cluster, space, "imageless") == "Pending"
    assert "no-such-image" in kubectl("describe", "pod", "imageless")
    kubectl("delete", "pod", "imageless", "--wait=false")


def test_secrets_and_settings_reach_a_pod(cluster, space, kubectl):
    kubectl("create", "secret", "generic", "keys", "--from-literal=password=hidden")
    kubectl("create", "configmap", "texts", "--from-literal=motto=per aspera")
    body = manifest("reads", "echo $PASSWORD $POD; cat /keys/password /texts/motto", volumes=[
        {"name": "keys", "secret": {"secretName": "keys"}}, {"name": "texts", "configMap": {"name": "texts"}}])
    body["spec"]["containers"][0] |= {
        "env": [{"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": "keys", "key": "password"}}},
                {"name": "POD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}],
        "volumeMounts": [{"name": "keys", "mountPath": "/keys"}, {"name": "texts", "mountPath": "/texts"}]}
    kubectl("apply", "-f", "-", text=json.dumps(body))
    assert terminated(cluster, space, "reads")["exitCode"] == 0
    assert kubectl("logs", "reads") == "hidden reads\nhiddenper aspera"
    kubectl("delete", "pod/reads", "secret/keys", "configmap/texts", "--wait=false")


def test_delete(cluster, space, kubectl):
    """A pod that hears TERM has its time; one that does not is killed when its grace is over."""
    polite = manifest("polite", "trap 'echo farewell; sleep 1; exit 0' TERM; echo up; sleep 600 & wait", terminationGracePeriodSeconds=20)
    deaf = manifest("deaf", "trap '' TERM; echo up; while true; do sleep 1; done", terminationGracePeriodSeconds=3)
    for body in (polite, deaf):
        kubectl("apply", "-f", "-", text=json.dumps(body))
    for name in ("polite", "deaf"):
        eventually(f"{name} is up", lambda: kubectl("logs", name, code=None) == "up\n", 40)
    begun = time.monotonic()
    kubectl("delete", "pod", "deaf", "--wait=false")
    kubectl("delete", "pod", "polite", "--wait=false")
    assert "deletionTimestamp" in cluster.api.pod(space, "deaf")["metadata"]
    for name in ("polite", "deaf"):
        eventually(f"{name} is gone", lambda: cluster.api.pod(space, name) is None, 20 + cluster.lingering, 0.2)
    assert time.monotonic() - begun >= 2.5
    kubectl("delete", "pod", "deaf", code=1)


def test_owners_take_what_they_own_along(cluster, kubectl):
    kubectl("create", "configmap", "owner")
    uid = json.loads(kubectl("get", "configmap", "owner", "-o", "json"))["metadata"]["uid"]
    owned = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "belongs", "ownerReferences": [
        {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": uid}]}}
    kubectl("apply", "-f", "-", text=json.dumps(owned))
    kubectl("delete", "configmap", "owner")
    eventually("what belonged to it is gone", lambda: "belongs" not in kubectl("get", "configmaps", "-o", "name"), 45, 0.3)


def test_a_namespace_takes_its_objects_along(cluster, kubectl):
    name = f"short-lived-{secrets.token_hex(3)}"
    cluster.api.kubectl("create", "namespace", name)
    cluster.api.kubectl("-n", name, "create", "configmap", "inside")
    cluster.api.kubectl("delete", "namespace", name, timeout=90)
    assert cluster.api.call("GET", f"api/v1/namespaces/{name}/configmaps/inside").status_code == 404
