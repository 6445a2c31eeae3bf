"""`apolo admin`, every command of it: what is printed, how it ends, and what the REST API answers afterwards."""

import pathlib
import re

import apolo_cli.admin
import pytest

from support.rest import checked

HERE = "default"     # the cluster that everybody's client is in


@pytest.fixture(scope="module")
def administrator(tenants, admin):
    """The admin's `apolo`, with a configuration of this module's own."""
    return tenants.client(admin, "administrator")


@pytest.fixture(scope="module")
def org(tenants):
    return tenants.org("acme")


@pytest.fixture(scope="module")
def cluster(tenants, org):
    """A cluster of its own, where the organization is."""
    return tenants.cluster("field", org)


@pytest.fixture(scope="module")
def ann(tenants, admin, org):
    """A member of the organization who runs commands herself."""
    user = tenants.user("ann")
    checked(admin.admin("POST", f"orgs/{org}/users", json={"user_name": user.user, "role": "user"}), 200)
    project = tenants.project("anns", org)
    checked(admin.admin("POST", f"clusters/{HERE}/orgs/{org}/projects/{project}/users", json={"user_name": user.user, "role": "writer"}), 200)
    user.project, user.apolo = project, tenants.client(user)
    return user


@pytest.fixture(scope="module")
def ben(tenants):
    """Somebody who is nowhere."""
    return tenants.user("ben")


@pytest.fixture
def ben_joined(admin, org, ben):
    """Ben, a member of the organization for one test."""
    checked(admin.admin("POST", f"orgs/{org}/users", json={"user_name": ben.user, "role": "user"}), 200)
    yield ben
    checked(admin.admin("DELETE", f"orgs/{org}/users/{ben.user}"), 204, 404)


def got(api, path):
    return checked(api.admin("GET", path), 200).json()


def gone(api, path):
    return api.admin("GET", path).status_code == 404


def rows(told):
    """The cells of the tables that were printed."""
    return [re.split(r"\s*│\s*|\s{2,}", line) for line in told.lines]


def test_no_command_is_left_out():
    asked = set(re.findall(r'"admin", "([a-z]+(?:-[a-z]+)+)"', pathlib.Path(__file__).read_text()))
    assert asked == set(apolo_cli.admin.admin.commands) and len(asked) == 40


def test_clusters(administrator, admin, tenants):
    name = tenants.cluster_name("added")
    told = administrator("admin", "add-cluster", name, "/dev/null").ended(1)     # as published, it never asks the server
    assert "add_cluster() got an unexpected keyword argument 'config'" in told.err
    assert gone(admin, f"clusters/{name}")
    body = {"name": name, "default_quota": {"total_running_jobs": "5"}, "default_role": "user", "maintenance": False, "default_credits": "10"}
    made = checked(admin.admin("POST", "clusters", json=body), 200).json()
    assert made == got(admin, f"clusters/{name}") == {
        "name": name, "default_quota": {"total_running_jobs": 5}, "default_role": "user", "maintenance": False, "default_credits": "10"}

    listed = administrator("admin", "get-admin-clusters").ended(0).lines
    assert {name, HERE} <= set(listed) and listed == sorted(listed)
    told = administrator("admin", "update-cluster", name, "--default-credits", "12.5", "--default-jobs", "7", "--default-role", "member").ended(0)
    assert told.lines == [f"Cluster {name} successfully updated"]
    assert got(admin, f"clusters/{name}") == made | {"default_quota": {"total_running_jobs": 7}, "default_role": "member", "default_credits": "12.5"}
    shown = administrator("admin", "get-clusters").ended(0)
    lines = [line for line in shown.lines if line and "─" not in line]
    mine = [re.split(r"\s{2,}", line) for line in lines[lines.index(name) + 1:][:3]]
    assert mine == [["Default credits", "12.50"], ["Default max jobs", "7"], ["Default role", "member"]] and HERE in lines, shown

    administrator("admin", "update-cluster", name).ended(0)     # options left out: without limit
    reset = got(admin, f"clusters/{name}")
    assert "default_credits" not in reset and not reset.get("default_quota") and reset["default_role"] == "user"

    assert administrator("admin", "remove-cluster", "--force", name).ended(0).text == ""
    assert gone(admin, f"clusters/{name}") and name not in administrator("admin", "get-admin-clusters").ended(0).lines
    assert name in administrator("admin", "remove-cluster", "--force", name).ended(72).err
    assert name in administrator("admin", "update-cluster", name).ended(72).err
    assert name not in [entry["name"] for entry in checked(admin.config("GET", "clusters"), 200).json()]


def test_clusters_of_those_who_may_not(ann, cluster, admin):
    assert ann.apolo("admin", "get-admin-clusters").ended(0).lines == sorted([HERE, cluster])
    before = got(admin, f"clusters/{cluster}")
    for words in (("admin", "update-cluster", cluster, "--default-jobs", "1"), ("admin", "remove-cluster", "--force", cluster)):
        told = ann.apolo(*words).ended(77)
        assert f'{{"missing": [{{"uri": "cluster://{cluster}", "action": "manage"}}]}}' in told.err, told
    assert got(admin, f"clusters/{cluster}") == before


def test_cluster_users(administrator, admin, org, cluster, ben_joined):
    ben, path = ben_joined.user, f"clusters/{cluster}/orgs/{org}/users/{ben_joined.user}"
    assert got(admin, path)["role"] == "user"     # whoever joins an organization has access to its clusters
    told = administrator("admin", "remove-cluster-user", cluster, ben, "--org", org).ended(0)
    assert told.lines == [f"Removed {ben} as member of org {org} from cluster {cluster}"] and gone(admin, path)
    assert ben in administrator("admin", "remove-cluster-user", cluster, ben, "--org", org).ended(72).err

    told = administrator("admin", "add-cluster-user", cluster, ben, "--org", org).ended(127)     # the client's own mistake
    assert "None is not a valid ClusterUserRoleType" in told.err and gone(admin, path)
    told = administrator("admin", "add-cluster-user", cluster, ben, "user", "--org", org, "-j", "3").ended(0)
    assert told.lines == [f"Added {ben} to cluster {cluster} as member of org {org} as user. Quotas set:", "Jobs: 3"]
    assert (got(admin, path)["role"], got(admin, path)["quota"]) == ("user", {"total_running_jobs": 3})
    assert ben in administrator("admin", "add-cluster-user", cluster, ben, "user", "--org", org).ended(65).err

    told = administrator("admin", "update-cluster-user", cluster, ben, "manager", "--org", org).ended(0)
    assert told.lines == [f"New role for user {ben} as member of org {org} on cluster {cluster}: manager"]
    assert (got(admin, path)["role"], got(admin, path)["quota"]) == ("manager", {"total_running_jobs": 3})
    assert [ben, org] in rows(administrator("admin", "get-cluster-users", cluster, "--org", org).ended(0))
    (row,) = [row for row in rows(administrator("admin", "get-cluster-users", cluster, "--org", org, "--details").ended(0)) if row[0] == ben]
    assert row[:5] == [ben, org, "manager", f"{ben}@example.org", "Ben Example"] and row[5].endswith("+00:00") and row[6] == "3"
    current = administrator("admin", "get-cluster-users").ended(0)     # the cluster and the organization that the client is in
    assert ["admin", "default"] in rows(current) and ben not in current.out
    administrator("admin", "remove-cluster-user", cluster, ben, "--org", org).ended(0)


def test_new_cluster_users_get_the_defaults_of_their_role(administrator, admin, org, cluster, ben_joined):
    ben = ben_joined.user
    checked(admin.admin("PATCH", f"clusters/{cluster}/orgs/{org}/defaults", json={"quota": {"total_running_jobs": 4}, "default_role": "user"}), 200)
    for role, quota, shown in (("user", {"total_running_jobs": 4}, "Jobs: 4"), ("member", {"total_running_jobs": 4}, "Jobs: 4"),
                               ("manager", {}, "Jobs: unlimited"), ("admin", {}, "Jobs: unlimited")):
        administrator("admin", "remove-cluster-user", cluster, ben, "--org", org).ended(0)
        assert shown in administrator("admin", "add-cluster-user", cluster, ben, role, "--org", org).ended(0).lines
        found = got(admin, f"clusters/{cluster}/orgs/{org}/users/{ben}")
        assert (found["role"], found["quota"]) == (role, quota)
    checked(admin.admin("PATCH", f"clusters/{cluster}/orgs/{org}/defaults", json={"quota": {}, "default_role": "user"}), 200)


def test_who_cannot_become_a_cluster_user(administrator, org, cluster, ben):
    told = administrator("admin", "add-cluster-user", cluster, ben.user, "user", "--org", org).ended(72)
    assert f"User '{ben.user}' not found in org '{org}'" in told.err
    assert "nobody-at-all" in administrator("admin", "add-cluster-user", cluster, "nobody-at-all", "user", "--org", org).ended(72).err
    assert "no-such-cluster" in administrator("admin", "add-cluster-user", "no-such-cluster", ben.user, "user", "--org", org).ended(72).err
    administrator("admin", "update-cluster-user", cluster, ben.user, "manager", "--org", org).ended(72)


def test_quota_of_a_user(administrator, admin, org, cluster, ben_joined):
    ben, path = ben_joined.user, f"clusters/{cluster}/orgs/{org}/users/{ben_joined.user}"
    head = f"{ben} as member of org {org} on cluster {cluster}:"
    told = administrator("admin", "get-user-quota", cluster, ben, org).ended(0)
    assert told.lines == [f"Quota and balance for {head}", "Jobs: unlimited", "Credits: unlimited", "Credits spent: 0.00"]
    for amount, quota in (("9", {"total_running_jobs": 9}), ("0", {"total_running_jobs": 0}), ("unlimited", {})):
        told = administrator("admin", "set-user-quota", cluster, ben, "-j", amount, "--org", org).ended(0)
        assert told.lines == [f"New quotas for {head}", f"Jobs: {amount}"] and got(admin, path)["quota"] == quota
    for words in (("admin", "get-user-quota", cluster, "nobody-at-all", org), ("admin", "set-user-quota", cluster, "nobody-at-all", "-j", "1", "--org", org)):
        assert "nobody-at-all" in administrator(*words).ended(72).err


def test_credits_of_a_user(administrator, admin, org, cluster, ben_joined):
    ben = ben_joined.user

    def balances():
        """As the organization has it, and as its clusters repeat it."""
        return [got(admin, path)["balance"] for path in (f"orgs/{org}/users/{ben}", f"clusters/{cluster}/orgs/{org}/users/{ben}")]

    for words, shown, stored in (
            (("admin", "set-user-credits", org, ben, "-c", "12.5"), "12.50", "12.5"),
            (("admin", "add-user-credits", org, ben, "-c", "5"), "17.50", "17.5"),
            (("admin", "add-user-credits", org, ben, "-c", "-20"), "-2.50", "-2.5"),
            (("admin", "set-user-credits", org, ben, "-c", "0"), "unlimited", None),     # the client sends null for zero
            (("admin", "add-user-credits", org, ben, "-c", "3"), "unlimited", None),
            (("admin", "set-user-credits", org, ben, "-c", "1.000000000000000001"), "1.00", "1.000000000000000001"),
            (("admin", "set-user-credits", org, ben, "-c", "unlimited"), "unlimited", None)):
        told = administrator(*words).ended(0)
        assert told.lines == [f"New credits for {ben} as member of org {org}:", f"Credits: {shown}", "Credits spent: 0.00"]
        assert balances() == [{"spent_credits": "0"} | ({"credits": stored} if stored else {})] * 2
    assert "nobody-at-all" in administrator("admin", "set-user-credits", org, "nobody-at-all", "-c", "1").ended(72).err


def test_resource_presets(administrator, admin, tenants):
    name, path = tenants.name("tiny"), f"clusters/{HERE}/orchestrator/resource_presets"

    def stored():
        found = [entry for entry in checked(admin.config("GET", path), 200).json() if entry["name"] == name]
        return found[0] if found else None

    try:
        told = administrator("admin", "add-resource-preset", name, "--credits-per-hour", "1.5", "-c", "0.5", "-m", "64MB").ended(0)
        assert told.lines == [f"Added resource preset {name} in cluster {HERE}"]
        assert {"cpu": 0.5, "memory": 64_000_000, "credits_per_hour": "1.5"}.items() <= stored().items()
        (row,) = [row for row in rows(administrator("config", "show").ended(0)) if row[0] == name]
        assert (row[1], row[2], row[-1]) == ("0.5", "64.0 MB", "1.5")
        assert "already exists" in administrator("admin", "add-resource-preset", name).ended(127).err
        told = administrator("admin", "update-resource-preset", name, "--credits-per-hour", "2", "-c", "0.25").ended(0)
        assert told.lines == [f"Updated resource preset {name} in cluster {HERE}"]
        assert {"cpu": 0.25, "memory": 64_000_000, "credits_per_hour": "2"}.items() <= stored().items()
        told = administrator("admin", "remove-resource-preset", name).ended(0)
        assert told.lines == [f"Removed resource preset {name} from cluster {HERE}"] and stored() is None
        for words in (("admin", "remove-resource-preset", name), ("admin", "update-resource-preset", name, "-c", "1")):
            assert name in administrator(*words).ended(127).err
    finally:
        admin.config("DELETE", f"{path}/{name}")


def test_resource_presets_are_the_managers(ann, admin, tenants):
    path, name = f"clusters/{HERE}/orchestrator/resource_presets", tenants.name("mine")
    before = checked(admin.config("GET", path), 200).json()
    for words in (("admin", "add-resource-preset", name), ("admin", "update-resource-preset", "cpu-small", "-c", "8"),
                  ("admin", "remove-resource-preset", "cpu-small")):
        assert f"cluster://{HERE}" in ann.apolo(*words).ended(77).err
    assert checked(admin.config("GET", path), 200).json() == before


def test_orgs(administrator, admin, ann, org, tenants):
    mine, alone = tenants.org_name("anns-own"), tenants.org_name("anns-alone")
    assert ann.apolo("admin", "add-org", mine).ended(0).text == ""     # anybody may
    assert got(admin, f"orgs/{mine}/users/{ann.user}")["role"] == "admin"
    assert got(admin, f"clusters/{HERE}/orgs/{mine}/users/{ann.user}")["org_name"] == mine
    ann.apolo("admin", "add-org", "--skip-default-tenants", alone).ended(0)
    assert got(ann, f"orgs/{alone}")["name"] == alone and gone(admin, f"clusters/{HERE}/orgs/{alone}")
    listed = [row[0] for row in rows(ann.apolo("admin", "get-orgs").ended(0))]
    assert [name for name in listed if name not in ("", "Name") and "━" not in name] == sorted([alone, mine, org])
    assert mine in ann.apolo("admin", "add-org", mine).ended(65).err
    assert "name" in ann.apolo("admin", "add-org", "No_Such-").ended(65).err

    assert ann.apolo("admin", "remove-org", "--force", mine).ended(0).text == ""
    assert gone(admin, f"clusters/{HERE}/orgs/{mine}") and mine not in [entry["name"] for entry in got(ann, "orgs")]
    assert f"Organization '{mine}' is not found." in ann.apolo("admin", "remove-org", "--force", mine).ended(127).err
    assert f"User {ann.user} does not have access to org {mine}" in ann.apolo("admin", "get-org-users", mine).ended(77).err
    before = got(admin, f"orgs/{org}")
    told = ann.apolo("admin", "remove-org", "--force", org).ended(77)     # her organization, where she is a user
    assert f'{{"missing": [{{"uri": "org://{org}", "action": "write"}}]}}' in told.err and got(admin, f"orgs/{org}") == before
    administrator("admin", "remove-org", "--force", alone).ended(0)


def test_org_users(administrator, admin, org, cluster, ben):
    path = f"orgs/{org}/users/{ben.user}"
    joined = f"Added {ben.user} to org {org} as"
    checked(admin.admin("PATCH", f"orgs/{org}/defaults", json={"credits": "234"}), 200)
    for words, shown, stored in (
            ((), [f"{joined} user", "Credits: 234.00", "Credits spent: 0.00"], ("user", {"spent_credits": "0", "credits": "234"})),
            (("user", "-c", "5.5"), [f"{joined} user", "Credits: 5.50", "Credits spent: 0.00"], ("user", {"spent_credits": "0", "credits": "5.5"})),
            (("manager",), [f"{joined} manager", "Credits: unlimited", "Credits spent: 0.00"], ("manager", {"spent_credits": "0"})),
            (("admin", "-c", "7"), [f"{joined} admin", "Credits: 7.00", "Credits spent: 0.00"], ("admin", {"spent_credits": "0", "credits": "7"}))):
        told = administrator("admin", "add-org-user", org, ben.user, *words).ended(0)
        found = got(admin, path)
        assert (told.lines, (found["role"], found["balance"])) == (shown, stored)
        assert got(admin, f"clusters/{cluster}/orgs/{org}/users/{ben.user}")["role"] == "user"
        if words != ("admin", "-c", "7"):
            told = administrator("admin", "remove-org-user", org, ben.user).ended(0)
            assert told.lines == [f"Removed {ben.user} from org {org}"]
            assert gone(admin, path) and gone(admin, f"clusters/{cluster}/orgs/{org}/users/{ben.user}")
    (row,) = [row for row in rows(administrator("admin", "get-org-users", org).ended(0)) if row[0] == ben.user]
    assert row[:4] == [ben.user, "admin", f"{ben.user}@example.org", "Ben Example"] and row[5:] == ["7.00", "0.00"]
    assert ben.user in administrator("admin", "add-org-user", org, ben.user).ended(65).err
    administrator("admin", "remove-org-user", org, ben.user).ended(0)
    assert ben.user in administrator("admin", "remove-org-user", org, ben.user).ended(72).err
    assert "nobody-at-all" in administrator("admin", "add-org-user", org, "nobody-at-all").ended(72).err
    checked(admin.admin("PATCH", f"orgs/{org}/defaults", json={"credits": None}), 200)


def test_what_roles_in_an_org_allow(admin, ann, org, ben_joined):
    ben, missing = ben_joined.user, f'{{"missing": [{{"uri": "org://{org}/users", "action": "write"}}]}}'
    assert any(row[0] == ben for row in rows(ann.apolo("admin", "get-org-users", org).ended(0)))     # members know each other
    assert missing in ann.apolo("admin", "remove-org-user", org, ben).ended(77).err
    assert missing in ann.apolo("admin", "set-user-credits", org, ben, "-c", "5").ended(77).err
    checked(admin.admin("PUT", f"orgs/{org}/users/{ann.user}", json={"user_name": ann.user, "role": "manager", "balance": {}}), 200)
    try:
        told = ann.apolo("admin", "remove-org-user", org, "admin").ended(77)
        assert f"User {ann.user} has to have admin access to remove other admin users" in told.err
        assert "Org users cannot remove themselves" in ann.apolo("admin", "remove-org-user", org, ann.user).ended(65).err
        ann.apolo("admin", "set-org-credits", org, "-c", "1000000").ended(77)     # a manager of it does not fill its purse
        ann.apolo("admin", "remove-org-user", org, ben).ended(0)
        ann.apolo("admin", "add-org-user", org, ben, "admin").ended(77)
        ann.apolo("admin", "add-org-user", org, ben, "manager").ended(0)
        assert {entry["user_name"]: entry["role"] for entry in got(admin, f"orgs/{org}/users")} == {
            "admin": "admin", ann.user: "manager", ben: "manager"}
        assert "credits" not in got(admin, f"orgs/{org}")["balance"]
    finally:
        checked(admin.admin("PUT", f"orgs/{org}/users/{ann.user}", json={"user_name": ann.user, "role": "user", "balance": {}}), 200)


def test_org_clusters(administrator, admin, tenants):
    org = tenants.org("guests", everywhere=False)
    cluster = tenants.cluster("hall")
    path = f"clusters/{cluster}/orgs/{org}"

    def info(told):
        return {row[0]: row[1] for row in rows(told) if len(row) == 2}

    told = administrator("admin", "add-org-cluster", cluster, org, "-c", "100", "-j", "50", "--default-credits", "3", "--default-jobs", "5",
                         "--default-role", "member", "--storage-size", "1G").ended(0)
    assert told.lines[0] == f"Added org {org} to {cluster}. Info:" and info(told) == {
        "Credits": "100.00", "Spent credits": "0.00", "Max jobs": "50", "Default credits": "3.00", "Default max jobs": "5", "Default role": "member"}
    made = got(admin, path)
    assert {"org_name": org, "quota": {"total_running_jobs": 50}, "balance": {"credits": "100", "spent_credits": "0"}, "default_credits": "3",
            "default_quota": {"total_running_jobs": 5}, "default_role": "member", "maintenance": False}.items() <= made.items()
    assert got(admin, f"{path}/users/admin")["role"] == "member"     # who is in the organization gets the defaults
    assert rows(administrator("admin", "get-cluster-orgs", cluster).ended(0))[3] == [org, cluster, "100.00", "0.00", "50", "3.00", "5", "member"]
    assert org in administrator("admin", "add-org-cluster", cluster, org).ended(65).err

    told = administrator("admin", "update-org-cluster", cluster, org, "-c", "80.5", "-j", "0", "--default-role", "manager").ended(0)
    assert told.lines[0] == f"Org {org} info in cluster {cluster} successfully updated. New info:" and info(told)["Credits"] == "80.50"
    now = got(admin, path)
    assert (now["quota"], now["default_role"], now["balance"]) == ({"total_running_jobs": 0}, "manager", {"credits": "80.5", "spent_credits": "0"})
    assert "default_credits" not in now and now["default_quota"] == {} and now.get("storage_size") == made.get("storage_size")

    told = administrator("admin", "set-org-cluster-defaults", cluster, org, "--default-jobs", "4", "--default-credits", "3").ended(0)
    assert info(told) == {"Credits": "80.50", "Spent credits": "0.00", "Max jobs": "0", "Default credits": "3.00", "Default max jobs": "4", "Default role": "user"}
    assert got(admin, path) == now | {"default_quota": {"total_running_jobs": 4}, "default_credits": "3", "default_role": "user"}
    told = administrator("admin", "set-org-cluster-quota", cluster, org, "-j", "unlimited").ended(0)
    assert told.lines == [f"New quotas for org {org} on cluster {cluster}:", "Jobs: unlimited"] and got(admin, path)["quota"] == {}
    administrator("admin", "set-org-cluster-quota", cluster, org, "-j", "12").ended(0)
    told = administrator("admin", "get-org-cluster-quota", cluster, org).ended(0)
    assert told.lines == [f"Quota and balance for org {org} on cluster {cluster}:", "Jobs: 12", "Credits: 80.50", "Credits spent: 0.00"]

    assert administrator("admin", "remove-org-cluster", "--force", cluster, org).ended(0).text == ""
    assert gone(admin, path) and got(admin, f"orgs/{org}")["name"] == org
    for words in (("admin", "get-org-cluster-quota", cluster, org), ("admin", "remove-org-cluster", "--force", cluster, org),
                  ("admin", "add-org-cluster", cluster, "no-such-org"), ("admin", "add-org-cluster", "no-such-cluster", org)):
        assert "ERROR" in administrator(*words).ended(72).err


def test_credits_of_an_org(administrator, admin, org, cluster, ann):
    for words, shown, stored in (
            (("admin", "set-org-credits", org, "-c", "500"), "500.00", "500"),
            (("admin", "add-org-credits", org, "-c", "7.25"), "507.25", "507.25"),
            (("admin", "add-org-credits", org, "-c", "-507.5"), "-0.25", "-0.25"),
            (("admin", "set-org-credits", org, "-c", "unlimited"), "unlimited", None)):
        told = administrator(*words).ended(0)
        assert told.lines == [f"New credits for org {org}", f"Credits: {shown}", "Credits spent: 0.00"]
        balance = {"spent_credits": "0"} | ({"credits": stored} if stored else {})
        assert got(admin, f"orgs/{org}")["balance"] == got(admin, f"clusters/{cluster}/orgs/{org}")["balance"] == balance
        assert f"Credits: {shown}" in administrator("admin", "get-org-cluster-quota", cluster, org).ended(0).lines
    administrator("admin", "add-org-credits", org, "-c", "0").ended(1)     # the client refuses
    told = administrator("admin", "set-org-credits", "no-such-org", "-c", "5")
    assert told.code in (72, 77) and "no-such-org" in told.err, told
    ann.apolo("admin", "add-org-credits", org, "-c", "5").ended(77)
    assert got(admin, f"orgs/{org}")["balance"] == {"spent_credits": "0"}


def test_defaults_of_an_org(administrator, admin, org):
    for words, shown, stored in ((("--user-default-credits", "234"), "234.00", "234"), (("--user-default-credits", "0"), "0.00", "0"), ((), "unlimited", None)):
        told = administrator("admin", "set-org-defaults", org, *words).ended(0)
        assert told.lines[0] == f"Org {org} successfully updated. New info:"
        assert [row for row in rows(told)[1:] if len(row) == 2] == [
            ["Name", org], ["Credits", "unlimited"], ["Spent credits", "0.00"], ["User default credits", shown]]
        assert got(admin, f"orgs/{org}").get("user_default_credits") == stored


def test_projects(administrator, admin, tenants, org, ben):
    name = tenants.name("works")
    projects = f"clusters/{HERE}/orgs/{org}/projects"
    told = administrator("admin", "add-project", HERE, name, "--org", org).ended(1)     # as published, it never asks the server
    assert "add_project() got an unexpected keyword argument 'no_virtual_kube'" in told.err and gone(admin, f"{projects}/{name}")
    made = checked(admin.admin("POST", projects, json={"name": name, "is_default": False, "default_role": "writer"}), 200).json()
    assert {"name": name, "cluster_name": HERE, "org_name": org, "is_default": False, "default_role": "writer"}.items() <= made.items()
    assert [name, HERE, org, "writer", "False", "False"] in rows(administrator("admin", "get-projects", HERE, "--org", org).ended(0))
    assert name not in administrator("admin", "get-projects", HERE).ended(0).out     # the current organization is another

    told = administrator("admin", "update-project", HERE, name, "--org", org, "--default-role", "reader", "--default").ended(0)
    assert told.lines[0] == f"Project {name} in cluster {HERE} in org {org} was updated. Info:"
    assert (got(admin, f"{projects}/{name}")["default_role"], got(admin, f"{projects}/{name}")["is_default"]) == ("reader", True)
    administrator("admin", "add-org-user", org, ben.user).ended(0)     # who comes from now on is in it
    assert got(admin, f"{projects}/{name}/users/{ben.user}")["role"] == "reader"
    administrator("admin", "remove-org-user", org, ben.user).ended(0)
    assert gone(admin, f"{projects}/{name}/users/{ben.user}")
    administrator("admin", "update-project", HERE, name, "--org", org).ended(0)
    assert (got(admin, f"{projects}/{name}")["default_role"], got(admin, f"{projects}/{name}")["is_default"]) == ("writer", False)

    assert administrator("admin", "remove-project", "--force", HERE, name, "--org", org).ended(0).text == ""
    assert gone(admin, f"{projects}/{name}") and name not in administrator("admin", "get-projects", HERE, "--org", org).ended(0).out
    for words in (("admin", "remove-project", "--force", HERE, name, "--org", org), ("admin", "update-project", HERE, name, "--org", org)):
        assert name in administrator(*words).ended(72).err


def test_project_users(administrator, admin, tenants, org, ben_joined):
    ben, name = ben_joined.user, tenants.project("shop", org)
    path, at = f"clusters/{HERE}/orgs/{org}/projects/{name}/users/{ben}", (HERE, name, ben, "--org", org)
    told = administrator("admin", "add-project-user", *at).ended(0)     # without a role: the project's default
    assert told.lines == [f"Added {ben} to project {name} as writer"] and got(admin, path)["role"] == "writer"
    assert ben in administrator("admin", "add-project-user", *at).ended(65).err
    for role in ("reader", "manager", "admin"):
        told = administrator("admin", "update-project-user", HERE, name, ben, role, "--org", org).ended(0)
        assert told.lines == [f"Update {ben} role in project {name} as {role}"] and got(admin, path)["role"] == role
    (row,) = [row for row in rows(administrator("admin", "get-project-users", HERE, name, "--org", org).ended(0)) if row[0] == ben]
    assert row[:4] == [ben, "admin", f"{ben}@example.org", "Ben Example"]

    administrator("admin", "remove-project-user", HERE, name, "admin", "--org", org).ended(0)     # Ben is the last admin now
    assert "Last project admin cannot be demoted" in administrator("admin", "update-project-user", HERE, name, ben, "writer", "--org", org).ended(65).err
    assert "Last project admin cannot be removed" in administrator("admin", "remove-project-user", *at).ended(65).err
    administrator("admin", "add-project-user", HERE, name, "admin", "admin", "--org", org).ended(0)
    told = administrator("admin", "remove-project-user", *at).ended(0)
    assert told.lines == [f"Removed {ben} from project {name}"] and gone(admin, path)
    assert ben in administrator("admin", "remove-project-user", *at).ended(72).err
    administrator("admin", "add-project-user", HERE, name, ben, "manager", "--org", org).ended(0)
    assert got(admin, path)["role"] == "manager"


def test_what_roles_in_a_project_allow(administrator, admin, ann, org, ben, ben_joined):
    project = f"cluster://{HERE}/orgs/{org}/projects/{ann.project}"
    at = (HERE, ann.project)

    def missing(end):
        return f'{{"missing": [{{"uri": "{project}/{end}", "action": "write"}}]}}'

    administrator("admin", "add-project-user", *at, ben.user, "reader", "--org", org).ended(0)
    told = ann.apolo("admin", "get-project-users", *at, "--org", org).ended(0)
    assert {row[0]: row[1] for row in rows(told) if row[1:] and "@" in row[2]} == {"admin": "admin", ann.user: "writer", ben.user: "reader"}
    assert missing("users") in ann.apolo("admin", "update-project-user", *at, ben.user, "writer", "--org", org).ended(77).err
    assert missing(f"users/{ben.user}/delete") in ann.apolo("admin", "remove-project-user", *at, ben.user, "--org", org).ended(77).err
    administrator("admin", "update-project-user", *at, ann.user, "manager", "--org", org).ended(0)
    ann.apolo("admin", "update-project-user", *at, ben.user, "writer", "--org", org).ended(0)
    assert missing("admins") in ann.apolo("admin", "update-project-user", *at, ben.user, "admin", "--org", org).ended(77).err
    assert missing("admins") in ann.apolo("admin", "remove-project-user", *at, "admin", "--org", org).ended(77).err
    ann.apolo("admin", "remove-project-user", *at, ben.user, "--org", org).ended(0)
    assert gone(admin, f"clusters/{HERE}/orgs/{org}/projects/{ann.project}/users/{ben.user}")


def test_project_users_are_members_of_the_org(administrator, ann, org, ben):
    told = administrator("admin", "add-project-user", HERE, ann.project, ben.user, "--org", org).ended(72)
    assert f"User '{org}/{ben.user}' not found in cluster '{HERE}'" in told.err
    assert "no-such-project" in administrator("admin", "add-project-user", HERE, "no-such-project", ann.user, "--org", org).ended(72).err
