"""Disks: `apolo disk`, and disks in jobs."""

import contextlib
import re
import uuid

import pytest
import requests

from support.rest import checked
from support.waiting import eventually

ID = re.compile(r"disk-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
JOB = ("run", "--no-tty", "-s", "cpu-small")
IMAGE = "registry.local/busybox"


@pytest.fixture
def disk(apolo, cluster):
    """Makes disks that go with the test; a genuine cluster without a provisioner of its own is given volumes for them."""
    with contextlib.ExitStack() as volumes:
        made = []

        def make(size="10M", *more):
            result = apolo("disk", "create", size, *more).ended(0)
            # As scripts read it: the second word of the first line.
            found = result.lines[0].split()[1]
            assert ID.fullmatch(found), result
            made.append(found)
            volumes.enter_context(cluster.volume_for(found))
            return found

        yield make
        for each in made:
            apolo("disk", "rm", each)


def name():
    return "disk-of-" + uuid.uuid4().hex[:8]


def test_create_list_get_remove(apolo, disk):
    called = name()
    made = disk("2GB", "--name", called)
    listed = apolo("disk", "ls").ended(0)
    assert made in listed.text and called in listed.text and "2.0 GB" in listed.text
    assert made in apolo("-q", "disk", "ls").ended(0).lines
    for text in (made, called, f"disk:{called}"):
        told = apolo("disk", "get", text).ended(0)
        assert made in told.text and "2.0 GB" in told.text, told
    double = apolo("disk", "create", "1M", "--name", called).ended(65)
    assert f"Disk with name {called} already exists for project default" in double.text
    other = disk("1M")
    removed = apolo("disk", "rm", called, other).ended(0)
    assert f"Disk with id '{made}' was successfully removed." in removed.text and other in removed.text
    assert made not in apolo("-q", "disk", "ls").ended(0).lines
    gone = apolo("disk", "get", made).ended(72)
    assert f"Disk {made} not found" in gone.text
    apolo("disk", "rm", called).ended(72)


def test_all_projects_are_listed(apolo, disk):
    made = disk("1M")
    assert made in apolo("-q", "disk", "ls", "--all-projects").ended(0).lines


def test_refusals(apolo, admin, other):
    over = apolo("disk", "create", "200Gi").ended(77)
    assert "over_limit" in over.text and "100.0 GB" in over.text
    base = disks_url(admin)
    wrong = admin.call("POST", base, json={"storage": "20Gi", "org_name": "default"})
    assert wrong.status_code == 400 and "storage: Not a valid integer." in wrong.json()["error"] and "project_name" in wrong.json()["error"]
    ours = {"org_name": "default", "project_name": "default"}
    assert other.call("POST", base, json={"storage": 500, **ours}).status_code == 403
    assert checked(other.call("GET", base, params=ours), 200).json() == []
    theirs = checked(other.call("POST", base, json={"storage": 500, "org_name": "default", "project_name": "second"}), 201).json()
    assert theirs["owner"] == "second" and theirs["storage"] == 500
    checked(other.call("DELETE", f"{base}/{theirs['id']}", params=ours | {"project_name": "second"}), 204)


def test_the_documentation(admin):
    """Next to the API, for whoever asks."""
    place = disks_url(admin).replace("/api/v1/disk", "/api/docs/v1/disk")
    described = checked(requests.get(place + "/swagger.json", timeout=20), 200).json()
    assert described["swagger"] == "2.0" and set(described["paths"]["/api/v1/disk"]) == {"get", "post"}
    page = checked(requests.get(place + "/ui", timeout=20), 200)
    assert page.headers["Content-Type"] == "text/html; charset=utf-8" and "Makes a disk" in page.text


def test_a_disk_in_a_job(apolo, admin, disk):
    """What one job writes, the next one reads; and the disk was used."""
    called = name()
    made = disk("10M", "--name", called)
    mounted = f"disk:{called}:/mnt/d:rw"
    apolo(*JOB, "-v", mounted, IMAGE, "--", "sh", "-c", "echo kept > /mnt/d/file; sync; sleep 1").ended(0)
    reading = apolo(*JOB, "-v", f"disk:{made}:/mnt/d:ro", IMAGE, "--", "sh", "-c", "cat /mnt/d/file; touch /mnt/d/x || echo cannot; sleep 1").ended(0)
    assert "kept" in reading.lines and "cannot" in reading.lines, reading
    url, ours = f"{disks_url(admin)}/{made}", {"org_name": "default", "project_name": "default"}
    told = eventually("the disk was used", lambda: (found := checked(admin.call("GET", url, params=ours), 200).json())["last_usage"] and found, 30)
    assert told["status"] == "Ready" and told["last_usage"] > told["created_at"]


def test_a_job_whose_disk_is_missing(apolo, admin):
    missing = f"disk-{uuid.uuid4()}"
    volume = {"src_disk_uri": f"disk://default/default/default/{missing}", "dst_path": "/mnt/d", "read_only": False}
    job = admin.run("true", disk_volumes=[volume])
    failed = admin.wait(job["id"], "failed", 40)
    assert failed["history"]["reason"] == f"Missing disks: '{missing}'", failed["history"]


def test_a_disk_of_another_project_cannot_be_mounted(admin, other):
    """Not by its own name, and not by the name of one that one may use."""
    volume = {"src_disk_uri": "disk://default/default/default/disk-x", "dst_path": "/mnt/d", "read_only": False}
    refused = other.post_job(project_name="second", disk_volumes=[volume])
    assert refused.status_code == 403 and "disk://default/default/default/disk-x" in refused.text, refused.text


def test_a_disk_that_nothing_uses_goes(admin):
    base, ours = disks_url(admin), {"org_name": "default", "project_name": "default"}
    made = checked(admin.call("POST", base, json={"storage": 500, "life_span": 1, **ours}), 201).json()
    assert made["life_span"] == 1
    eventually("the unused disk goes", lambda: admin.call("GET", f"{base}/{made['id']}", params=ours).status_code == 404, 30)


def disks_url(user):
    (cluster,) = [entry for entry in user.config("GET", "config").json()["clusters"] if entry["name"] == "default"]
    return cluster["disks_url"]
