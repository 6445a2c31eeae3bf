"""Logs, attach and exec as streams: what they refuse, and how they end."""

import aiohttp
import pytest

from support.rest import LONG, checked, transitions

pytestmark = pytest.mark.asyncio


async def stream(user, path, protocols=()):
    """Opens a WebSocket of monitoring-api and reads it to its end: the messages and the close code, or the refusal."""
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {user.token}"}) as session:
        try:
            async with session.ws_connect(f"{user.platform.monitoring}/{path}", protocols=protocols, timeout=aiohttp.ClientWSTimeout(ws_close=5)) as socket:
                messages = [message async for message in socket]
                assert all(message.type == aiohttp.WSMsgType.BINARY for message in messages), messages
                return [message.data for message in messages], socket.close_code
        except aiohttp.WSServerHandshakeError as refusal:
            return refusal.status, refusal.headers.get("X-Error", "")


@pytest.fixture(scope="module")
def ended(admin):
    job = admin.run("sh -c 'echo one; sleep 0.3; echo two; echo three'", http={"port": 80, "requires_auth": True})
    return admin.wait(job["id"], "succeeded")


@pytest.fixture(scope="module")
def cancelled(admin, cluster):
    job = admin.run("sh -c 'trap exit TERM; echo said; sleep 600 & wait'")
    admin.wait(job["id"], "running")
    admin.kill(job["id"])
    cluster.expect_gone(job["id"])
    return admin.job(job["id"])


async def test_log_of_an_ended_job(admin, ended):
    messages, code = await stream(admin, f"{ended['id']}/log_ws?separator=x")
    assert (b"".join(messages), code) == (b"one\ntwo\nthree\n", 1000)
    again, _ = await stream(admin, f"{ended['id']}/log_ws")
    assert b"".join(again) == b"".join(messages)


async def test_log_over_plain_http(platform, admin, ended):
    answer = checked(admin.call("GET", f"{platform.monitoring}/{ended['id']}/log"), 200)
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8" and answer.headers["X-Separator"]
    assert answer.text == "one\ntwo\nthree\n"


async def test_timestamps_and_since(platform, admin, ended):
    url = f"{platform.monitoring}/{ended['id']}/log"
    lines = checked(admin.call("GET", url, params={"timestamps": "true"}), 200).text.splitlines()
    assert [line.split(" ", 1)[1] for line in lines] == ["one", "two", "three"]
    late = checked(admin.call("GET", url, params={"since": lines[-1].split(" ")[0][:19] + "Z", "timestamps": "1"}), 200).text
    assert late.endswith(" three\n")
    assert checked(admin.call("GET", url, params={"since": "2100-01-01T00:00:00+00:00"}), 200).text == ""
    for wrong in ({"timestamps": "maybe"}, {"since": "yesterday"}):
        checked(admin.call("GET", url, params=wrong), 400)


async def test_log_of_a_job_whose_pod_is_gone(admin, cancelled):
    """Opened and ended; a refusal would send the client round for ever."""
    assert await stream(admin, f"{cancelled['id']}/log_ws") == ([], 1000)


async def test_a_followed_log_ends_when_the_job_is_cancelled(admin, apolo, tidy):
    job = tidy(admin.run("sh -c 'trap exit TERM; echo begun; sleep 600 & wait'"))
    admin.wait(job["id"], "running")
    followed = apolo.start("logs", job["id"]).until("begun")
    admin.kill(job["id"])
    assert followed.finish(45).ended(0).lines.count("begun") == 1


async def test_a_log_is_followed_as_it_is_written(admin, apolo, tidy):
    job = tidy(admin.run("sh -c 'echo early; sleep 10; echo late'"))
    admin.wait(job["id"], "running")
    followed = apolo.start("logs", job["id"]).until("early")
    assert admin.job(job["id"])["status"] == "running" and "late" not in followed.out
    assert followed.finish(40).ended(0).lines == ["early", "late"]


async def test_an_attached_run_that_is_cancelled_ends(admin, apolo):
    attached = apolo.start("run", "--no-tty", "-n", "attached", "-s", "cpu-small", "registry.local/busybox", "--", "sh", "-c", "trap exit TERM; echo up; sleep 600 & wait")
    attached.until("Job is running", 40)
    admin.kill(admin.job("attached")["id"])
    attached.finish(60).ended(0)


@pytest.mark.parametrize("what", ["attach?stdin=1&stdout=0&stderr=0", "attach?tty=0&stdin=1&stdout=1&stderr=1", "exec?cmd=true"])
async def test_ended_jobs_refuse_attach_and_exec(admin, ended, cancelled, what):
    for job in (ended, cancelled):
        status, error = await stream(admin, f"{job['id']}/{what}", ("v2.channels.neu.ro",))
        assert status == 404 and f"Job '{job['id']}' is not running." in error, (status, error)


async def test_exec_by_the_client_in_an_ended_job(apolo, ended):
    apolo("exec", "--no-tty", ended["id"], "--", "true").ended(72)


@pytest.mark.parametrize("what, words", [
    ("exec", "Command is required"), ("exec?cmd=", "Command is required"), ("exec?cmd=x&tty=1", "Stdout and stderr cannot be multiplexed in tty mode"),
    ("attach?stdin=0&stdout=0&stderr=0", "Required at least one of stdin, stdout or stderr"), ("log_ws?timestamps=perhaps", ""),
])
async def test_refusals_say_why(admin, ended, what, words):
    status, error = await stream(admin, f"{ended['id']}/{what}")
    assert status == 400 and words in error, (status, error)


@pytest.mark.parametrize("what", ["log_ws", "attach?stdin=1", "exec?cmd=true"])
async def test_strangers_are_refused(platform, admin, other, ended, what):
    status, error = await stream(other, f"{ended['id']}/{what}")
    assert status == 403 and "missing" in error, (status, error)
    unknown = "job-00000000-0000-4000-8000-000000000000"
    status, error = await stream(admin, f"{unknown}/{what}")
    assert status == 400 and "no such job" in error, (status, error)


async def test_attach_frames(admin, tidy):
    job = tidy(admin.run("sh -c 'sleep 3; echo y; sleep 1'"))
    admin.wait(job["id"], "running")
    messages, code = await stream(admin, f"{job['id']}/attach?tty=0&stdin=1&stdout=1&stderr=1", ("v2.channels.neu.ro",))
    assert messages[0] == b"\x01" and messages[-1] == b'\x03{"exit_code": 0}' and code == 1000, (messages, code)
    assert b"".join(message[1:] for message in messages[:-1]) == b"y\n"
    ended = admin.wait(job["id"], "succeeded", 10)
    assert transitions(ended) == ["pending", "running", "succeeded"]


async def test_exec_frames(admin, tidy):
    job = tidy(admin.run(LONG))
    admin.wait(job["id"], "running")
    messages, code = await stream(admin, f"{job['id']}/exec?cmd=sh+-c+'echo+in%3B+exit+4'&tty=0&stdin=1&stdout=1&stderr=1")
    assert messages[0] == b"\x01" and messages[-1].startswith(b'\x03{"exit_code": 4') and code == 1000, (messages, code)
    assert b"".join(message[1:] for message in messages[:-1]) == b"in\n"


async def test_exec_reads_what_is_written_to_it(admin, tidy):
    job = tidy(admin.run(LONG))
    admin.wait(job["id"], "running")
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {admin.token}"}) as session:
        url = f"{admin.platform.monitoring}/{job['id']}/exec?cmd=head+-n+2&stdin=1"
        async with session.ws_connect(url) as socket:
            assert (await socket.receive(20)).data == b"\x01"
            await socket.send_bytes(b"\x00first\n")
            await socket.send_bytes(b"\x00second\n")
            received = b""
            async for message in socket:
                if message.data[:1] == b"\x03":
                    assert message.data == b'\x03{"exit_code": 0}'
                    break
                received += message.data[1:]
            assert received == b"first\nsecond\n"
