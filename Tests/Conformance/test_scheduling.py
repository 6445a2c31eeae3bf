"""Jobs that do not fit: never, or not yet."""

import pytest

from support.rest import LONG, checked, reasons, transitions
from support.waiting import eventually


@pytest.fixture
def huge_preset(admin):
    """A preset of a thousand cores, which names no pool."""
    preset = {"name": "huge", "credits_per_hour": "1", "cpu": 1000, "memory": 1 << 40}
    presets = "clusters/default/orchestrator/resource_presets"
    admin.config("DELETE", f"{presets}/huge")
    checked(admin.config("POST", presets, json=preset), 200, 201)
    yield "huge"
    checked(admin.config("DELETE", f"{presets}/huge"), 200)


def test_a_preset_that_no_pool_can_hold_fails_at_once(admin, huge_preset):
    # jobs-api follows the cluster's configuration: it knows the preset within moments.
    answer = eventually("jobs-api knows the new preset", lambda: (a := admin.post_job(preset_name=huge_preset)).status_code == 202 and a, 15, 0.3)
    job = admin.wait(answer.json()["id"], "failed", 10)
    assert (job["history"]["reason"], job["history"]["description"]) == ("Job cannot be scheduled", "The job could not be started.")
    assert transitions(job) == ["pending", "failed"] and "exit_code" not in job["history"]
    assert job["materialized"] is False


def test_a_size_that_no_pool_has(admin):
    job = admin.wait(admin.run_sized("true", cpu=1000)["id"], "failed", 10)
    assert job["history"]["reason"] == "Job cannot be scheduled"


def fill(admin, cluster, tidy):
    """Takes what is free on the node. What waits for it must be larger than what other tests may give back meanwhile."""
    eventually("pods of earlier tests are gone", lambda: not cluster.ending, 75, 0.3)
    hog = tidy(admin.run_sized(LONG, cpu=int((cluster.free_cores - 0.05) * 100) / 100))
    admin.wait(hog["id"], "running")
    return hog


def test_a_job_for_which_the_nodes_are_full_waits(admin, apolo, cluster, tidy):
    """It stays pending with its reason, starts when there is room, and can be cancelled before that."""
    hog = fill(admin, cluster, tidy)
    first, second = (tidy(admin.run_sized("sleep 2", cpu=0.5, name=name)) for name in ("waits-first", "waits-second"))
    for job in (first, second):
        waiting = admin.wait(job["id"], lambda found: found["history"]["reason"] == "Scheduling", 15, "pending with the reason Scheduling")
        assert waiting["status"] == "pending"
    assert "Scheduling" in apolo("status", "waits-first").ended(0).out
    apolo("kill", "waits-second").ended(0)
    cancelled = admin.job(second["id"])
    assert transitions(cancelled) == ["pending", "cancelled"] and cancelled["history"]["reason"] == "UserRequested"
    assert admin.job(first["id"])["status"] == "pending"
    # Nothing of a job that never started is shown, and its log ends.
    assert "UserRequested" in apolo("logs", second["id"]).ended(0).out
    admin.kill(hog["id"])
    ended = admin.wait(first["id"], "succeeded", 60)
    assert transitions(ended) == ["pending", "running", "succeeded"] and "Scheduling" in reasons(ended)
    assert not cluster.pods(second["id"])


def test_a_schedule_timeout_ends_the_wait(admin, cluster, tidy):
    fill(admin, cluster, tidy)
    job = tidy(admin.run_sized("true", cpu=0.5, schedule_timeout=2))
    ended = admin.wait(job["id"], "failed", 25)
    assert (ended["history"]["reason"], ended["history"]["description"]) == (
        "ClusterScaleUpFailed", "Failed to scale up the cluster to get more resources")


def test_capacity(platform, admin, cluster, tidy):
    def capacity():
        return checked(admin.call("GET", f"{platform.monitoring}/capacity"), 200).json()

    eventually("pods of earlier tests are gone", lambda: not cluster.ending, 75, 0.3)
    # The jobs of the test before are cancelled; their pods are asked to end a moment later.
    before = eventually("there is room again", lambda: found if (found := capacity())["cpu-small"] >= 1 else None, 30)
    assert before.keys() >= {"cpu-small", "cpu-medium"}
    fill(admin, cluster, tidy)
    assert capacity()["cpu-medium"] == 0
