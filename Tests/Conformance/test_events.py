"""The event streams, by the published client of them, and what becomes of a removed project's things."""

import asyncio
import contextlib
import typing
import uuid

import pytest
import typing_extensions

# The client takes it from a newer Python than it says that it needs.
typing.override = getattr(typing, "override", typing_extensions.override)

from apolo_events_client import EventsClient, FilterItem

from support.rest import LONG, checked
from support.waiting import eventually


@pytest.fixture
def project(tenants):
    """A new organization's project in the cluster."""
    org = tenants.org("events-" + uuid.uuid4().hex[:4])
    return org, tenants.project("gone", org)


def projects(org):
    return f"clusters/default/orgs/{org}/projects"


def token(platform, service):
    """A service's own token, as the platform gives it to the service."""
    return (platform.run / "secrets" / service / "service-token").read_text().strip()


@contextlib.asynccontextmanager
async def events(platform, service, name):
    async with EventsClient(url=f"{platform.url}/apis/events", token=token(platform, service), name=name, resp_timeout=20) as client:
        yield client


async def until(what, condition, timeout=40):
    for _ in range(int(timeout / 0.05)):
        if condition():
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"within {timeout} s it did not happen that {what}")


def test_a_group_and_its_acknowledgements(platform, admin, project, tenants):
    org, name = project
    group = f"group-{uuid.uuid4().hex[:8]}"
    mine = [FilterItem(orgs=frozenset({org}), event_types=frozenset({"project-remove"}))]

    async def session(seen, *, auto_ack, fails=()):
        async with events(platform, "monitoring-api", group) as client:
            async def take(event):
                seen.append(event)
                if event.project in fails:
                    raise ValueError("not now")

            await client.subscribe_group("platform-admin", take, auto_ack=auto_ack, filters=mine)
            yield client

    async def run():
        first, second = [], []
        other = tenants.project("other", org)
        async for _ in session(first, auto_ack=True, fails=(other,)):
            for each in (name, other):
                checked(admin.admin("DELETE", f"{projects(org)}/{each}"), 200)
            await until("both removals are told", lambda: len(first) >= 2)
        assert [event.project for event in first] == [name, other]
        event = first[0]
        assert (event.stream, event.event_type, event.sender) == ("platform-admin", "project-remove", "platform-admin")
        assert (event.cluster, event.org, event.user) == ("default", org, "admin") and event.timestamp < first[1].timestamp
        # The one that failed comes again, on another connection; the other was acknowledged.
        async for client in session(second, auto_ack=False):
            await until("the failed one comes again", lambda: second)
            await client.ack({"platform-admin": [second[0].tag]})
        assert [(event.project, event.tag) for event in second] == [(other, first[1].tag)]

    asyncio.run(run())
    # Both are acknowledged, so the name is free (as soon as the platform's own services are done).
    checked(admin.admin("POST", projects(org), json={"name": name, "is_default": False, "default_role": "writer"}), 200)


def test_a_plain_subscription(platform, admin, project):
    org, name = project

    async def run():
        heard = []

        async def take(event):
            heard.append(event)

        async with events(platform, "monitoring-api", "listener") as client:
            await client.subscribe("platform-admin", take, filters=[FilterItem(projects=frozenset({name}))])
            checked(admin.admin("DELETE", f"{projects(org)}/{name}"), 200)
            await until("the removal is told", lambda: heard)
        assert heard[0].project == name

    asyncio.run(run())


def test_sending(platform):
    async def run():
        heard = []

        async def take(event):
            heard.append(event)

        mark = f"cluster-{uuid.uuid4().hex[:8]}"
        async with events(platform, "monitoring-api", "listener") as listener, events(platform, "config-api", "platform-config") as sender:
            await listener.subscribe("platform-config", take, filters=[FilterItem(clusters=frozenset({"default"}), event_types=frozenset({mark}))])
            sent = await sender.send(stream="platform-config", event_type=mark, cluster="default", more="said")
            assert sent is not None and sent.stream == "platform-config"
            await until("it is heard", lambda: heard)
        assert (heard[0].tag, heard[0].timestamp, heard[0].model_extra) == (sent.tag, sent.timestamp, {"more": "said"})

    asyncio.run(run())


def test_who_may_not(platform, admin):
    url = f"{platform.url}/apis/events/v1/stream"
    assert admin.call("GET", url).status_code == 403
    assert admin.call("GET", url, token="nonsense").status_code == 401


def test_a_removed_project_leaves_nothing(platform, admin, tenants, project, tidy):
    """Files, a secret, a disk and a running job go with the project; made again under its name it is empty."""
    org, name = project
    client = tenants.client(admin, f"remover-{tenants.mark}")
    client("config", "switch-org", org).ended(0)
    client("config", "switch-project", name).ended(0)
    source = client.home / "file"
    source.write_text("mine")
    client("mkdir", "-p", "storage:deep/er").ended(0)
    client("cp", str(source), "storage:deep/er/file").ended(0)
    client("secret", "add", "key", "value").ended(0)
    made = client("disk", "create", "10M").ended(0).lines[0].split()[1]
    assert made in client("-q", "disk", "ls").ended(0).lines
    job = tidy(admin.run(LONG, org_name=org, project_name=name))["id"]
    admin.wait(job, "running", 120)

    client("admin", "remove-project", "--force", "default", name, "--org", org).ended(0)
    ended = admin.wait(job, "cancelled", 120)
    assert ended["history"]["reason"] is None
    # The name is free when everything is gone.
    body = {"name": name, "is_default": False, "default_role": "writer"}
    eventually("the name is free again", lambda: admin.admin("POST", projects(org), json=body).status_code in (200, 409), 120, 1)
    client("ls", "storage:deep").ended(72)
    assert client("ls", "storage:").ended(0).out.strip() == ""
    assert "key" not in client("secret", "ls").ended(0).out
    assert client("-q", "disk", "ls").ended(0).out.strip() == ""
    checked(admin.admin("DELETE", f"{projects(org)}/{name}"), 200)
