"""`apolo config`: where a person of several organizations works, and the token for other programs."""

import re

import jwt
import pytest

from support.rest import checked

CLUSTER = "default"


@pytest.fixture(scope="module")
def kim(tenants, admin):
    """In two organizations, with a quota in one of them and two projects in the other."""
    user = tenants.user("kim")
    user.orgs = [tenants.org("first"), tenants.org("other")]
    for org, words in zip(user.orgs, (["alone"], ["left", "right"]), strict=True):
        checked(admin.admin("POST", f"orgs/{org}/users", json={"user_name": user.user, "role": "user", "balance": {"credits": "12.5"}}), 200)
        for word in words:
            project = tenants.project(word, org)
            checked(admin.admin("POST", f"clusters/{CLUSTER}/orgs/{org}/projects/{project}/users", json={"user_name": user.user}), 200)
    checked(admin.admin("PATCH", f"clusters/{CLUSTER}/orgs/{user.orgs[0]}/users/{user.user}/quota", json={"quota": {"total_running_jobs": 3}}), 200)
    checked(admin.admin("PATCH", f"orgs/{user.orgs[0]}/balance", json={"credits": "500"}), 200)
    user.apolo = tenants.client(user)
    return user


def shown(apolo):
    """The head of `config show`: what stands at the left, and what beside it."""
    told = apolo("config", "show").ended(0)
    return {row[0]: row[1] for row in (re.split(r"\s{2,}", line) for line in told.lines) if len(row) == 2}


def test_switching(kim, tenants):
    first, other = kim.orgs
    kim.apolo("config", "switch-org", first).ended(0)
    told = shown(kim.apolo)
    assert {"User Name": kim.user, "Current Cluster": CLUSTER, "Current Org": first, "Credits Quota": "12.50", "Jobs Quota": "3",
            "Org Credits Quota": "500.00", "Org Jobs Quota": "unlimited"}.items() <= told.items(), told
    assert f"The current org_name is {other}" in kim.apolo("config", "switch-org", other).ended(0).out
    assert f"The current project is {tenants.name('right')}" in kim.apolo("config", "switch-project", tenants.name("right")).ended(0).out
    told = shown(kim.apolo)
    assert {"Current Org": other, "Current Project": tenants.name("right"), "Jobs Quota": "unlimited", "Org Credits Quota": "unlimited"}.items() <= told.items(), told
    assert kim.apolo("ps").ended(0).code == 0
    kim.apolo("config", "switch-project", tenants.name("left")).ended(0)
    assert f"The current cluster is {CLUSTER}" in kim.apolo("config", "switch-cluster", CLUSTER).ended(0).out
    listed = kim.apolo("config", "get-clusters").ended(0)
    assert CLUSTER in listed.out and first in listed.out and other in listed.out


def test_where_nobody_switches_to(kim, tenants):
    """A project of the other organization, an organization and a cluster that she is not in: nothing changes."""
    kim.apolo("config", "switch-org", kim.orgs[0]).ended(0)
    kim.apolo("config", "switch-project", tenants.name("alone")).ended(0)
    before = shown(kim.apolo)
    for words in (("switch-project", tenants.name("left")), ("switch-org", "no-such-org"), ("switch-cluster", "no-such-cluster")):
        told = kim.apolo("config", *words)
        assert told.code != 0 and "Traceback" not in told.text and words[1] in told.text, told
    assert shown(kim.apolo) == before


def test_who_left_an_org_is_out_of_it_everywhere(kim, admin, tenants):
    org, project = tenants.org("brief"), tenants.project("brief", tenants.name("brief"))
    checked(admin.admin("POST", f"orgs/{org}/users", json={"user_name": kim.user, "role": "user"}), 200)
    checked(admin.admin("POST", f"clusters/{CLUSTER}/orgs/{org}/projects/{project}/users", json={"user_name": kim.user}), 200)
    assert org in kim.apolo("config", "get-clusters").ended(0).out     # where she is now the client learns by asking
    kim.apolo("config", "switch-org", org).ended(0)
    assert shown(kim.apolo)["Current Project"] == project
    checked(admin.admin("DELETE", f"orgs/{org}/users/{kim.user}"), 204)
    assert org not in kim.apolo("config", "get-clusters").ended(0).out
    told = kim.apolo("run", "--detach", "-s", "cpu-small", "registry.local/busybox", "--", "true")
    assert told.code == 77 and "not allowed to submit jobs to the specified cluster as a member of given organization" in told.err, told
    kim.apolo("config", "switch-org", kim.orgs[0]).ended(0)


def test_show_token(kim, admin):
    told = kim.apolo("config", "show-token").ended(0).out.strip()
    assert told == kim.token and jwt.decode(told, options={"verify_signature": False})["https://platform.neuromation.io/user"] == kim.user
    assert checked(kim.call("GET", f"{kim.platform.api}/users/{kim.user}", token=told), 200).json()["name"] == kim.user
