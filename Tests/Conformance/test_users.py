"""A second user with a project of its own stays in it."""

import pytest

from support.rest import LONG, checked

SMALL = ("-s", "cpu-small", "registry.local/busybox", "--")


@pytest.fixture(scope="module")
def job(admin):
    """A job of the admin, with a name."""
    created = admin.run(LONG, name="admins-own")
    yield admin.wait(created["id"], "running")
    admin.kill(created["id"])


def test_the_other_sees_none_of_the_admins_jobs(other, other_apolo, job):
    listed = other_apolo("ps", "--all").ended(0)
    assert job["id"] not in listed.text
    listed = other_apolo("ps", "--all", "--all-projects").ended(0)
    assert job["id"] not in listed.text
    for query in ({}, {"cluster_name": "default"}, {"project_name": "default"}, {"owner": "admin"}, {"name": "admins-own"}):
        assert [found["id"] for found in other.jobs(**query) if found["owner"] != "second"] == [], query


@pytest.mark.parametrize("command", ["status", "logs"])
def test_by_id_the_other_is_told_what_is_missing(other_apolo, job, command):
    told = other_apolo(command, job["id"]).ended(77)
    assert "missing" in told.text and job["uri"] in told.text, told


def test_kill_by_id(other_apolo, admin, job):
    told = other_apolo("kill", job["id"]).ended(1)
    assert "Not enough permissions" in told.text, told
    assert admin.job(job["id"])["status"] == "running"


def test_exec_by_id(other_apolo, job):
    told = other_apolo("exec", "--no-tty", job["id"], "--", "true").ended(77)
    assert "missing" in told.text, told


def test_by_id_over_rest(platform, other, job):
    by_id, by_name = job["uri"], job["uri"].rsplit("/", 1)[0] + "/admins-own"
    read = checked(other.call("GET", f"{other.jobs_url}/{job['id']}"), 403).json()
    assert read == {"missing": [{"uri": by_id, "action": "read"}, {"uri": by_name, "action": "read"}]}
    write = checked(other.call("DELETE", f"{other.jobs_url}/{job['id']}"), 403).json()
    assert write == {"missing": [{"uri": by_id, "action": "write"}, {"uri": by_name, "action": "write"}]}
    log = checked(other.call("GET", f"{platform.monitoring}/{job['id']}/log"), 403).json()
    assert {"uri": by_id, "action": "read"} in log["missing"]


@pytest.mark.parametrize("command, code", [(("status",), 65), (("logs",), 65), (("kill",), 1)])
def test_by_name_there_is_no_such_job(other_apolo, job, command, code):
    told = other_apolo(*command, "admins-own").ended(code)
    assert "no such job admins-own" in told.text, told


def test_by_name_over_rest(other, job):
    answer = checked(other.call("GET", f"{other.jobs_url}/admins-own"), 400)
    assert answer.json() == {"error": "no such job admins-own"}


def test_the_other_cannot_create_in_the_admins_project(other):
    answer = checked(other.post_job(project_name="default"), 403)
    assert answer.json() == {"missing": [{"uri": "job://default/default/default", "action": "write"}]}


def test_the_other_works_in_its_own_project(other, other_apolo, admin):
    ended = other_apolo("run", "--no-tty", *SMALL, "sh", "-c", "echo mine; sleep 2").ended(0)
    assert "mine" in ended.lines
    job = other.job(ended.job)
    assert (job["owner"], job["project_name"], job["status"]) == ("second", "second", "succeeded")
    assert ended.job in other_apolo("ps", "--all").ended(0).text
    assert admin.job(ended.job)["owner"] == "second"     # the admin manages the org


def test_names_belong_to_a_project(admin, other, tidy):
    """The same name twice at the same time, in two projects."""
    tidy(admin.run(LONG, name="everybodys"))
    mine = other.run(LONG, name="everybodys", project_name="second")
    assert other.job("everybodys")["id"] == mine["id"]
    other.kill(mine["id"])
