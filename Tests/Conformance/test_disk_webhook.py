"""Disks that are made past the platform: claims in a project's namespace, and pods that ask for disks by annotation. disk-api's admission webhook sees to both;
the genuine Kubernetes asks it, the embedded cluster asks nobody."""

import contextlib
import json
import uuid

import pytest

from support.pods import BUSYBOX, manifest, terminated
from support.waiting import eventually

ORG, PROJECT = "platform.apolo.us/org", "platform.apolo.us/project"
INJECT, NAME = "platform.apolo.us/inject-disk", "platform.apolo.us/disk-name"
OLD = {"disk": "disk-api-pvc", "user": "user", "org": "disk-api-org-name", "project": "project"}
PLACES = {"Pod": "api/v1/{}/pods", "PersistentVolumeClaim": "api/v1/{}/persistentvolumeclaims", "StatefulSet": "apis/apps/v1/{}/statefulsets"}
JOB = ("run", "--no-tty", "-s", "cpu-small")


@pytest.fixture(scope="module", autouse=True)
def asking(cluster):
    if cluster.kind != "testbed":
        pytest.skip("this cluster asks no webhook of ours")


@pytest.fixture(scope="module")
def space(cluster, apolo, asking):
    """The namespace of the project default/default, which its first disk makes."""
    made = apolo("disk", "create", "1M").ended(0).lines[0].split()[1]
    (found,) = [each for each in cluster.list("namespaces") if each["metadata"].get("labels", {}).items() >= {ORG: "default", PROJECT: "default"}.items()]
    apolo("disk", "rm", made).ended(0)
    return found["metadata"]["name"]


@pytest.fixture
def kubectl(cluster, space):
    return lambda *words, **options: cluster.api.kubectl("--namespace", space, *words, **options)


@pytest.fixture
def apply(cluster, space, kubectl):
    """Makes objects that go with the test."""
    made = []

    def act(body):
        kubectl("create", "-f", "-", text=json.dumps(body))
        made.append(f"{PLACES[body['kind']].format('namespaces/' + space)}/{body['metadata']['name']}")

    yield act
    for path in reversed(made):
        answer = cluster.api.call("DELETE", path, json={"apiVersion": "v1", "kind": "DeleteOptions", "gracePeriodSeconds": 1})
        assert answer.status_code in (200, 202, 404), answer.text


@pytest.fixture
def volumes(cluster):
    with contextlib.ExitStack() as stack:
        yield lambda claim: stack.enter_context(cluster.volume_for(claim))


def unique(word):
    # What ends in digits alone is taken for an index.
    return f"{word}-{uuid.uuid4().hex[:6]}x"


def claim(name, **metadata):
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name} | metadata,
            "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}}}


def pod(name, script, *disks, org="default", project="default", **spec):
    body = manifest(name, script, **spec)
    body["metadata"]["labels"] |= {ORG: org, PROJECT: project}
    body["metadata"]["annotations"] = {INJECT: json.dumps(disks) if not disks or isinstance(disks[0], dict) else disks[0]}
    return body


def wanted(disk, path="/mnt/d", place="default/default/default", **more):
    return {"mount_path": path, "disk_uri": f"disk://{place}/{disk}"} | more


def adopted(found, name=None):
    labels, annotations = found["metadata"]["labels"], found["metadata"]["annotations"]
    for new, old in OLD.items():
        value = "true" if new == "disk" else "default"
        assert labels[f"platform.apolo.us/{new}"] == labels[f"platform.neuromation.io/{old}"] == value, labels
    assert annotations["platform.apolo.us/disk-creation-date"] == annotations["platform.neuromation.io/disk-api-pvc-created-at"]
    assert annotations.get(NAME) == annotations.get("platform.neuromation.io/disk-api-pvc-name") == name, annotations
    assert found["spec"]["storageClassName"] == "standard"


def test_claims_of_a_stateful_set_are_disks(cluster, apolo, kubectl, apply):
    for called in (None, unique("set")):
        app = unique("app")
        template = {"metadata": {"name": "data"} | ({"annotations": {NAME: called}} if called else {}),
                    "spec": {"accessModes": ["ReadWriteOnce"], "storageClassName": "no-such-class", "resources": {"requests": {"storage": "1Mi"}}}}
        apply({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": app},
               "spec": {"replicas": 2, "serviceName": app, "podManagementPolicy": "Parallel", "selector": {"matchLabels": {"app": app}},
                        "template": {"metadata": {"labels": {"app": app}},
                                     "spec": {"containers": [{"name": "main", "image": BUSYBOX, "command": ["sleep", "600"]}]}},
                        "volumeClaimTemplates": [template]}})
        names = [f"data-{app}-{index}" for index in range(2)]
        eventually("its claims are made", lambda: set(names) <= set(claims(cluster)), 40)
        for index, name in enumerate(names):
            adopted(claims(cluster)[name], f"{called}-{index}" if called else None)
        listed = apolo("disk", "ls").ended(0)
        ids = apolo("-q", "disk", "ls").ended(0).lines
        for index, name in enumerate(names):
            assert name in ids and (not called or f"{called}-{index}" in listed.text), listed
            naming = kubectl("get", "disknamings", "-o", f"jsonpath={{.items[?(@.spec.disk_id=='{name}')].metadata.name}}")
            assert naming == (f"{called}-{index}--default--default" if called else "")
        # They are disks like others: by id and by name.
        kubectl("delete", "statefulset", app, "--wait=true", timeout=120)
        for name in (f"{called}-0" if called else names[0], names[1]):
            apolo("disk", "rm", name).ended(0)
        assert not set(names) & set(apolo("-q", "disk", "ls").ended(0).lines)


def claims(cluster):
    return {each["metadata"]["name"]: each for each in cluster.list("persistentvolumeclaims")}


def test_a_pod_has_the_disk_and_a_job_sees_what_it_wrote(cluster, space, apolo, kubectl, apply, volumes):
    named, app = unique("disk-of"), unique("writer")
    apply(claim(unique("claim"), annotations={NAME: named}))
    (found,) = [name for name, each in claims(cluster).items() if each["metadata"].get("annotations", {}).get(NAME) == named]
    adopted(claims(cluster)[found], named)
    volumes(found)
    script = "echo from a pod > /mnt/d/file; cat /mnt/by-id/file; touch /mnt/by-id/x || echo cannot; sync"
    apply(pod(app, script, wanted(named), wanted(found, "/mnt/by-id", mount_mode="r")))
    assert terminated(cluster, space, app)["exitCode"] == 0
    body = cluster.api.pod(space, app)
    injected = [volume for volume in body["spec"]["volumes"] if volume["name"].startswith("disk-auto-injected-volume-")]
    # Of two volumes with one claim a kubelet never mounts the second.
    assert [volume["persistentVolumeClaim"]["claimName"] for volume in injected] == [found]
    said = kubectl("logs", app)
    assert "from a pod" in said and "cannot" in said, said
    seen = apolo(*JOB, "-v", f"disk:{named}:/mnt/d:rw", BUSYBOX, "--", "sh", "-c", "cat /mnt/d/file && echo from a job > /mnt/d/job; sync; sleep 1").ended(0)
    assert "from a pod" in seen.lines, seen
    reader = unique("reader")
    apply(pod(reader, "cat /mnt/d/job", wanted(found)))
    assert terminated(cluster, space, reader)["exitCode"] == 0
    assert kubectl("logs", reader) == "from a job\n"
    told = apolo("disk", "get", named).ended(0)
    assert found in told.text and "default" in told.text, told


def test_pods_that_are_refused(cluster, space, apolo):
    made = apolo("disk", "create", "1M").ended(0).lines[0].split()[1]
    try:
        good, mine = wanted(made), unique("refused")
        refusals = [
            (pod(mine, "true", "invalid"), "injection spec is invalid"),
            (pod(mine, "true", wanted(made) | {"mount_path": "mnt"}), "injection spec is invalid"),
            (pod(mine, "true", good, org="other"), "metadata value mismatch"),
            (pod(mine, "true", good, project="other"), "metadata value mismatch"),
            (pod(mine, "true", wanted(made, place="default/other/default")), "metadata value mismatch"),
            (pod(mine, "true", wanted(made, place="default/default/other")), "metadata value mismatch"),
            (pod(mine, "true", wanted(made, place="other/default/default")), "metadata value mismatch"),
            (pod(mine, "true", wanted("disk-of-nobody")), "Disk disk-of-nobody not found"),
        ]
        for body, why in refusals:
            assert why in refused(cluster, space, body), body["metadata"]
        # A place where something else is mounted: Kubernetes says so.
        taken = pod(mine, "true", good, volumes=[{"name": "own", "emptyDir": {}}])
        taken["spec"]["containers"][0]["volumeMounts"] = [{"name": "own", "mountPath": "/mnt/d"}]
        assert "must be unique" in refused(cluster, space, taken)
        answer = cluster.api.call("POST", f"api/v1/namespaces/{space}/pods", json=pod(mine, "true", "invalid"))
        assert answer.status_code == 422 and "injection spec is invalid" in answer.json()["message"], answer.text
    finally:
        apolo("disk", "rm", made)


def refused(cluster, space, body):
    """Why Kubernetes does not take an object."""
    answer = cluster.api.call("POST", f"api/v1/namespaces/{space}/pods", json=body)
    assert 400 <= answer.status_code < 500, f"{answer.status_code}: {answer.text[:500]}"
    return answer.json()["message"]


def test_labels_that_say_otherwise(cluster, apolo, apply):
    """Not even an administrator's claim is another's than its namespace's; what the platform makes keeps its owner."""
    name = unique("preset")
    labels = {f"{prefix}/{key}": "other" for prefix, keys in (("platform.apolo.us", OLD), ("platform.neuromation.io", OLD.values())) for key in keys}
    apply(claim(name, labels=labels | {"platform.apolo.us/disk-deleted": "true", "platform.neuromation.io/disk-api-pvc-deleted": "true", "app": "kept"}))
    found = claims(cluster)[name]
    adopted(found)
    assert found["metadata"]["labels"]["app"] == "kept" and not [key for key in found["metadata"]["labels"] if "deleted" in key]
    assert name in apolo("-q", "disk", "ls").ended(0).lines
    made = apolo("disk", "create", "1M").ended(0).lines[0].split()[1]
    assert claims(cluster)[made]["metadata"]["labels"]["platform.apolo.us/user"] == "admin"
    apolo("disk", "rm", made).ended(0)


def test_a_name_is_given_once(cluster, space, apolo, kubectl):
    called = unique("taken")
    made = apolo("disk", "create", "1M", "--name", called).ended(0).lines[0].split()[1]
    try:
        body = claim(unique("claim"), annotations={NAME: called})
        path = f"api/v1/namespaces/{space}/persistentvolumeclaims"
        for query in ({}, {"dryRun": "All"}):
            answer = cluster.api.call("POST", path, json=body, params=query)
            assert answer.status_code == 409, answer.text
            assert f"Disk with name {called}--default--default already exists for project default" in answer.json()["message"]
        free = unique("rehearsed")
        answer = cluster.api.call("POST", path, json=claim(unique("claim"), annotations={NAME: free}), params={"dryRun": "All"})
        assert answer.status_code == 201, answer.text
        adopted(answer.json(), free)
        assert free not in kubectl("get", "disknamings")
    finally:
        apolo("disk", "rm", made).ended(0)
    wrong = cluster.api.call("POST", path, json=claim(unique("claim"), annotations={NAME: "1digit"}))
    assert wrong.status_code == 422 and "1digit" in wrong.json()["message"], wrong.text
