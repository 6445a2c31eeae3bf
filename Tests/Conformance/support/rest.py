"""The REST APIs, as one user calls them."""

import datetime
import json
import time

import requests

from .waiting import TookTooLong

FINISHED = ("succeeded", "failed", "cancelled")
IMAGE = "registry.local/busybox:latest"
# Runs until it is asked to end, and then ends at once: a plain `sleep` as the first process of a container hears no SIGTERM, and its pod stays for
# the thirty seconds of grace.
LONG = "sh -c 'trap exit TERM; sleep 600 & wait'"


class Api:
    def __init__(self, platform, user, token, jobs_url=None):
        self.platform, self.user, self.token = platform, user, token
        self.jobs_url = (jobs_url or platform.url) + "/api/v1/jobs"

    def call(self, method, url, *, token=None, timeout=40, headers=None, **options):
        headers = {"Authorization": f"Bearer {token or self.token}"} | (headers or {})
        return requests.request(method, url, headers=headers, timeout=timeout, **options)

    def config(self, method, path, **options):
        return self.call(method, f"{self.platform.api}/{path}", **options)

    def admin(self, method, path, **options):
        return self.call(method, f"{self.platform.admin_api}/{path}", **options)

    def post_job(self, body=None, *, preset=True, timeout=40, **fields):
        """POST /jobs with a flat body of these fields over the ordinary ones (nested: `preset=False` and the whole body)."""
        if body is None:
            body = {"image": IMAGE, "preset_name": "cpu-small", "project_name": "default", "org_name": "default",
                    "cluster_name": "default", "command": "true"} | fields
        return self.call("POST", self.jobs_url + ("?from_preset" if preset else ""), json=body, timeout=timeout)

    def run(self, command, **fields):
        """Creates a job of a preset and answers it."""
        return accepted(self.post_job(command=command, **fields))

    def run_sized(self, command, *, cpu, memory=32 << 20, **fields):
        """Creates a job of a size of its own, without a preset."""
        body = {"cluster_name": "default", "org_name": "default", "project_name": "default",
                "container": {"image": IMAGE, "command": command, "resources": {"cpu": cpu, "memory": memory}}} | fields
        return accepted(self.post_job(body, preset=False))

    def job(self, job, **options):
        return checked(self.call("GET", f"{self.jobs_url}/{job}", **options), 200).json()

    def kill(self, job):
        checked(self.call("DELETE", f"{self.jobs_url}/{job}"), 204)

    def jobs(self, **query):
        return checked(self.call("GET", self.jobs_url, params=query), 200).json()["jobs"]

    def wait(self, job, condition, timeout=40, what=None):
        """Asks for the job until the condition holds of it (a function, or the names of statuses)."""
        holds = condition if callable(condition) else lambda found: found["status"] in ((condition,) if isinstance(condition, str) else condition)
        deadline = time.monotonic() + timeout
        while True:
            found = self.job(job)
            if holds(found):
                return found
            if time.monotonic() > deadline or not callable(condition) and found["status"] in FINISHED:
                raise TookTooLong(f"{job} did not become {what or condition}: {describe(found)}")
            time.sleep(0.1)


def checked(response, *statuses):
    assert response.status_code in statuses, (
        f"{response.request.method} {response.request.url}: expected {statuses}, got {response.status_code}: {response.text[:2000]}")
    return response


def accepted(response):
    return checked(response, 202).json()


def describe(job):
    items = [(item["status"], item["reason"], item["description"], item.get("exit_code"), item["transition_time"]) for item in job["statuses"]]
    return json.dumps({"id": job["id"], "status": job["status"], "statuses": items}, indent=1)


def transitions(job):
    """The statuses the job went through, one entry a change."""
    names = [item["status"] for item in job["statuses"]]
    return [name for number, name in enumerate(names) if number == 0 or names[number - 1] != name]


def reasons(job):
    return [item["reason"] for item in job["statuses"]]


def seconds(text):
    """A time stamp of the API as seconds since 1970."""
    return datetime.datetime.fromisoformat(text).timestamp()
