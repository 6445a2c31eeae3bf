"""Lists of jobs: every filter, JSON and NDJSON, and `ps`."""

import json
import secrets

import pytest

from support.client import JOB_ID
from support.rest import LONG, checked, seconds

# Tags and names of this run, on a platform that may have seen others.
MARK = secrets.token_hex(2)
ALL, ONE, TWO, NONE = (f"list:{MARK}:{which}" for which in ("all", "one", "two", "none"))
FIRST, SECOND, THIRD = (f"list-{which}-m{MARK}" for which in ("one", "two", "three"))


@pytest.fixture(scope="module")
def three(admin, other):
    """Three jobs of this module: one that succeeded, one that failed, one that runs; and one of the other user."""
    ended = admin.run("true", name=FIRST, tags=[ALL, ONE])
    failed = admin.run("false", name=SECOND, tags=[ALL, TWO])
    runs = admin.run(LONG, name=THIRD, tags=[ALL], description="runs on")
    theirs = other.run(LONG, tags=[ALL], project_name="second")
    jobs = [admin.wait(ended["id"], "succeeded"), admin.wait(failed["id"], "failed"), admin.wait(runs["id"], "running")]
    yield [job["id"] for job in jobs]
    admin.kill(runs["id"])
    other.kill(theirs["id"])


def ids(jobs):
    return [job["id"] for job in jobs]


def test_tags(admin, three):
    mine = {"tag": ALL, "project_name": "default"}
    assert ids(admin.jobs(**mine)) == three
    assert ids(admin.jobs(tag=[ALL, ONE])) == three[:1]
    assert ids(admin.jobs(tag=NONE)) == []


def test_order_and_limit(admin, three):
    mine = {"tag": ALL, "project_name": "default"}
    assert ids(admin.jobs(**mine, reverse="1")) == three[::-1]
    assert ids(admin.jobs(**mine, limit="2")) == three[:2]
    assert ids(admin.jobs(**mine, limit="2", reverse="true")) == three[:0:-1]


def test_status(admin, three):
    mine = {"tag": ALL, "project_name": "default"}
    assert ids(admin.jobs(**mine, status="running")) == three[2:]
    assert ids(admin.jobs(**mine, status=["succeeded", "failed"])) == three[:2]


def test_places_and_owners(admin, three):
    assert len(admin.jobs(tag=ALL)) == 4     # the admin manages the org, and sees the other's
    assert ids(admin.jobs(tag=ALL, owner="admin")) == three
    assert ids(admin.jobs(tag=ALL, base_owner="admin", org_name="default", cluster_name="default")) == three
    assert ids(admin.jobs(tag=ALL, cluster_name="nowhere")) == []
    assert ids(admin.jobs(tag=ALL, project_name=["default", "second"], owner="admin")) == three
    assert ids(admin.jobs(name=SECOND))[-1:] == three[1:2]


def test_times(admin, three):
    mine = {"tag": ALL, "project_name": "default"}
    second = admin.job(three[1])["history"]["created_at"]
    assert ids(admin.jobs(**mine, since=second)) == three[1:]
    assert ids(admin.jobs(**mine, until=second)) == three[:2]
    assert ids(admin.jobs(**mine, since=second, until=second)) == three[1:2]
    assert ids(admin.jobs(**mine, since="2100-01-01T00:00:00Z")) == []


def test_host_names(admin, three):
    job = admin.job(three[2])
    assert ids(admin.jobs(hostname=f"{job['id']}.jobs.default.localhost")) == three[2:]
    assert ids(admin.jobs(hostname=f"{THIRD}--{job['org_project_hash']}.whatever", status="running")) == three[2:]
    assert ids(admin.jobs(hostname=f"{THIRD}--0123456789.jobs.default.localhost")) == []


def test_flags(admin, three):
    mine = {"tag": ALL, "project_name": "default"}
    assert ids(admin.jobs(**mine, being_dropped="False", logs_removed="0")) == three
    assert three[2] in ids(admin.jobs(**mine, materialized="true"))
    assert ids(admin.jobs(**mine, being_dropped="1")) == []


def test_ndjson(admin, three):
    answer = checked(admin.call("GET", admin.jobs_url, params={"tag": ALL, "project_name": "default"}, headers={"Accept": "application/x-ndjson"}), 200)
    assert answer.headers["Content-Type"] == "application/x-ndjson"
    assert answer.text.endswith("\n") and ids(json.loads(line) for line in answer.text.splitlines()) == three
    nothing = checked(admin.call("GET", admin.jobs_url, params={"tag": NONE}, headers={"Accept": "application/x-ndjson"}), 200)
    assert nothing.text == ""


def test_creation_times_are_the_order(admin, three):
    times = [seconds(job["history"]["created_at"]) for job in admin.jobs(project_name="default")]
    assert times == sorted(times)


@pytest.mark.parametrize("options, wanted", [
    ((), [2]), (("--all",), [0, 1, 2]), (("--status", "failed"), [1]), (("-s", "failed", "-s", "succeeded"), [0, 1]),
    (("--all", "--tag", ONE), [0]), (("--all", "--name", SECOND), [1]), (("--all", "--owner", "ME"), [0, 1, 2]),
    (("--all", "--description", "runs on"), [2]),
])
def test_ps(apolo, three, options, wanted):
    shown = apolo("ps", *options).ended(0)
    assert [number for number, job in enumerate(three) if job in shown.out] == wanted, shown


def test_ps_newest_first(apolo, three):
    shown = apolo("ps", "--all", "--recent-first", "--tag", ALL).ended(0)
    assert [job for job in JOB_ID.findall(shown.out) if job in three] == three[::-1], shown
