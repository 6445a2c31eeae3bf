"""Parts of the platform go away while it works. No job is lost, none is started twice, and all recovers by itself."""

import contextlib
import os
import signal
import socket
import subprocess
import threading
import time

import pytest
import requests

from support.jobs import assert_ordinary_life, assert_ran_once, counting
from support.platform import SERVICES
from support.rest import Api, LONG, checked, describe, transitions
from support.waiting import eventually

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]

# How long a request may take while a dependency is away: the services' own wait, and room for a slow machine.
BOUND = 25.0


@pytest.fixture(autouse=True)
def whole(platform, admin, cluster):
    """Each test begins with all parts at work and leaves them so."""
    recovered(platform, admin, cluster, 60)
    yield
    recovered(platform, admin, cluster, 60)


def recovered(platform, admin, cluster, timeout):

    def works():
        with contextlib.suppress(requests.RequestException):
            return all(requests.get(f"{platform.service_url(name)}/ready", timeout=5).ok for name in SERVICES) \
                and admin.call("GET", admin.jobs_url, params={"limit": "1"}, timeout=10).ok and cluster.answers()

    eventually("all parts of the platform work again", works, timeout, 0.3)


class Caller:
    """Asks again and again, each request in its turn, and remembers what came of it."""

    def __init__(self, name, request, pause=0.2):
        self.name, self._request, self._pause, self.answers, self._ended = name, request, pause, [], threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self):
        while not self._ended.is_set():
            begun = time.monotonic()
            try:
                answer = self._request()
                self.answers.append((answer.status_code, answer.headers.get("Retry-After"), time.monotonic() - begun, answer.text[:300]))
            except requests.RequestException as error:
                self.answers.append((0, None, time.monotonic() - begun, repr(error)))
            self._ended.wait(self._pause)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._ended.set()
        self._thread.join(BOUND + 20)

    def check(self):
        """Each request succeeded, or was told to come back, and none waited beyond the bound."""
        assert self.answers and not self._thread.is_alive(), f"{self.name} is never answered"
        for status, retry, passed, text in self.answers:
            assert status in (200, 201, 202, 204) or status == 503 and retry, f"{self.name}: {status}, Retry-After {retry}: {text}"
            assert passed < BOUND, f"{self.name}: a request took {passed:.1f} s ({status})"
        assert self.answers[-1][0] != 503, f"{self.name}: refused to the end: {self.answers[-1]}"


def test_jobs_api_is_killed(platform, admin, apolo, pod_watch, tidy):
    """kill -9 while jobs run, wait, end and are cancelled: the restart finds everything."""
    running = admin.run(counting())
    ends = admin.run(counting(seconds=2))
    cancelled = tidy(admin.run(LONG))
    admin.wait(running["id"], "running")
    admin.wait(ends["id"], lambda job: job["status"] in ("running", "succeeded"))
    admin.wait(cancelled["id"], "running")
    attached = apolo.start("logs", running["id"])
    fresh = [admin.run(counting(seconds=3)) for _ in range(3)]
    with platform.part("jobs-api").away():
        time.sleep(4)     # long enough for a container to end unseen
    direct = Api(platform, "admin", admin.token, platform.service_url("jobs-api"))
    eventually("jobs-api answers again", lambda: ready(platform, "jobs-api"), 30)
    direct.kill(cancelled["id"])
    for job in (running, ends, *fresh):
        ended = admin.wait(job["id"], "succeeded", 60)
        assert ended["history"]["exit_code"] == 0
        assert transitions(ended) in (["pending", "running", "succeeded"], ["pending", "succeeded"]), describe(ended)
        assert_ran_once(apolo, pod_watch, job)
    assert transitions(admin.job(cancelled["id"])) == ["pending", "running", "cancelled"]
    assert attached.finish(60).ended(0).lines == ["counts begins", "counts ends"]


def ready(platform, name):
    with contextlib.suppress(requests.RequestException):
        return requests.get(f"{platform.service_url(name)}/ready", timeout=3).ok
    return False


def test_jobs_api_is_killed_over_and_over_while_jobs_are_created(platform, admin, pod_watch):
    """Every creation that was answered 202 becomes one job with one pod."""
    created, ended = [], threading.Event()

    def storm():
        while not ended.is_set():
            with contextlib.suppress(requests.RequestException):
                answer = admin.post_job(command="sleep 1", tags=["storm"], timeout=10)
                if answer.status_code == 202:
                    created.append(answer.json()["id"])
            ended.wait(0.4)

    thread = threading.Thread(target=storm, daemon=True)
    thread.start()
    part = platform.part("jobs-api")
    for _ in range(3):
        have = len(created)
        eventually("jobs are created", lambda: len(created) >= have + 2, 40)
        part.kill()
        eventually("jobs-api answers again", lambda: ready(platform, "jobs-api"), 30)
    ended.set()
    thread.join(30)
    assert len(created) >= 6
    for job in created:
        admin.wait(job, "succeeded", 90)
        pod_watch.once(job)


def test_postgres_is_away_for_ten_seconds(platform, admin, apolo, pod_watch):
    running = admin.run(counting())
    admin.wait(running["id"], "running")
    callers = [
        Caller("list of jobs", lambda: admin.call("GET", admin.jobs_url, params={"limit": "5"})),
        Caller("one job", lambda: admin.call("GET", f"{admin.jobs_url}/{running['id']}")),
        Caller("bootstrap document", lambda: admin.config("GET", "config")),
        Caller("clusters", lambda: admin.admin("GET", "clusters")),
        Caller("user", lambda: admin.config("GET", "users/admin")),
        Caller("creation", lambda: admin.post_job(command="true", tags=["outage"]), pause=2),
    ]
    away(platform, "postgres", signal.SIGINT, 10, callers)
    jobs = admin.jobs(tag="outage")
    answered = sum(status == 202 for status, *_ in callers[-1].answers)
    assert len(jobs) >= answered >= 1, f"{answered} creations were accepted, {len(jobs)} jobs are known"
    assert_ordinary_life(admin.wait(running["id"], "succeeded", 60), "succeeded")
    assert_ran_once(apolo, pod_watch, running)
    for job in jobs:
        admin.wait(job["id"], "succeeded", 90)
        pod_watch.once(job["id"])


def test_redis_is_away_for_ten_seconds(platform, admin, apolo, pod_watch):
    running = admin.run(counting())
    admin.wait(running["id"], "running")
    callers = [
        Caller("list of jobs", lambda: admin.call("GET", admin.jobs_url, params={"limit": "5"})),
        Caller("user", lambda: admin.config("GET", "users/admin")),
        Caller("check", lambda: admin.config("POST", "users/admin/permissions/check", json=[{"uri": "job://default/default/default", "action": "write"}])),
        Caller("capacity", lambda: admin.call("GET", f"{platform.monitoring}/capacity")),
    ]
    away(platform, "redis", signal.SIGKILL, 10, callers)
    assert_ordinary_life(admin.wait(running["id"], "succeeded", 60), "succeeded")
    assert_ran_once(apolo, pod_watch, running)


def away(platform, name, number, seconds, callers):
    """Takes a store away while the callers call, and asserts that each was served or told to come back."""
    with contextlib.ExitStack() as stack:
        for caller in callers:
            stack.enter_context(caller)
        eventually("all callers are answered", lambda: all(caller.answers for caller in callers), 20)
        with platform.part(name).away(number):
            time.sleep(seconds)
        eventually("every caller is served again", lambda: all(caller.answers[-1][0] in (200, 201, 202, 204) for caller in callers), BOUND + 15)
    for caller in callers:
        caller.check()


def test_a_grant_is_not_lost_with_redis(platform, admin, other):
    """Redis comes back empty: what it held is in Postgres."""
    job = admin.run("true")
    checked(other.call("GET", f"{other.jobs_url}/{job['id']}"), 403)
    checked(admin.config("POST", "users/second/permissions", json=[{"uri": job["uri"], "action": "read"}]), 201)
    checked(other.call("GET", f"{other.jobs_url}/{job['id']}"), 200)
    platform.part("redis").kill(signal.SIGKILL)
    eventually("the grant holds again", lambda: other.call("GET", f"{other.jobs_url}/{job['id']}").status_code == 200, 30, 0.3)
    checked(admin.call("DELETE", f"{platform.api}/users/second/permissions", params={"uri": job["uri"]}), 204)
    checked(other.call("GET", f"{other.jobs_url}/{job['id']}"), 403)


def test_clients_that_wait_survive_a_restart_of_postgres(platform, admin, apolo, cluster, tidy):
    """One waits for its job to start, another is attached. Neither notices."""
    attached = apolo.start("run", "--no-tty", "-s", "cpu-small", "registry.local/busybox", "--", "sh", "-c", "echo up; sleep 10; echo down; exit 3")
    attached.until("Job is running", 40)
    hog = tidy(admin.run_sized(LONG, cpu=int((cluster.free_cores - 0.05) * 100) / 100))
    admin.wait(hog["id"], "running")
    waiting = apolo.start("run", "--detach", "-n", "waits-for-room", "-s", "cpu-medium", "registry.local/busybox", "--", "true")
    eventually("the job waits", lambda: [job for job in admin.jobs(name="waits-for-room", status="pending")], 20)
    admin.wait("waits-for-room", lambda job: job["history"]["reason"] == "Scheduling", 20)
    with platform.part("postgres").away(signal.SIGINT):
        time.sleep(2)
        assert not waiting.ended, waiting.finish(1)
    admin.kill(hog["id"])
    waiting.finish(60).ended(0)
    attached.finish(60).ended(3)


def test_the_cluster_is_away_for_twenty_seconds(admin, apolo, cluster, pod_watch, tidy):
    ends = admin.run(counting(seconds=8))
    runs = admin.run(counting(seconds=30))
    cancelled = tidy(admin.run(LONG))
    for job in (ends, runs, cancelled):
        admin.wait(job["id"], "running")
    waiting = apolo.start("run", "--no-tty", "-s", "cpu-small", "registry.local/busybox", "--", "sh", "-c", "echo up; sleep 12; exit 3")
    waiting.until("Job is running", 40)
    with cluster.away():
        begun = time.monotonic()
        late = admin.run(counting(seconds=2))
        admin.kill(cancelled["id"])
        while time.monotonic() - begun < 20:
            for job in (ends, runs, late):
                found = admin.job(job["id"])
                assert found["status"] != "failed", describe(found)
            time.sleep(0.5)
    for job in (ends, runs, late):
        ended = admin.wait(job["id"], "succeeded", 90)
        assert ended["history"]["exit_code"] == 0
        assert_ran_once(apolo, pod_watch, job)
    assert transitions(admin.job(cancelled["id"])) == ["pending", "running", "cancelled"]
    assert waiting.finish(90).ended(3)
    cluster.expect_gone(cancelled["id"])
    admin.wait(cancelled["id"], lambda job: job["materialized"] is False, 15, "told to be gone")


def free_ports(count):
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


@pytest.fixture
def replica(platform, admin):
    """A second jobs-api beside the first, on ports of its own; its API."""
    part = platform.part("jobs-api")
    ports = dict(zip(("ORRERY_HTTP_PORT", "ORRERY_METRICS_PORT"), map(str, free_ports(2))))
    with open(platform.run / "logs/jobs-api-replica.log", "ab") as log:
        process = subprocess.Popen([part.executable], env=os.environ | part.environment | ports, stdout=log, stderr=log, start_new_session=True)
    try:
        url = f"http://127.0.0.1:{ports['ORRERY_HTTP_PORT']}"

        def answers():
            assert process.poll() is None, f"the second jobs-api ended with {process.returncode}; see {platform.run}/logs/jobs-api-replica.log"
            with contextlib.suppress(requests.RequestException):
                return requests.get(f"{url}/ready", timeout=3).ok

        eventually("the second jobs-api is ready", answers, 30)
        yield Api(platform, "admin", admin.token, url)
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def test_the_leader_is_stopped_in_its_tracks(platform, admin, apolo, cluster, replica, pod_watch, tidy):
    """The first replica leads; it stands still for twenty seconds, longer than its lease, and then goes on as if nothing had happened."""
    ends = admin.run(counting(seconds=6))
    runs = admin.run(counting(seconds=35))
    cancelled = tidy(admin.run(LONG))
    for job in (ends, runs, cancelled):
        admin.wait(job["id"], "running")
    # Some are created at the last moment, so that the leader stops in the middle of starting them.
    middle = [replica.run(counting(seconds=3)) for _ in range(4)]
    leader = platform.part("jobs-api")
    leader.send(signal.SIGSTOP)
    begun = time.monotonic()
    try:
        late = [replica.run(counting(seconds=3)) for _ in range(2)]
        replica.kill(cancelled["id"])
        # The other takes over once the lease ran out, and does all of it.
        for job in (ends, *middle, *late):
            replica.wait(job["id"], "succeeded", 60)
        time.sleep(max(0, 20 - (time.monotonic() - begun)))
    finally:
        leader.send(signal.SIGCONT)
    after = [admin.run(counting(seconds=1)) for _ in range(2)]
    for job in (ends, runs, *middle, *late, *after):
        ended = replica.wait(job["id"], "succeeded", 90)
        assert ended["history"]["exit_code"] == 0 and ended["history"]["restarts"] == 0, describe(ended)
        assert transitions(ended) in (["pending", "running", "succeeded"], ["pending", "succeeded"]), describe(ended)
        assert_ran_once(apolo, pod_watch, job)
    assert transitions(replica.job(cancelled["id"])) == ["pending", "running", "cancelled"]
    cluster.expect_gone(cancelled["id"])
    replica.wait(cancelled["id"], lambda job: job["materialized"] is False, 15, "told to be gone")


def test_the_second_replica_takes_over_from_a_leader_that_ends(platform, admin, apolo, replica, pod_watch):
    """A graceful stop hands the work on."""
    runs = admin.run(counting(seconds=8))
    admin.wait(runs["id"], "running")
    with platform.part("jobs-api").away(signal.SIGTERM):
        job = replica.run(counting(seconds=1))
        replica.wait(job["id"], "succeeded", 30)
        replica.wait(runs["id"], "succeeded", 40)
    for each in (runs, job):
        assert_ran_once(apolo, pod_watch, each)


@pytest.mark.parametrize("name", ["auth-api", "admin-api", "config-api", "monitoring-api"])
def test_a_service_is_killed(platform, admin, apolo, name):
    """Whatever it kept in memory, a new one goes on."""
    platform.part(name).kill()
    eventually(f"{name} answers again", lambda: ready(platform, name), 30)
    ended = eventually("a job runs through", lambda: (result := apolo("run", "--no-tty", "-s", "cpu-small", "registry.local/busybox", "--", "sh", "-c", "echo again; sleep 2")).code == 0 and result, 60)
    assert "again" in ended.lines


def test_a_service_ends_gracefully(platform, admin, apolo, tidy):
    """SIGTERM while a log is followed: the process ends by itself, soon, and its supervisor starts another."""
    job = tidy(admin.run("sh -c 'echo begun; sleep 600'"))
    admin.wait(job["id"], "running")
    followed = apolo.start("logs", job["id"]).until("begun")
    begun = time.monotonic()
    platform.part("monitoring-api").kill(signal.SIGTERM)
    assert time.monotonic() - begun < 22
    followed.finish(40)
