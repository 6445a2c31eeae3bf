"""The commands that a user types all day, word for word as they are promised."""

import os
import subprocess

import pytest

from support.client import Client
from support.rest import reasons, seconds, transitions

SMALL = ("-s", "cpu-small", "registry.local/busybox", "--")


def test_login_with_the_admins_token(platform):
    client = Client(platform, "again")
    for _ in range(2):     # the second replaces the first
        told = client.login(platform.admin_token).ended(0)
        assert platform.api in told.text or "default" in told.text, told


def test_config_show(apolo):
    shown = apolo("config", "show").ended(0)
    for word in ("admin", "default", "cpu-small", "cpu-medium", apolo.platform.api):
        assert word in shown.out, f"{word!r} is not shown:\n{shown}"


def test_get_clusters(apolo):
    assert "default" in apolo("config", "get-clusters").ended(0).out
    assert "default" in apolo("admin", "get-clusters").ended(0).out


def test_hello(apolo, admin):
    """A detached job from its start to its end: listed, read, told, and listed among the succeeded."""
    started = apolo("run", "--detach", "-n", "hello", *SMALL, "sh", "-c", "echo hello; sleep 6; echo bye").ended(0)
    listed = apolo("ps").ended(0)
    assert any(started.job in line and "hello" in line for line in listed.lines), listed
    logs = apolo("logs", "hello").ended(0)
    assert (logs.lines.count("hello"), logs.lines.count("bye")) == (1, 1), f"each line once is expected:\n{logs}"
    shown = apolo("status", "hello").ended(0)
    assert started.job in shown.out and "registry.local/busybox" in shown.out
    # The container ended when its log did; the status follows within moments.
    admin.wait(started.job, "succeeded", 5)
    ended = apolo("status", "hello").ended(0)
    assert "succeeded" in ended.out and "Exit code" in ended.out and "Preset" in ended.out
    succeeded = apolo("ps", "--status", "succeeded").ended(0)
    assert any(started.job in line for line in succeeded.lines), succeeded
    assert not any(started.job in line for line in apolo("ps").ended(0).lines)


def test_what_is_printed_at_the_start_works_as_typed(platform):
    """Line by line, with no step in between."""
    log = platform.run / "logs/orrery-local.log"
    if not log.exists():
        pytest.skip("this platform talks to a terminal")
    typed = [line.strip() for line in log.read_text().splitlines() if line.startswith(("  export ", "  apolo "))]
    home = platform.scratch / "typed"
    home.mkdir()
    environment = {"HOME": str(home), "PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "NEURO_CLI_DISABLE_PYPI_VERSION_CHECK": "1"}
    ended = subprocess.run(["bash", "-c", "set -e\n" + "\n".join(typed)], env=environment, cwd=home, stdin=subprocess.DEVNULL, capture_output=True,
                           text=True, timeout=120, check=False)
    assert ended.returncode == 0 and typed, f"{typed}\n{ended.stdout}\n{ended.stderr}"
    lines = [line.strip() for line in ended.stdout.splitlines()]
    assert (lines.count("hello"), lines.count("bye")) == (1, 1), ended.stdout


def test_attached_run_shows_output_and_ends_with_its_exit_code(apolo, admin):
    ended = apolo("run", "--no-tty", *SMALL, "sh", "-c", "echo x; sleep 2; exit 3").ended(3)
    assert "x" in ended.lines, f"the job's output is not shown:\n{ended}"
    job = admin.job(ended.job)
    assert (job["status"], job["history"]["reason"], job["history"]["exit_code"]) == ("failed", "Error", 3)


def test_attached_run_of_a_job_that_succeeds(apolo):
    ended = apolo("run", "--no-tty", *SMALL, "sh", "-c", "sleep 1; echo well; sleep 2").ended(0)
    assert "well" in ended.lines


@pytest.fixture(scope="module")
def shell(apolo):
    started = apolo("run", "--detach", "-n", "shell", *SMALL, "sleep", "600").ended(0)
    yield started.job
    apolo("kill", "shell")


def test_exec_shows_output_and_ends_with_the_commands_exit_code(apolo, shell):
    ended = apolo("exec", "--no-tty", "shell", "--", "sh", "-c", "echo in; exit 4").ended(4)
    assert ended.lines.count("in") == 1, ended


def test_exec_keeps_the_streams_apart(apolo, shell):
    ended = apolo("exec", "--no-tty", "shell", "--", "sh", "-c", "echo out; echo err >&2").ended(0)
    assert "out" in ended.out and "err" in ended.err and "err" not in ended.lines


def test_exec_carries_much_output_whole(apolo, shell):
    ended = apolo("exec", "--no-tty", "shell", "--", "seq", "1", "20000").ended(0)
    numbers = [line for line in ended.lines if line.isdigit()]
    assert numbers == [str(number) for number in range(1, 20001)], f"{len(numbers)} lines came"


def test_kill(apolo, admin, shell, cluster):
    apolo("kill", "shell").ended(0)
    shown = apolo("status", "shell").ended(0)
    assert "cancelled" in shown.out and "UserRequested" in shown.out, shown
    job = admin.job(shell)
    assert transitions(job) == ["pending", "running", "cancelled"] and "exit_code" not in job["history"]
    assert reasons(job)[0] == "Creating"
    # Killing twice is no error, and the pod goes away: `sleep` as first process does not hear TERM, so its 30 s of grace pass.
    admin.kill(shell)
    cluster.expect_gone(shell)


def test_a_missing_image_fails_with_its_reason(missing_image, admin):
    """Last, since the pull is given its time."""
    ended = missing_image.finish(150).ended(125)
    last = [line for line in ended.text.splitlines() if line.strip()]
    wanted = "Image 'registry.local/no-such-image:latest' can not be pulled"
    assert any("failed" in line and f"Collected ({wanted})" in line for line in last[-3:]), ended
    job = admin.job(ended.job)
    assert (job["history"]["reason"], job["history"]["description"]) == ("Collected", wanted)
    assert "exit_code" not in job["history"]
    first = next(item for item in job["statuses"] if item["reason"] in ("ErrImagePull", "ImagePullBackOff"))
    tolerated = seconds(job["statuses"][-1]["transition_time"]) - seconds(first["transition_time"])
    assert 58 <= tolerated <= 80, f"the pull was given up after {tolerated} s, not after the minute of the contract"


def test_unknown_jobs(apolo):
    told = apolo("status", "nosuchjob").ended(65)
    assert "no such job" in told.text
    told = apolo("logs", "nosuchjob").ended(65)
    told = apolo("kill", "nosuchjob").ended(1)
    assert "no such job" in told.text
