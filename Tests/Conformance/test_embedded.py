"""The embedded cluster in trouble: killed and started again, and made to fail in chosen ways. What runs is found, what is gone is told, no job is
lost or started twice."""

import contextlib
import os
import pathlib
import secrets
import signal
import time

import pytest

from support.jobs import assert_ran_once, counting
from support.pods import manifest, phase, terminated
from support.rest import LONG, checked, describe, transitions
from support.waiting import eventually

pytestmark = [pytest.mark.faults, pytest.mark.embedded, pytest.mark.timeout(300)]


@pytest.fixture(autouse=True)
def only_embedded(cluster):
    if cluster.kind != "embedded":
        pytest.skip("about the embedded cluster")


@pytest.fixture
def space(cluster):
    name = f"embedded-{secrets.token_hex(3)}"
    cluster.api.kubectl("create", "namespace", name)
    yield name
    cluster.api.kubectl("delete", "namespace", name, "--wait=false")


@pytest.fixture
def create(cluster, space):
    """Creates a pod that runs a script, and answers when its container has begun."""
    def make(name, script, **spec):
        body = manifest(name, script, **spec)
        answer = cluster.api.call("POST", f"api/v1/namespaces/{space}/pods", json=body)
        assert answer.status_code == 201, answer.text
        eventually(f"{name} runs", lambda: phase(cluster, space, name) == "Running", 40)
        return cluster.api.pod(space, name)
    return make


def processes(word):
    """The processes on this machine that have the word on their command line: those of a container are among them."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            with contextlib.suppress(OSError):
                if word.encode() in (entry / "cmdline").read_bytes().split(b"\0"):
                    found.append(int(entry.name))
    return found


def unique():
    """A number of seconds, long enough, by which a `sleep` is known."""
    return str(10_000_000 + secrets.randbelow(90_000_000))


def test_it_is_killed_and_finds_its_pods(cluster, space, create):
    """One runs on, one ends by itself and one is killed while nobody looks."""
    on, dies, ends = unique(), unique(), unique()
    runs = create("runs-on", f"echo before; sleep 8; echo after; exec sleep {on}")
    create("ends", f"sleep 3; : {ends}; exit 7")
    create("dies", f"exec sleep {dies}")
    with cluster.away():
        eventually("the second has ended", lambda: not any(processes(f"sleep 3; : {ends}; exit 7")), 30)
        (victim,) = processes(dies)
        os.kill(victim, signal.SIGKILL)
        time.sleep(6)
    end = terminated(cluster, space, "ends")
    assert (end["exitCode"], phase(cluster, space, "ends")) == (7, "Failed")
    end = terminated(cluster, space, "dies")
    assert (end["exitCode"], phase(cluster, space, "dies")) == (137, "Failed")
    found = cluster.api.pod(space, "runs-on")
    assert found["metadata"]["uid"] == runs["metadata"]["uid"] and found["status"]["phase"] == "Running"
    (before,), (after,) = runs["status"]["containerStatuses"], found["status"]["containerStatuses"]
    assert (after["containerID"], after["restartCount"], after["state"]) == (before["containerID"], 0, before["state"])
    eventually("its log goes on", lambda: cluster.api.kubectl("-n", space, "logs", "runs-on") == "before\nafter\n", 20)
    assert cluster.api.kubectl("-n", space, "exec", "runs-on", "--", "echo", "in") == "in\n"
    assert len(processes(on)) == 1
    cluster.api.kubectl("-n", space, "delete", "pod", "runs-on")
    assert not processes(on)


def test_it_is_killed_while_it_starts_and_stops_pods(cluster, space):
    """Whatever it was doing, each pod becomes one container, and what is deleted goes."""
    words = [unique() for _ in range(6)]
    for number, word in enumerate(words):
        body = manifest(f"p{number}", f"trap 'exit 0' TERM; sleep {word} & wait")
        assert cluster.api.call("POST", f"api/v1/namespaces/{space}/pods", json=body).status_code == 201
        if number % 2:
            cluster.part.kill()
            eventually("it answers again", cluster.answers, 60, 0.1)
    for number, word in enumerate(words):
        eventually(f"p{number} runs", lambda: phase(cluster, space, f"p{number}") == "Running", 60)
        eventually(f"the shell of p{number} has begun its sleep", lambda: processes(word), 10)
        assert len(processes(word)) == 1, f"p{number} runs {len(processes(word))} times"
    for number in range(6):
        assert cluster.api.call("DELETE", f"api/v1/namespaces/{space}/pods/p{number}").status_code < 300
    cluster.part.kill()
    eventually("it answers again", cluster.answers, 60, 0.1)
    for number, word in enumerate(words):
        eventually(f"p{number} is gone", lambda: cluster.api.pod(space, f"p{number}") is None, 60)
        assert not processes(word)


def test_objects_survive(cluster, space):
    """What was answered 201 is there after a kill, at the version that was told."""
    def make(name):
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}}
        return checked(cluster.api.call("POST", f"api/v1/namespaces/{space}/configmaps", json=body), 201).json()

    made = [make(f"c{number}") for number in range(20)]
    cluster.part.kill()
    eventually("it answers again", cluster.answers, 60, 0.1)
    found = {item["metadata"]["name"]: item["metadata"]["resourceVersion"] for item in cluster.list("configmaps", space)}
    assert found.items() >= {item["metadata"]["name"]: item["metadata"]["resourceVersion"] for item in made}.items()
    assert int(make("later")["metadata"]["resourceVersion"]) > int(made[-1]["metadata"]["resourceVersion"])


def lead(admin, pod_watch, jobs, timeout=90):
    """Every job ends well, of one pod."""
    for job in jobs:
        ended = admin.wait(job["id"], "succeeded", timeout)
        assert ended["history"]["exit_code"] == 0 and ended["history"]["restarts"] == 0, describe(ended)
        assert transitions(ended) in (["pending", "running", "succeeded"], ["pending", "succeeded"]), describe(ended)
        pod_watch.once(job["id"])


WATCHES, CREATIONS = {"verb": "watch"}, {"verb": "create", "path": "/api/v1/namespaces/*/pods"}


@pytest.mark.parametrize("rule", [
    {"match": WATCHES, "action": "drop", "count": 40},
    {"match": WATCHES, "action": "status", "status": 410, "count": 12},
    {"match": WATCHES, "action": "status", "status": 500, "count": 12},
    {"match": CREATIONS, "action": "status", "status": 500, "count": 3},
    {"match": CREATIONS, "action": "status", "status": 429, "count": 3},
    {"match": CREATIONS, "action": "drop", "count": 3},
    {"match": {"method": "GET", "path": "/api/v1/namespaces/*/pods*"}, "action": "status", "status": 500, "count": 8},
    {"match": {"path": "/api/v1/namespaces"}, "action": "delay", "seconds": 1.5, "count": 20},
], ids=["watches-dropped", "watches-gone", "watches-fail", "creation-fails", "creation-throttled", "creation-cut", "reading-fails", "everything-slow"])
def test_the_controller_recovers(admin, apolo, cluster, pod_watch, tidy, rule):
    """While the API fails like this, jobs are created, run, end and are cancelled."""
    before = admin.run(counting(seconds=6))
    cancelled = tidy(admin.run(LONG))
    admin.wait(before["id"], "running")
    admin.wait(cancelled["id"], "running")
    with cluster.faults(rule):
        during = [admin.run(counting(seconds=2)) for _ in range(3)]
        admin.kill(cancelled["id"])
        lead(admin, pod_watch, [before, *during])
        cluster.expect_gone(cancelled["id"])
    after = admin.run(counting(seconds=1))
    lead(admin, pod_watch, [after])
    for job in (before, *during, after):
        assert_ran_once(apolo, pod_watch, job)
    assert transitions(admin.job(cancelled["id"])) == ["pending", "running", "cancelled"]


def test_a_job_loses_its_containers(admin, cluster, pod_watch):
    """It failed, and says so; nothing runs it again."""
    job = admin.run(LONG)
    admin.wait(job["id"], "running")
    (pod,) = cluster.pods(job["id"])
    cluster.lose(pod, "containers")
    ended = admin.wait(job["id"], "failed", 60)
    assert transitions(ended) == ["pending", "running", "failed"], describe(ended)
    pod_watch.once(job["id"])


def test_a_job_loses_its_pod(admin, cluster, pod_watch):
    job = admin.run(LONG)
    admin.wait(job["id"], "running")
    (pod,) = cluster.pods(job["id"])
    cluster.lose(pod, "object")
    ended = admin.wait(job["id"], "failed", 60)
    assert (ended["history"]["reason"], ended["history"]["description"]) == (
        "NotFound", "The job could not be scheduled or was preempted."), describe(ended)
    pod_watch.once(job["id"])


def test_a_restartable_job_loses_its_pod(admin, cluster, pod_watch, tidy):
    """One more attempt, in a pod of its own; never two at a time."""
    word = unique()
    job = tidy(admin.run(f"sh -c 'trap exit TERM; sleep {word} & wait'", restart_policy="on-failure"))
    admin.wait(job["id"], "running")
    (pod,) = cluster.pods(job["id"])
    cluster.lose(pod, "object")
    eventually("another pod is made", lambda: len(pod_watch.of(job["id"])) == 2, 60)
    eventually("the job runs again", lambda: admin.job(job["id"])["status"] == "running" and [
        found for found in cluster.pods(job["id"]) if found["status"]["phase"] == "Running"], 60)
    assert len(processes(word)) == 1 and len(pod_watch.of(job["id"])) == 2


def test_faults_need_the_clusters_token(cluster):
    assert cluster.api.call("GET", "faults", headers={}).status_code == 401
    checked(cluster.api.call("GET", "faults"), 200)
