"""The published SDK: what a program does with jobs."""

import asyncio

import apolo_sdk
import pytest

from support.rest import LONG
import pytest_asyncio

pytestmark = pytest.mark.asyncio


@pytest_asyncio.fixture
async def sdk(apolo):
    """A client of the SDK that uses the login of the admin's `apolo`."""
    client = await apolo_sdk.get(path=apolo.configuration)
    async with client:
        yield client


async def test_start_watch_and_list(sdk):
    preset = sdk.presets["cpu-small"]
    assert preset.cpu == pytest.approx(0.1)
    job = await sdk.jobs.start(
        image=sdk.parse.remote_image("registry.local/busybox"), preset_name="cpu-small", command="sh -c 'echo from the sdk; sleep 2'",
        tags=["sdk"], description="by a program")
    assert job.status == apolo_sdk.JobStatus.PENDING and job.history.reason == "Creating"
    seen = [job.status]
    async with asyncio.timeout(60):
        while not job.status.is_finished:
            job = await sdk.jobs.status(job.id)
            if job.status != seen[-1]:
                seen.append(job.status)
            await asyncio.sleep(0.2)
    assert [status.value for status in seen] == ["pending", "running", "succeeded"]
    assert job.history.exit_code == 0 and job.history.finished_at >= job.history.started_at
    async with sdk.jobs.list(tags=["sdk"], reverse=True, limit=1) as jobs:
        listed = [found async for found in jobs]
    assert [found.id for found in listed] == [job.id]
    async with asyncio.timeout(30), sdk.jobs.monitor(job.id) as chunks:
        log = b"".join([chunk async for chunk in chunks])
    assert log == b"from the sdk\n"


async def test_nested_form(sdk):
    resources = apolo_sdk.Resources(memory=64 << 20, cpu=0.1)
    container = apolo_sdk.Container(image=sdk.parse.remote_image("registry.local/busybox"), resources=resources, command=LONG)
    job = await sdk.jobs.run(container, name="nested", life_span=600)
    try:
        async with asyncio.timeout(60):
            while job.status != apolo_sdk.JobStatus.RUNNING:
                job = await sdk.jobs.status(job.id)
                await asyncio.sleep(0.1)
        async with asyncio.timeout(30), sdk.jobs.exec(job.id, "echo hi", stdout=True, stderr=True) as session:
            said = b""
            with pytest.raises(apolo_sdk.StdStreamError) as ended:
                while True:
                    message = await session.read_out()
                    if message is None:
                        break
                    said += message.data
        assert said == b"hi\n" and ended.value.exit_code == 0
    finally:
        await sdk.jobs.kill(job.id)
    assert (await sdk.jobs.status(job.id)).status == apolo_sdk.JobStatus.CANCELLED


async def test_errors_are_typed(sdk):
    with pytest.raises(apolo_sdk.IllegalArgumentError, match="no such job"):
        await sdk.jobs.status("job-00000000-0000-4000-8000-000000000000")
    with pytest.raises(apolo_sdk.IllegalArgumentError):
        await sdk.jobs.start(image=sdk.parse.remote_image("busybox"), preset_name="no-such-preset")


async def test_capacity(sdk):
    capacity = await sdk.jobs.get_capacity()
    assert capacity["cpu-small"] >= 0


async def test_configuration(sdk):
    assert sdk.username == "admin"
    assert [cluster.name for cluster in sdk.config.clusters.values()] == ["default"]
    assert sdk.config.project_name == "default"
