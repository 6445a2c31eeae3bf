"""The life of a job over REST: its document, names, restarts, its end."""

import base64
import hashlib
import json

import pytest

from support.rest import LONG, accepted, checked, describe, reasons, seconds, transitions
from support.waiting import eventually


def test_the_document_of_a_job(admin, tidy):
    answer = admin.post_job(
        name="document", command=LONG, description="what it is", tags=["b", "a", "a"], env={"A": "b"}, max_run_time_minutes=30,
        http={"port": 8080, "requires_auth": True}, resources={"shm": True}, restart_policy="on-failure")
    job = tidy(accepted(answer))
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
    assert "platform-api" in answer.headers["X-Service-Version"]
    assert job["id"].startswith("job-") and len(job["id"]) == 40
    assert job["uri"] == f"job://default/default/default/{job['id']}"
    assert (job["owner"], job["status"], job["tags"], job["description"]) == ("admin", "pending", ["a", "b"], "what it is")
    assert job["org_project_hash"] == hashlib.sha256(b"defaultdefault").hexdigest()[:10]
    assert job["namespace"].startswith("platform--default--default--")
    history = job["history"]
    assert (history["reason"], history["run_time_seconds"], history["restarts"]) == ("Creating", 0.0, 0)
    assert not {"started_at", "finished_at", "exit_code"} & history.keys()
    assert job["materialized"] is False and len(job["statuses"]) == 1
    running = admin.wait(job["id"], "running")
    assert seconds(running["history"]["started_at"]) >= seconds(running["history"]["created_at"])
    assert running["materialized"] is True
    container = running["container"]
    assert container["resources"].items() >= {"cpu": 0.1, "memory": 256 << 20, "memory_mb": 256, "shm": True}.items()
    assert container["env"] == {"A": "b"} and container["volumes"] == []
    assert container["http"] == {"port": 8080, "health_check_path": "/", "requires_auth": True}
    assert running["http_url"] == admin.platform.url.replace("127.0.0.1", f"{job['id']}.jobs.default.localhost")
    assert running["http_url_named"] == admin.platform.url.replace("127.0.0.1", f"document--{job['org_project_hash']}.jobs.default.localhost")
    assert running["internal_hostname"] == f"{job['id']}.{job['namespace']}"
    assert isinstance(running["total_price_credits"], str) and isinstance(running["price_credits_per_hour"], str)


def test_a_name_is_free_again_when_its_job_ended(admin, tidy):
    first = tidy(admin.run(LONG, name="reused"))
    answer = checked(admin.post_job(name="reused"), 400)
    assert answer.json()["error"] == (
        f"Failed to create job: job with name 'reused' and project 'default' already exists: '{first['id']}'")
    admin.kill(first["id"])
    second = tidy(admin.run(LONG, name="reused"))
    assert admin.job("reused")["id"] == second["id"]
    assert [job["id"] for job in admin.jobs(name="reused", reverse="1", limit="2")] == [second["id"], first["id"]]


def test_one_of_many_gets_the_name(admin, workers, tidy):
    answers = list(workers.map(lambda _: admin.post_job(name="contested", command=LONG), range(8)))
    created = [tidy(answer.json()["id"]) for answer in answers if answer.status_code == 202]
    assert len(created) == 1, [answer.status_code for answer in answers]
    for answer in answers:
        if answer.status_code != 202:
            assert created[0] in checked(answer, 400).text


@pytest.mark.parametrize("command, status, reason, code", [
    ("true", "succeeded", None, 0), ("sh -c 'echo why; exit 7'", "failed", "Error", 7), ("/no/such/command", "failed", None, 128),
])
def test_how_a_job_ends(admin, command, status, reason, code):
    job = admin.wait(admin.run(command)["id"], ("succeeded", "failed"))
    assert job["status"] == status, describe(job)
    assert reason in (None, job["history"]["reason"])
    if code != 128:     # what a container that cannot start reports is the container runtime's affair
        assert job["history"]["exit_code"] == code
    if code == 7:
        assert job["history"]["description"].strip() == "why"
    assert seconds(job["history"]["finished_at"]) >= seconds(job["history"]["started_at"])
    assert transitions(job) in (["pending", "running", status], ["pending", status])


def test_on_failure_runs_again(admin, apolo, cluster, tidy):
    """The second run finds what the first left in shared memory, and succeeds. The log shows both, and each line once."""
    command = "sh -c 'if [ -e /dev/shm/again ]; then sleep 2; echo second; else touch /dev/shm/again; echo first; sleep 2; exit 1; fi'"
    job = tidy(admin.run(command, name="restarting", restart_policy="on-failure", resources={"shm": True}))
    admin.wait(job["id"], ("running",))
    followed = apolo.start("logs", "restarting")
    ended = admin.wait(job["id"], ("succeeded", "failed"), 60)
    assert (ended["status"], ended["history"]["exit_code"], ended["history"]["restarts"]) == ("succeeded", 0, 1), describe(ended)
    assert "Restarting" in reasons(ended) and transitions(ended) == ["pending", "running", "succeeded"]
    logs = followed.finish(30).ended(0)
    assert [line for line in logs.lines if line in ("first", "second")] == ["first", "second"], logs
    assert len(cluster.pods(job["id"])) <= 1


def test_always_runs_again_until_it_is_killed(admin, apolo, tidy):
    job = tidy(admin.run("sh -c 'echo once more; sleep 1'", restart_policy="always"))
    restarted = admin.wait(job["id"], lambda found: found["history"]["restarts"] >= 1, 30, "restarted")
    assert restarted["status"] == "running"
    admin.kill(job["id"])
    assert admin.job(job["id"])["history"]["reason"] == "UserRequested"


def test_never_stays_ended(admin):
    job = admin.wait(admin.run("false")["id"], "failed")
    assert job["restart_policy"] == "never" and job["history"]["restarts"] == 0 and job["history"]["exit_code"] == 1


def test_a_cancelled_job_leaves_nothing_behind(admin, cluster):
    job = admin.run(LONG, name="leaves-nothing", http={"port": 80, "requires_auth": True})
    admin.wait(job["id"], "running")
    admin.kill(job["id"])

    def left():
        return [f"{plural}/{item['metadata']['name']}" for plural in ("pods", "services", "ingresses") for item in cluster.list(plural, job["namespace"])
                if job["id"] in item["metadata"]["name"] or "leaves-nothing" in item["metadata"]["name"]]

    cluster.expect_gone(job["id"])
    eventually("services and ingress of the cancelled job are gone", lambda: not left(), 15, 0.5)
    gone = admin.wait(job["id"], lambda found: found["materialized"] is False, 10, "not materialized")
    assert transitions(gone) == ["pending", "running", "cancelled"]


def test_a_job_that_is_killed_at_once(admin, cluster):
    """Whatever the controller was doing at that moment, nothing runs on."""
    jobs = [admin.run(LONG) for _ in range(3)]
    for job in jobs:
        admin.kill(job["id"])
    for job in jobs:
        assert admin.job(job["id"])["status"] == "cancelled"
        cluster.expect_gone(job["id"])


def test_run_time_limit_can_be_changed(admin, tidy):
    job = tidy(admin.run(LONG, max_run_time_minutes=10))
    url = f"{admin.jobs_url}/{job['id']}/max_run_time_minutes"
    checked(admin.call("PUT", url, json={"additional_max_run_time_minutes": 5}), 204)
    assert admin.job(job["id"])["max_run_time_minutes"] == 15
    answer = checked(admin.call("PUT", url, json={}), 400)
    assert "Exactly one of" in answer.json()["error"]


def test_a_passed_config_lets_the_job_in(admin, platform, tidy):
    job = tidy(admin.run(LONG, pass_config=True))
    passed = json.loads(base64.b64decode(job["container"]["env"]["NEURO_PASSED_CONFIG"]))
    assert {"cluster": "default", "org_name": "default", "project_name": "default", "url": platform.api}.items() <= passed.items()
    assert admin.config("GET", "config", token=passed["token"]).json()["authorized"] is True


def test_the_life_span_ends(outlived, admin):
    """Last: the shortest life span is a minute."""
    ended = admin.wait(outlived["id"], ("cancelled", "failed", "succeeded"), 150)
    assert (ended["status"], ended["history"]["reason"]) == ("cancelled", "LifeSpanEnded")
    assert 60 <= ended["history"]["run_time_seconds"] <= 130
