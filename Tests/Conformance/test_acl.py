"""`apolo acl`, `apolo share` and `apolo service-account`: what a person shares with others, with roles and with machines."""

import pathlib
import re

import pytest
from apolo_cli.service_accounts import service_account
from apolo_cli.share import acl

from support.quick import QuickClient
from support.rest import IMAGE, LONG, checked

CLUSTER = "default"


@pytest.fixture(scope="module")
def org(tenants):
    return tenants.org("crew")


def joined(tenants, admin, org, word):
    """A member of the organization with a project of its own, and its `apolo`."""
    user = tenants.user(word)
    checked(admin.admin("POST", f"orgs/{org}/users", json={"user_name": user.user, "role": "user"}), 200)
    user.project, user.org = tenants.name(f"{word}s"), org
    body = {"name": user.project, "is_default": False, "default_role": "writer"}
    checked(user.admin("POST", f"clusters/{CLUSTER}/orgs/{org}/projects", json=body), 200)
    user.apolo = tenants.client(user)
    return user


@pytest.fixture(scope="module")
def dora(tenants, admin, org):
    """Who shares."""
    return joined(tenants, admin, org, "dora")


@pytest.fixture(scope="module")
def eli(tenants, admin, org):
    """With whom."""
    return joined(tenants, admin, org, "eli")


@pytest.fixture(scope="module")
def eve(tenants, admin, org):
    """With whom nothing is shared."""
    return joined(tenants, admin, org, "eve")


def uri(user, scheme, rest=""):
    """What the client makes of `scheme:rest` in that user's project."""
    return f"{scheme}://{CLUSTER}/{user.org}/{user.project}" + (f"/{rest}" if rest else "")


def held(user, *uris):
    """What the user itself is told to hold on these."""
    found = {entry["uri"]: entry["action"] for entry in checked(user.config("GET", f"users/{user.user}/permissions"), 200).json()}
    return [found.get(text) for text in uris]


def lacks(user, text, action, name=None):
    answer = checked(user.config("POST", f"users/{(name or user.user).replace('/', ':')}/permissions/check", json=[{"uri": text, "action": action}]), 200)
    return answer.json()["missing"] != []


def rows(told):
    return [re.split(r"\s{2,}", line) for line in told.lines if line]


def test_no_command_is_left_out():
    asked = re.findall(r'"(acl|service-account)", "([a-z-]+)"', pathlib.Path(__file__).read_text())
    known = {"acl": acl.commands, "service-account": service_account.commands}
    assert set(asked) == {(group, name) for group, commands in known.items() for name in commands}


def with_eli(dora, eli, *words):
    """What she is told to share with him. (The standard roles of her project are listed beside, or not: clients take both.)"""
    return [row[:2] for row in rows(dora.apolo("acl", "ls", "--shared", *words).ended(0)) if row[-1] == eli.user]


@pytest.mark.parametrize("scheme", ["storage", "image", "job", "blob", "disk", "secret", "flow"])
def test_grant_and_revoke(dora, eli, scheme):
    short, full = f"{scheme}:of-{scheme}", uri(dora, scheme, f"of-{scheme}")
    assert dora.apolo("acl", "grant", short, eli.user, "read").ended(0).out == ""
    assert held(eli, full) == ["read"] and not lacks(eli, full, "read") and lacks(eli, full, "write") and lacks(eli, uri(dora, scheme), "read")
    dora.apolo("acl", "revoke", short, eli.user).ended(0)
    assert held(eli, full) == [None] and lacks(eli, full, "read")


def test_listing_what_is_shared(dora, eli):
    """A directory and a file below it, each for itself; in its own words for who shares, in full for whom it is."""
    directory, file = uri(dora, "storage", "data"), uri(dora, "storage", "data/set%20one/%C3%A4.txt")
    dora.apolo("acl", "grant", "storage:data", eli.user, "read").ended(0)
    dora.apolo("share", "storage:data/set one/ä.txt", eli.user, "write").ended(0)     # another name for grant
    dora.apolo("acl", "grant", "image:net", eli.user, "manage").ended(0)
    assert with_eli(dora, eli) == [["image:net", "manage"], ["storage:data", "read"], ["storage:data/set%20one/%C3%A4.txt", "write"]]
    assert rows(dora.apolo("acl", "ls", "--shared", "--full-uri", directory).ended(0)) == [[directory, "read", eli.user], [file, "write", eli.user]]
    assert with_eli(dora, eli, "image:") == [["image:net", "manage"]]
    to_me = rows(eli.apolo("acl", "list", "--full-uri").ended(0))
    assert [directory, "read"] in to_me and [file, "write"] in to_me and [f"user://{eli.user}", "read"] in to_me
    assert rows(eli.apolo("acl", "ls", "--full-uri", directory).ended(0)) == [[directory, "read"], [file, "write"]]
    assert rows(eli.apolo("acl", "ls", "--full-uri", f"{directory}/other").ended(0)) == [[f"{directory}/other", "read"]]     # by what is above it
    assert {row[0].split(":")[0] for row in rows(eli.apolo("acl", "ls", "storage:").ended(0))} == {"storage"}
    assert eli.apolo("acl", "ls", "--shared", uri(dora, "storage")).ended(0).out.strip() == ""     # it is not Eli who shares it

    dora.apolo("acl", "revoke", "storage:data", eli.user).ended(0)
    assert held(eli, directory, file) == [None, "write"] and lacks(eli, f"{directory}/other", "read")
    dora.apolo("acl", "revoke", "storage:data/set one/ä.txt", eli.user).ended(0)
    dora.apolo("acl", "revoke", "image:net", eli.user).ended(0)
    assert with_eli(dora, eli) == []


def test_a_grant_never_lowers(dora, eli):
    full = uri(dora, "storage", "kept")
    dora.apolo("acl", "grant", "storage:kept", eli.user, "manage").ended(0)
    told = dora.apolo("acl", "grant", "storage:kept", eli.user, "read").ended(0)
    assert "User already has higher permission: Action.MANAGE" in told.err and held(eli, full) == ["manage"]
    eli.apolo("acl", "grant", full, dora.user, "write").ended(0)     # who may manage may share
    eli.apolo("acl", "revoke", full, dora.user).ended(0)
    dora.apolo("acl", "revoke", f"{full}/", eli.user).ended(0)     # a slash at the end says nothing
    assert held(eli, full) == [None]


def test_who_may_not_share(dora, eli, eve):
    full = uri(dora, "storage", "closed")
    assert "Forbidden" in eve.apolo("acl", "grant", full, eli.user, "read").ended(77).err
    dora.apolo("acl", "grant", "storage:closed", eli.user, "write").ended(0)
    assert "Forbidden" in eli.apolo("acl", "grant", full, eve.user, "read").ended(77).err     # to write is not to manage
    assert "Forbidden" in eve.apolo("acl", "revoke", full, eli.user).ended(77).err
    assert "Forbidden" in eli.apolo("acl", "grant", f"storage://{CLUSTER}", eve.user, "read").ended(77).err
    assert held(eli, full) == ["write"] and held(eve, full) == [None]
    assert "Adding self user is forbidden" in dora.apolo("acl", "grant", "storage:closed", dora.user, "manage").ended(77).err
    dora.apolo("acl", "revoke", "storage:closed", eli.user).ended(0)


def test_what_cannot_be_shared(dora, eli):
    told = dora.apolo("acl", "grant", "storage:x", "nobody-at-all", "read").ended(127)
    assert 'Could not share resource \'storage:x\': user "nobody-at-all" was not found' in told.err
    assert "Operation has no effect" in dora.apolo("acl", "revoke", "storage:x", "public").ended(127).err
    assert 'user "nobody-at-all" was not found' in dora.apolo("acl", "revoke", "storage:x", "nobody-at-all").ended(127).err
    for words in (("image:sealed:tag", eli.user), ("http://example.org/x", eli.user), ("storage:x", "with:colon")):
        dora.apolo("acl", "grant", *words, "read").ended(127)
    dora.apolo("acl", "grant", "storage:x", eli.user, "list").ended(2)
    assert held(eli, uri(dora, "storage", "x"), uri(dora, "image", "sealed")) == [None, None]


def test_the_lists_of_others(dora, eli):
    for name in ("admin", dora.user):
        for words in ((), ("--shared",)):
            assert eli.apolo("acl", "ls", "-u", name, *words).ended(77).out.strip() == ""
        eli.apolo("acl", "list-roles", "-u", name).ended(77)


def test_roles(dora, eli, eve):
    """What a role holds, its members hold, while it exists and while they are members."""
    role, full = f"{dora.user}/roles/readers", uri(dora, "storage", "for-readers")
    assert dora.apolo("acl", "add-role", role).ended(0).text == ""
    assert "already exists" in dora.apolo("acl", "add-role", role).ended(65).err
    assert [role] in rows(dora.apolo("acl", "list-roles").ended(0)) and rows(dora.apolo("acl", "list-roles", "-u", f"{dora.user}/roles").ended(0)) == [[role]]
    dora.apolo("acl", "grant", "storage:for-readers", role, "read").ended(0)
    assert [full, "read"] in rows(dora.apolo("acl", "ls", "--full-uri", "-u", role).ended(0)) and lacks(eli, full, "read")
    dora.apolo("acl", "grant", f"role://{role}", eli.user, "read").ended(0)
    listed = rows(eli.apolo("acl", "ls", "--full-uri").ended(0))
    assert [f"role://{role}", "read"] in listed and [full, "read"] in listed
    eli.apolo("acl", "grant", f"role://{role}", eve.user, "read").ended(77)     # a member does not let others in
    assert lacks(eve, full, "read")
    dora.apolo("acl", "revoke", f"role://{role}", eli.user).ended(0)
    assert held(eli, full, f"role://{role}") == [None, None] and lacks(eli, full, "read")

    dora.apolo("acl", "grant", f"role://{role}", eli.user, "read").ended(0)
    dora.apolo("acl", "remove-role", role).ended(0)
    assert held(eli, full, f"role://{role}") == [None, None] and lacks(eli, full, "read")
    assert f'user "{role}" was not found' in dora.apolo("acl", "ls", "-u", role).ended(72).err
    assert f'user "{role}" was not found' in dora.apolo("acl", "remove-role", role).ended(72).err
    dora.apolo("acl", "add-role", role).ended(0)     # another one of that name
    assert lacks(eli, full, "read") and held(eli, f"role://{role}") == [None]
    dora.apolo("acl", "remove-role", role).ended(0)
    assert [role] not in rows(dora.apolo("acl", "list-roles").ended(0))


def test_roles_of_others(dora, eli):
    role = f"{dora.user}/roles/hers"
    dora.apolo("acl", "add-role", role).ended(0)
    for words in (("add-role", f"{dora.user}/roles/mine"), ("remove-role", role), ("grant", uri(eli, "storage"), role, "manage"), ("ls", "-u", role)):
        told = eli.apolo("acl", *words)
        assert told.code == (0 if words[0] == "grant" else 77), told     # everybody may give
    eli.apolo("acl", "revoke", uri(eli, "storage"), role).ended(0)
    eli.apolo("acl", "add-role", "no-such-user/roles/x").ended(77)
    assert "name" in dora.apolo("acl", "add-role", f"{dora.user}/roles/Bad Name").ended(65).err
    dora.apolo("acl", "remove-role", role).ended(0)


def test_a_shared_job(dora, eli, eve):
    """Shared as it is started, and by name afterwards."""
    started = dora.apolo("run", "--detach", "--share", eli.user, "-n", "shown", "-s", "cpu-small", IMAGE, "--", LONG).ended(0)
    try:
        assert held(eli, uri(dora, "job", started.job)) == ["write"]
        assert dora.user in eli.apolo("status", started.job).ended(0).out
        assert [found["id"] for found in eli.jobs(owner=dora.user)] == [started.job]
        assert "missing" in eve.apolo("status", started.job).ended(77).err
        dora.apolo("acl", "grant", "job:shown", eve.user, "read").ended(0)
        assert started.job in eve.apolo("status", f"job://{CLUSTER}/{dora.org}/{dora.project}/shown").ended(0).out
        assert "Not enough permissions" in eve.apolo("kill", started.job).ended(1).text     # she may look, not touch
        dora.apolo("acl", "revoke", f"job:{started.job}", eli.user).ended(0)
        eli.apolo("status", started.job).ended(77)
        assert eli.jobs(owner=dora.user) == [] and dora.job(started.job)["status"] in ("pending", "running")
    finally:
        dora.kill(started.job)


ACCOUNT = re.compile(r"service-account-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@pytest.fixture
def account(dora, tenants):
    """A service account of Dora's, its whole token and its plain one."""
    name = tenants.name("ci.build--2")
    told = dora.apolo("service-account", "create", "--name", name).ended(0)
    table = {row[0]: row[1] for row in rows(told) if len(row) == 2}
    role = f"{dora.user}/service-accounts/{name}"
    assert {"Name": name, "Role": role, "Owner": dora.user, "Default cluster": CLUSTER, "Default org": dora.org,
            "Default project": dora.project}.items() <= table.items() and ACCOUNT.fullmatch(table["Id"])
    whole, plain = [line for line in told.lines if len(line) > 80 and " " not in line]
    yield {"id": table["Id"], "name": name, "role": role, "whole": whole, "plain": plain}
    dora.config("DELETE", f"service_accounts/{table['Id']}")


def test_service_accounts_are_listed(dora, eli, account):
    listed = rows(dora.apolo("service-account", "ls").ended(0))
    assert [account["id"], account["name"], account["role"], CLUSTER] in [row[:4] for row in listed]
    assert account["id"] in dora.apolo("-q", "service-account", "ls").ended(0).lines
    for key in ("id", "name"):
        shown = {row[0]: row[1] for row in rows(dora.apolo("service-account", "get", account[key]).ended(0)) if len(row) == 2}
        assert (shown["Id"], shown["Role"]) == (account["id"], account["role"])
        assert eli.config("GET", f"service_accounts/{account[key]}").status_code == 404     # another's is no one's
    eli.apolo("service-account", "rm", account["id"]).ended(72)
    assert account["id"] not in eli.apolo("service-account", "ls").ended(0).out
    dora.apolo("service-account", "create", "--name", account["name"]).ended(65)
    assert "Invalid service account name" in dora.apolo("service-account", "create", "--name=a..b").ended(65).err
    assert [account["role"]] in rows(dora.apolo("acl", "list-roles").ended(0))


def test_a_service_account_has_what_is_shared_with_it(platform, dora, account, admin):
    machine = QuickClient(platform, account["name"])
    machine.login(account["plain"]).ended(0)
    shown = machine("config", "show").ended(0)
    assert account["role"] in shown.out and dora.project in shown.out
    run = ("run", "--detach", "-s", "cpu-small", IMAGE, "--", LONG)
    told = machine(*run).ended(77)
    assert f'"{uri(dora, "job")}"' in told.err
    dora.apolo("acl", "grant", uri(dora, "job"), account["role"], "write").ended(0)
    started = machine(*run).ended(0)
    job = admin.job(started.job)
    assert (job["owner"], job["project_name"]) == (account["role"], dora.project)
    assert started.job in machine("ps").ended(0).out and started.job in dora.apolo("ps").ended(0).out
    machine("kill", started.job).ended(0)
    told = dora.apolo("service-account", "rm", account["name"]).ended(0)
    assert told.lines == [f"Service account '{account['name']}' was successfully removed."]
    assert "401" in machine("ps").ended(77).err     # at once
    assert checked(dora.config("GET", f"users/{dora.user}/subroles"), 200).json()["subroles"] == []
    dora.apolo("service-account", "get", account["id"]).ended(72)
    dora.apolo("service-account", "rm", account["id"]).ended(72)


def test_a_passed_configuration(platform, dora, tenants):
    """The whole token needs no login: the way a job or a pipeline has it. Nameless, for once, told without any other words, and for another project."""
    project = tenants.name("doras-second")
    body = {"name": project, "is_default": False, "default_role": "writer"}
    checked(dora.admin("POST", f"clusters/{CLUSTER}/orgs/{dora.org}/projects", json=body), 200)
    assert CLUSTER in dora.apolo("config", "get-clusters").ended(0).out     # her client learns of the project by asking
    at = ("--default-cluster", CLUSTER, "--default-org", dora.org, "--default-project", project)
    whole = dora.apolo("-q", "service-account", "create", *at).ended(0).out.strip()

    class Passed(QuickClient):
        environment = property(lambda self: {name: value for name, value in super().environment.items() if name != "APOLO_CONFIG"}
                               | {"APOLO_PASSED_CONFIG": whole})

    try:
        machine = Passed(platform, tenants.name("passed"))
        shown = machine("config", "show").ended(0).out
        assert re.search(rf"User Name\s+{dora.user}/service-accounts/[0-9a-f]+\s", shown), shown
        for title, name in (("Cluster", CLUSTER), ("Org", dora.org), ("Project", project)):
            assert re.search(rf"Current {title}\s+{name}\s", shown), shown
    finally:
        for entry in checked(dora.config("GET", "service_accounts"), 200).json():
            checked(dora.config("DELETE", f"service_accounts/{entry['id']}"), 204)
