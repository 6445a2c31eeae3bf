"""Shared storage in jobs: `apolo run -v storage:…`."""

import json
import uuid

import pytest

JOB = ("run", "--no-tty", "-s", "cpu-small")
IMAGE = "registry.local/busybox"


@pytest.fixture(autouse=True)
def mountable(cluster):
    """Of a cluster that was given nobody knows whether its nodes see this machine's files."""
    if cluster.kind == "given":
        pytest.skip("a given cluster has no volumes under its storage")


@pytest.fixture
def place(apolo):
    """The name of a folder in the project's storage that nobody else uses."""
    name = f"volume-{uuid.uuid4().hex[:8]}"
    yield name
    apolo("rm", "-r", f"storage:{name}")


def shell(apolo, script, *volumes, code=0):
    options = [word for volume in volumes for word in ("-v", volume)]
    # A log ends when the pod does: what it wrote last is given a moment to be read.
    return apolo(*JOB, *options, IMAGE, "--", "sh", "-c", f"{script}; code=$?; sleep 1; exit $code").ended(code)


def read(apolo, path):
    back = apolo.home / uuid.uuid4().hex
    apolo("cp", path, str(back)).ended(0)
    return back.read_text()


def test_what_a_job_writes_is_there_and_what_is_there_a_job_reads(apolo, place):
    apolo("mkdir", f"storage:{place}").ended(0)
    note = apolo.home / "note.txt"
    note.write_text("from outside\n")
    apolo("cp", str(note), f"storage:{place}/in").ended(0)
    seen = shell(apolo, "cat /mnt/in && echo from inside > /mnt/out && mkdir /mnt/dir && echo deep > /mnt/dir/file", f"storage:{place}:/mnt:rw")
    assert "from outside" in seen.lines, seen
    assert read(apolo, f"storage:{place}/out") == "from inside\n"
    assert apolo("ls", f"storage:{place}").ended(0).out.split() == ["dir", "in", "out"]
    # What belongs to a job's user is the client's to change and remove as well.
    apolo("cp", str(note), f"storage:{place}/out").ended(0)
    assert read(apolo, f"storage:{place}/out") == "from outside\n"
    apolo("rm", "-r", f"storage:{place}/dir").ended(0)
    assert apolo("ls", f"storage:{place}").ended(0).out.split() == ["in", "out"]


def test_read_only_is_read_only(apolo, place):
    apolo("mkdir", f"storage:{place}").ended(0)
    seen = shell(apolo, "touch /mnt/x || echo cannot", f"storage:{place}:/mnt:ro")
    assert "cannot" in seen.lines, seen
    assert apolo("ls", f"storage:{place}").ended(0).out.split() == []


def test_a_folder_that_is_missing_is_made(apolo, place):
    shell(apolo, "echo made > /mnt/file", f"storage:{place}/deep/er:/mnt:rw")
    assert read(apolo, f"storage:{place}/deep/er/file") == "made\n"


def test_two_volumes_one_in_the_other(apolo, place):
    seen = shell(
        apolo, "echo 1 > /mnt/one; echo 2 > /mnt/inner/two; cat /other/one /other/b/two",
        f"storage:{place}/a:/mnt:rw", f"storage:{place}/a/b:/mnt/inner:rw", f"storage:{place}/a:/other:ro")
    assert {"1", "2"} <= set(seen.lines), seen
    assert read(apolo, f"storage:{place}/a/b/two") == "2\n"


def test_one_volume_for_all_places_of_a_job(admin, cluster, place, tidy):
    volumes = [
        {"src_storage_uri": f"storage://default/default/default/{place}/{name}", "dst_path": f"/mnt/{name}", "read_only": name == "b"}
        for name in ("a", "b")]
    job = tidy(admin.run("sleep 60", volumes=volumes))
    admin.wait(job["id"], "running", 60)
    pod, = cluster.pods(job["id"])
    injected = [volume for volume in pod["spec"]["volumes"] if volume["name"].startswith("storage-auto-injected-volume-")]
    assert len(injected) == 1, pod["spec"]["volumes"]
    mounts = [mount for mount in pod["spec"]["containers"][0]["volumeMounts"] if mount["name"] == injected[0]["name"]]
    assert [(mount["mountPath"], mount.get("readOnly", False)) for mount in mounts] == [("/mnt/a", False), ("/mnt/b", True)]
    assert pod["metadata"]["labels"]["platform.apolo.us/inject-storage"] == "true"
    assert len(json.loads(pod["metadata"]["annotations"]["platform.apolo.us/inject-storage"])) == 2


def test_a_link_leads_nowhere(apolo, admin, other, place, tidy):
    """Who runs jobs can put links into the storage: they must not bring what lies elsewhere on the node, or in another project, into a job."""
    links = {"up": "../../second", "root": "/etc", "near": "."}
    apolo("mkdir", f"storage:{place}").ended(0)
    shell(apolo, " && ".join(f"ln -s {target} /mnt/{name}" for name, target in links.items()), f"storage:{place}:/mnt:rw")
    for name in links:
        volume = {"src_storage_uri": f"storage://default/default/default/{place}/{name}", "dst_path": "/mnt", "read_only": False}
        job = admin.run("sh -c 'touch /mnt/escaped'", volumes=[volume])
        # A webhook denies the pod; a node that comes to see the link refuses to make the container.
        told = admin.wait(
            tidy(job)["id"], lambda job: job["status"] not in ("pending",) or job["history"]["reason"] == "CreateContainerConfigError", 60)
        assert told["status"] == "failed" and "storage injector" in told["history"]["reason"] or told["status"] == "pending", told
    shell(apolo, "test ! -e /mnt/escaped", f"storage:{place}:/mnt:ro")


def test_another_projects_folder_cannot_be_mounted(admin, other):
    volume = {"src_storage_uri": "storage://default/default/default", "dst_path": "/mnt", "read_only": True}
    refused = other.post_job(project_name="second", volumes=[volume])
    assert refused.status_code == 403 and "storage://default/default/default" in refused.text, refused.text


def test_who_may_read_another_project_cannot_mount_it_in_a_job_of_this_one(admin, other):
    """The admin may see every project's files; a job sees its own project's."""
    volume = {"src_storage_uri": "storage://default/default/second", "dst_path": "/mnt", "read_only": True}
    job = admin.run("true", volumes=[volume])
    failed = admin.wait(job["id"], "failed", 60)
    assert failed["history"]["reason"] == "storage volumes cannot be mounted on this cluster: project mismatch: `second`", failed["history"]


def test_labels_of_a_pod_are_not_taken_at_their_word(admin, other, cluster, place, tidy):
    """Who may make pods in one project's namespace cannot mount another's files by labelling a pod as the other's."""
    if cluster.kind != "testbed":
        pytest.skip("pods that nobody's webhook sees get no storage")
    volume = {"src_storage_uri": f"storage://default/default/default/{place}", "dst_path": "/mnt", "read_only": False}
    job = tidy(admin.run("sleep 60", volumes=[volume]))
    admin.wait(job["id"], "running", 60)
    namespace = cluster.pods(job["id"])[0]["metadata"]["namespace"]

    def make(project):
        injection = [{"mount_path": "/mnt", "storage_uri": f"storage://default/default/{project}/{place}"}]
        pod = {
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {
                "name": place, "annotations": {"platform.apolo.us/inject-storage": json.dumps(injection)},
                "labels": {
                    "platform.apolo.us/org": "default", "platform.apolo.us/project": project, "platform.apolo.us/inject-storage": "true"}},
            "spec": {"containers": [{"name": "main", "image": IMAGE, "command": ["true"]}]}}
        # As it would stand, webhooks included; it is not kept.
        return cluster.api.kubectl("--namespace", namespace, "create", "--dry-run=server", "-o", "json", "-f", "-", text=json.dumps(pod))

    own = json.loads(make("default"))
    assert [mount["mountPath"] for mount in own["spec"]["containers"][0]["volumeMounts"] if mount["name"].startswith("storage-auto")] == ["/mnt"]
    refused = pytest.raises(AssertionError, make, "second")
    assert "project mismatch: `second`" in str(refused.value), refused.value


def test_where_the_files_lie_is_told_to_nobody(admin, other):
    for user in (admin, other):
        for path in ("config", "clusters", "clusters/default"):
            answer = user.config("GET", path)
            assert "storage_backends" not in answer.text and "host_path" not in answer.text, path
