"""Jobs that tell of themselves, and what is expected of them."""

from .rest import describe, transitions


def counting(words="counts", seconds=12):
    """A command that tells once that it began, runs a while, and tells that it ended."""
    return f"sh -c 'echo {words} begins; sleep {seconds}; echo {words} ends'"


def assert_ran_once(apolo, pod_watch, job, words="counts"):
    """One pod ever, and a log that tells one run."""
    pod_watch.once(job["id"])
    logs = apolo("logs", job["id"]).ended(0)
    assert logs.lines == [f"{words} begins", f"{words} ends"], logs


def assert_ordinary_life(job, *ending):
    assert transitions(job) == ["pending", "running", *ending], describe(job)
    assert job["history"]["restarts"] == 0
    times = [item["transition_time"] for item in job["statuses"]]
    assert times == sorted(times), describe(job)
