"""The published admin client, as the platform's services use it: every call of it, and every answer is one that its models take."""

import asyncio
import inspect
import pathlib
import re
from dataclasses import replace
from decimal import Decimal

import aiohttp
import jwt
import pytest
import pytest_asyncio
from neuro_admin_client import (
    AdminClient, AdminClientBase, AuthClient, Balance, Cluster, ClusterUser, ClusterUserRoleType, ClusterUserWithInfo, Org, OrgCluster,
    OrgNotificationIntervals, OrgUser, OrgUserRoleType, OrgUserWithInfo, Permission, Project, ProjectUser, ProjectUserRoleType, ProjectUserWithInfo,
    Quota, User)
from yarl import URL

from support.rest import checked

pytestmark = pytest.mark.asyncio

UNLIMITED, NOTHING_SPENT = Quota(), Balance()


@pytest.fixture(scope="module")
def org(tenants):
    return tenants.org("works", everywhere=False)


@pytest.fixture(scope="module")
def cluster(tenants, org):
    return tenants.cluster("plant", org)


@pytest.fixture(scope="module")
def fay(tenants):
    """Somebody who is nowhere."""
    return tenants.user("fay")


@pytest.fixture(scope="module")
def gus(tenants, admin, org):
    """A member of the organization."""
    user = tenants.user("gus")
    checked(admin.admin("POST", f"orgs/{org}/users", json={"user_name": user.user, "role": "user"}), 200)
    return user


@pytest_asyncio.fixture
async def client(platform):
    async with AdminClient(base_url=URL(platform.admin_api), service_token=platform.admin_token) as opened:
        yield opened


@pytest_asyncio.fixture
async def auth(platform):
    async with AuthClient(URL(platform.admin_api), platform.admin_token) as opened:
        yield opened


async def refused(status, call):
    with pytest.raises(aiohttp.ClientResponseError) as told:
        await call
    assert told.value.status == status


def info_of(user):
    """Who the tenants' users say they are."""
    word = user.user.split("-")[0]
    return f"{user.user}@example.org", word.capitalize(), "Example"


async def test_no_call_is_left_out():
    asked = set(re.findall(r"\b(?:client|auth)\.([a-z_]+)\(", pathlib.Path(__file__).read_text()))
    known = {name for kind in (AdminClientBase, AuthClient) for name, _ in inspect.getmembers(kind, inspect.iscoroutinefunction) if not name.startswith("_")}
    assert known - asked == {"connect", "close"} and len(known) > 60     # those two are `async with`


async def test_tokens(client, auth, platform, admin, gus):
    await client.ping()
    await auth.ping()
    await client.verify_token("admin", AdminClient.generate_auth_headers(platform.admin_token))
    await auth.verify_token(gus.user, gus.token)
    await refused(401, auth.verify_token("admin", gus.token))     # it is not hers
    await refused(401, auth.verify_token(gus.user, "nonsense"))
    plain = await client.get_user_token(gus.user, {})
    await auth.verify_token(gus.user, plain)
    bound = await auth.get_user_token(gus.user, new_token_uri="token://default/job/job-1", job_id="job-1")
    claims = jwt.decode(bound, options={"verify_signature": False})
    assert claims["https://platform.neuromation.io/job-id"] == "job-1" and auth.get_unverified_username(bound) == gus.user
    await refused(401, auth.verify_token(gus.user, bound))     # it stands once its user may read what it is bound to
    checked(admin.config("POST", f"users/{gus.user}/permissions", json=[{"uri": "token://default/job/job-1", "action": "read"}]), 201)
    await auth.verify_token(gus.user, bound)
    await refused(403, auth.get_user_token("admin", token=gus.token))
    await refused(404, client.get_user_token("nobody-at-all", {}))


async def test_a_service_account_is_named_with_slashes(auth, gus):
    body = {"name": "pump", "default_cluster": "default", "default_project": "none"}
    made = checked(gus.config("POST", "service_accounts", json=body), 201).json()
    try:
        token = await auth.get_user_token(made["role"])
        await auth.verify_token(made["role"], token)
        assert await auth.check_user_permissions(made["role"], [Permission(f"user://{made['role']}", "read")])
        assert not await auth.check_user_permissions(made["role"], [Permission(f"user://{gus.user}", "manage")])
    finally:
        checked(gus.config("DELETE", f"service_accounts/{made['id']}"), 204)


async def test_permissions(client, auth, gus, org, cluster):
    read, write, other = Permission(f"org://{org}", "read"), Permission(f"org://{org}/users", "write"), Permission("job://elsewhere/x", "read")
    access = Permission(f"cluster://{cluster}/access", "read")
    assert await auth.get_missing_permissions(gus.user, [read, [write, other], access]) == [write, other]
    assert await client.get_missing_permissions(gus.user, [read.to_payload(), access.to_payload()]) == []
    assert await auth.check_user_permissions(gus.user, [read]) and not await auth.check_user_permissions(gus.user, [read, write])
    names = [org, "no-such-org"]
    assert await auth.get_authorized_entities(gus.user, names, lambda name: [Permission(f"org://{name}", "read")]) == [org]
    assert await auth.get_authorized_entities("admin", names, lambda name: [Permission(f"org://{name}", "read")], Permission("org:", "list")) == names
    await refused(422, auth.get_missing_permissions(gus.user, [Permission("unknown://x", "read")]))
    await refused(404, auth.get_missing_permissions("nobody-at-all", [read]))


async def test_users(client, auth, tenants, org, cluster):
    name = tenants.name("hal")
    made = await client.create_user(name, f"{name}@example.org", "Hal", None, skip_auto_add_to_clusters=True)
    assert made.created_at and made == User(name, f"{name}@example.org", "Hal", None, made.created_at)
    assert await auth.add_user(User(name=name, email=f"{name}@example.org")) == made     # the same again
    await refused(409, client.create_user(name, "another@example.org"))
    await refused(400, client.create_user("Bad_Name", "bad@example.org"))
    await refused(400, client.create_user(tenants.name("ida"), "no address"))
    assert made in await client.list_users()
    assert await client.get_user(name) == made
    assert await client.get_user(name, headers=AdminClient.generate_auth_headers(await auth.get_user_token(name))) == made
    await refused(404, client.get_user("nobody-at-all"))
    changed = replace(made, email=f"{name}@example.com", first_name=None, last_name="Haller")
    await client.update_user(changed)
    assert await client.get_user(name) == changed
    await refused(404, client.update_user(replace(made, name="nobody-at-all")))

    empty = await client.get_user(name, include_orgs=True, include_clusters=True, include_projects=True)
    assert (empty.user, empty.orgs, empty.clusters, empty.projects) == (changed, [], [], [])
    await client.create_org_user(org, name, OrgUserRoleType.MANAGER)
    project = await client.create_project(tenants.name("hals"), cluster, org)
    await client.create_project_user(project.name, cluster, org, name, role=ProjectUserRoleType.READER)
    orgs = [OrgUser(org, name, OrgUserRoleType.MANAGER, NOTHING_SPENT)]
    clusters = [ClusterUser(cluster, name, ClusterUserRoleType.USER, UNLIMITED, NOTHING_SPENT, org)]
    projects = [ProjectUser(name, cluster, org, project.name, ProjectUserRoleType.READER)]
    whole = await client.get_user(name, include_orgs=True, include_clusters=True, include_projects=True)
    assert (whole.user, whole.orgs, whole.clusters, whole.projects) == (changed, orgs, clusters, projects)
    assert await client.get_user(name, include_clusters=True, include_projects=True) == (changed, clusters, projects)
    assert await client.get_user(name, include_projects=True) == (changed, projects)
    assert await client.get_user_with_clusters(name) == (changed, clusters) == await client.get_user(name, include_clusters=True)
    await client.delete_org_user(org, name)
    assert await client.get_user(name, include_clusters=True, include_projects=True) == (changed, [], [])
    await client.delete_project(project.name, cluster, org)


async def test_clusters(client, tenants):
    name = tenants.cluster_name("mill")
    made = await client.create_cluster(name, default_credits=Decimal("10.5"), default_quota=Quota(4), default_role=ClusterUserRoleType.MEMBER, maintenance=True)
    assert made == Cluster(name, Decimal("10.5"), Quota(4), ClusterUserRoleType.MEMBER, True)
    assert await client.get_cluster(name) == made and made in await client.list_clusters()
    await refused(409, client.create_cluster(name))
    await refused(400, client.create_cluster("Bad_Name"))
    changed = Cluster(name, None, Quota(7), ClusterUserRoleType.USER)
    await client.update_cluster(changed)
    assert await client.get_cluster(name) == changed
    assert await client.delete_cluster(name) == changed
    for call in (client.get_cluster(name), client.update_cluster(changed), client.delete_cluster(name)):
        await refused(404, call)


@pytest.mark.parametrize("through_org", [True, False])
async def test_cluster_users(client, org, cluster, fay, through_org):
    """On behalf of an organization, and directly, as in former times."""
    within = org if through_org else None
    if through_org:
        await client.create_org_user(org, fay.user, OrgUserRoleType.USER)
        await client.delete_cluster_user(cluster, fay.user, org)
    made = await client.create_cluster_user(cluster, fay.user, ClusterUserRoleType.USER, quota=Quota(3), org_name=within, with_user_info=True)
    member = ClusterUser(cluster, fay.user, ClusterUserRoleType.USER, Quota(3), NOTHING_SPENT, within)
    email, first, last = info_of(fay)
    assert isinstance(made, ClusterUserWithInfo) and (made.user_info.email, made.user_info.first_name, made.user_info.last_name) == (email, first, last)
    assert made.user_info.created_at and made == member.add_info(made.user_info)
    assert await client.get_cluster_user(cluster, fay.user, org_name=within) == member
    assert await client.get_cluster_user(cluster, fay.user, with_user_info=True, org_name=within) == made
    assert member in await client.list_cluster_users(cluster, org_name=within)
    assert made in await client.list_cluster_users(cluster, with_user_info=True, org_name=within)
    assert member in await client.list_cluster_users(cluster)     # of all organizations
    await refused(409, client.create_cluster_user(cluster, fay.user, ClusterUserRoleType.USER, org_name=within))

    member = replace(member, role=ClusterUserRoleType.MANAGER, quota=Quota(0))
    assert await client.update_cluster_user(member) == member
    assert (await client.update_cluster_user(member, with_user_info=True)).user_info == made.user_info
    for wanted, call in (
            (Quota(5), client.update_cluster_user_quota(cluster, fay.user, Quota(5), org_name=within)),
            (Quota(7), client.update_cluster_user_quota_by_delta(cluster, fay.user, Quota(2), org_name=within, idempotency_key=f"q-{through_org}")),
            (Quota(7), client.update_cluster_user_quota_by_delta(cluster, fay.user, Quota(2), org_name=within, idempotency_key=f"q-{through_org}")),
            (Quota(6), client.update_cluster_user_quota_by_delta(cluster, fay.user, Quota(-1), org_name=within)),
            (UNLIMITED, client.update_cluster_user_quota(cluster, fay.user, UNLIMITED, org_name=within)),
            (UNLIMITED, client.update_cluster_user_quota_by_delta(cluster, fay.user, Quota(2), org_name=within))):
        assert await call == replace(member, quota=wanted)
    told = await client.update_cluster_user_quota(cluster, fay.user, Quota(1), org_name=within, with_user_info=True)
    assert told.user_info == made.user_info and told.quota == Quota(1)
    await refused(409, client.update_cluster_user_quota_by_delta(cluster, fay.user, Quota(3), org_name=within, idempotency_key=f"q-{through_org}"))
    await refused(400, client.update_cluster_user_quota_by_delta(cluster, fay.user, Quota(-2), org_name=within))     # below none
    assert (await client.get_cluster_user(cluster, fay.user, org_name=within)).quota == Quota(1)

    await client.delete_cluster_user(cluster, fay.user, within)
    await refused(404, client.get_cluster_user(cluster, fay.user, org_name=within))
    await refused(404, client.delete_cluster_user(cluster, fay.user, within))
    await refused(404, client.update_cluster_user(member))
    if through_org:
        await client.delete_org_user(org, fay.user)


async def test_names_alone_for_those_who_may_not_see_more(platform, client, gus, admin, org, cluster):
    """An ordinary member of a cluster is told who else is in it, and no more."""
    async with AdminClient(base_url=URL(platform.admin_api), service_token=gus.token) as his:
        members = await his.list_cluster_users(cluster)
        assert {member.user_name for member in members} >= {"admin", gus.user}
        assert all((member.role, member.quota, member.balance) == (None, UNLIMITED, NOTHING_SPENT) for member in members)
        assert await his.get_cluster_user(cluster, gus.user, org_name=org) == await client.get_cluster_user(cluster, gus.user, org_name=org)
    names = checked(admin.admin("GET", f"clusters/{cluster}/users", params={"only_usernames": "true"}), 200).json()
    assert {"user_name": gus.user} in names and all(entry.keys() == {"user_name"} for entry in names)


async def test_org_clusters(client, tenants):
    org, cluster = tenants.org("lodgers", everywhere=False), tenants.cluster("inn")
    made = await client.create_org_cluster(
        cluster, org, quota=Quota(9), default_quota=Quota(2), default_credits=Decimal("1.5"), default_role=ClusterUserRoleType.MEMBER,
        storage_size=1 << 40, maintenance=True)
    present = OrgCluster(org, cluster, NOTHING_SPENT, Quota(9), Decimal("1.5"), Quota(2), ClusterUserRoleType.MEMBER, 1 << 40, True)
    assert made == present == await client.get_org_cluster(cluster, org) and await client.list_org_clusters(cluster) == [present]
    await refused(409, client.create_org_cluster(cluster, org))
    await refused(404, client.create_org_cluster(cluster, "no-such-org"))
    present = replace(present, quota=UNLIMITED, default_credits=None, default_quota=UNLIMITED, default_role=ClusterUserRoleType.USER, maintenance=False)
    await client.update_org_cluster(replace(present, storage_size=None))
    assert await client.get_org_cluster(cluster, org) == present     # its size is kept
    present = replace(present, default_quota=Quota(3), default_credits=Decimal(4), default_role=ClusterUserRoleType.MANAGER)
    assert await client.update_org_cluster_defaults(cluster, org, Quota(3), Decimal(4), ClusterUserRoleType.MANAGER) == present
    for wanted, call in (
            (Quota(5), client.update_org_cluster_quota(cluster, org, Quota(5))),
            (Quota(8), client.update_org_cluster_quota_by_delta(cluster, org, Quota(3), idempotency_key="once")),
            (Quota(8), client.update_org_cluster_quota_by_delta(cluster, org, Quota(3), idempotency_key="once")),
            (UNLIMITED, client.update_org_cluster_quota(cluster, org, UNLIMITED, idempotency_key="off")),
            (UNLIMITED, client.update_org_cluster_quota_by_delta(cluster, org, Quota(3)))):
        assert await call == replace(present, quota=wanted)

    # The balance is the organization's.
    for credits, spent, call in (
            ("100", "0", client.update_org_cluster_balance(cluster, org, Decimal(100))),
            ("110.5", "0", client.update_org_cluster_balance_by_delta(cluster, org, Decimal("10.5"), idempotency_key="up")),
            ("110.5", "0", client.update_org_cluster_balance_by_delta(cluster, org, Decimal("10.5"), idempotency_key="up")),
            ("98.25", "12.25", client.charge_org_cluster(cluster, org, Decimal("12.25"), idempotency_key="pay")),
            ("98.25", "12.25", client.charge_org_cluster(cluster, org, Decimal("12.25"), idempotency_key="pay"))):
        balance = Balance(Decimal(credits), Decimal(spent))
        assert await call == replace(present, quota=UNLIMITED, balance=balance)
        assert (await client.get_org(org)).balance == balance
    # The client sends what was spent as it saw it; only spending changes that.
    await client.update_org_cluster(replace(present, balance=Balance(Decimal("98.25"), Decimal(0))))
    assert (await client.get_org_cluster(cluster, org)).balance == balance
    await client.delete_org_cluster(cluster, org)
    for call in (client.get_org_cluster(cluster, org), client.delete_org_cluster(cluster, org), client.charge_org_cluster(cluster, org, Decimal(1)),
                 client.update_org_cluster_quota(cluster, org, Quota(1)), client.update_org_cluster_defaults(cluster, org)):
        await refused(404, call)
    assert (await client.get_org(org)).balance == balance


async def test_orgs(client, platform, tenants):
    name = tenants.org_name("firm")
    made = await client.create_org(name, skip_auto_add_to_clusters=True, user_default_credits=Decimal("2.5"))
    assert made == Org(name, NOTHING_SPENT, Decimal("2.5"), None) == await client.get_org(name) and made in await client.list_orgs()
    await refused(409, client.create_org(name))
    await refused(400, client.create_org("users"))     # the name is a word of the routes
    intervals = OrgNotificationIntervals([604800, 86400], [-100, -500], None)
    assert await client.update_org_defaults(name, Decimal(0), intervals) == Org(name, NOTHING_SPENT, Decimal(0), intervals)
    assert await client.update_org(name, None) == Org(name, NOTHING_SPENT, None, intervals)     # not told: kept
    for credits, spent, call in (
            ("50", "0", client.update_org_balance(name, Decimal(50), idempotency_key="set")),
            ("62.5", "0", client.update_org_balance_by_delta(name, Decimal("12.5"), idempotency_key="up")),
            ("62.5", "0", client.update_org_balance_by_delta(name, Decimal("12.5"), idempotency_key="up")),
            ("-0.5", "63", client.charge_org(name, Decimal(63), idempotency_key="pay")),     # below zero all the same
            ("-0.5", "63", client.charge_org(name, Decimal(63), idempotency_key="pay")),
            ("0", "63", client.update_org_balance_by_delta(name, Decimal("0.5"))),
            ("-1", "64", client.charge_org(name, Decimal(1))),     # from zero, too
            (None, "64", client.update_org_balance(name, None)),
            (None, "65", client.charge_org(name, Decimal(1)))):
        assert (await call).balance == Balance(credits and Decimal(credits), Decimal(spent))
    await refused(409, client.charge_org(name, Decimal(64), idempotency_key="pay"))
    await refused(400, client.charge_org(name, Decimal("NaN")))
    gone = await client.delete_org(name)
    assert gone == Org(name, Balance(None, Decimal(65)), None, intervals)
    await refused(404, client.charge_org(name, Decimal(1)))
    assert name not in [org.name for org in await client.list_orgs()]


async def test_charges_and_payments_at_once(client, tenants):
    """Nothing of what happens at the same time is lost, and what is repeated happens once."""
    name = tenants.org("busy", everywhere=False)
    await client.update_org_balance(name, Decimal(1000))
    charges = [client.charge_org(name, Decimal("0.1"), idempotency_key=f"c{number % 20}") for number in range(40)]
    payments = [client.update_org_balance_by_delta(name, Decimal("0.5"), idempotency_key=f"p{number}") for number in range(20)]
    await asyncio.gather(*charges, *payments)
    assert (await client.get_org(name)).balance == Balance(Decimal(1008), Decimal(2))


async def test_org_users(client, org, fay):
    email, first, last = info_of(fay)
    made = await client.create_org_user(org, fay.user, OrgUserRoleType.USER, with_user_info=True, balance=Balance(Decimal("7.5")))
    member = OrgUser(org, fay.user, OrgUserRoleType.USER, Balance(Decimal("7.5")))
    assert isinstance(made, OrgUserWithInfo) and (made.user_info.email, made.user_info.full_name) == (email, f"{first} {last}")
    assert made == member.add_info(made.user_info) == await client.get_org_user(org, fay.user, with_user_info=True)
    assert await client.get_org_user(org, fay.user) == member
    assert member in await client.list_org_users(org) and made in await client.list_org_users(org, with_user_info=True)
    for roles, there in (([OrgUserRoleType.USER], True), ([OrgUserRoleType.ADMIN, OrgUserRoleType.MANAGER], False),
                         ([OrgUserRoleType.ADMIN, OrgUserRoleType.USER], True)):
        listed = await client.list_org_users(org, roles=roles)
        assert (member in listed) == there and {one.role for one in listed} <= set(roles)
    member = replace(member, role=OrgUserRoleType.MANAGER, balance=Balance(Decimal(8)))
    assert await client.update_org_user(member) == member
    assert (await client.update_org_user(member, with_user_info=True)).user_info == made.user_info
    for credits, spent, call in (
            ("50", "0", client.update_org_user_balance(org, fay.user, Decimal(50))),
            ("40.25", "0", client.update_org_user_balance_by_delta(org, fay.user, Decimal("-9.75"), idempotency_key="down")),
            ("40.25", "0", client.update_org_user_balance_by_delta(org, fay.user, Decimal("-9.75"), idempotency_key="down")),
            ("-1.75", "42", client.charge_org_user(org, fay.user, Decimal(42), idempotency_key="pay")),
            ("-1.75", "42", client.charge_org_user(org, fay.user, Decimal(42), idempotency_key="pay")),
            (None, "42", client.update_org_user_balance(org, fay.user, None)),
            (None, "42.5", client.charge_org_user(org, fay.user, Decimal("0.5")))):
        assert await call == replace(member, balance=Balance(credits and Decimal(credits), Decimal(spent)))
    told = await client.charge_org_user(org, fay.user, Decimal(1), with_user_info=True)
    assert told.user_info == made.user_info
    await refused(409, client.charge_org_user(org, fay.user, Decimal(43), idempotency_key="pay"))
    assert (await client.update_org_user(replace(told, balance=Balance(Decimal(1), Decimal(0))))).balance == Balance(Decimal(1), Decimal("43.5"))
    assert (await client.get_org(org)).balance == NOTHING_SPENT     # a member's purse is not the organization's
    await client.delete_org_user(org, fay.user)
    for call in (client.get_org_user(org, fay.user), client.delete_org_user(org, fay.user), client.charge_org_user(org, fay.user, Decimal(1)),
                 client.update_org_user(member), client.update_org_user_balance(org, fay.user, Decimal(1))):
        await refused(404, call)


@pytest.mark.parametrize("through_org", [True, False])
async def test_projects(client, tenants, admin, org, cluster, gus, through_org):
    """Of an organization, and of none, as in former times."""
    within, name = org if through_org else None, tenants.name("site")
    made = await client.create_project(name, cluster, within, default_role=ProjectUserRoleType.READER)
    project = Project(name, cluster, within, False, ProjectUserRoleType.READER, False)
    assert made == project == await client.get_project(name, cluster, within)
    assert project in await client.list_projects(cluster)     # of all organizations
    if through_org:
        assert project in await client.list_projects(cluster, org)
    await refused(409, client.create_project(name, cluster, within))
    await refused(400, client.create_project("Bad_Name", cluster, within))
    if not through_org:
        await client.create_cluster_user(cluster, gus.user, ClusterUserRoleType.USER)

    added = await client.create_project_user(name, cluster, within, gus.user, with_user_info=True)
    member = ProjectUser(gus.user, cluster, within, name, ProjectUserRoleType.READER)     # the project's default
    assert isinstance(added, ProjectUserWithInfo) and added.user_info.email == info_of(gus)[0] and added == member.add_info(added.user_info)
    assert await client.get_project_user(name, cluster, within, gus.user) == member
    assert await client.get_project_user(name, cluster, within, gus.user, with_user_info=True) == added
    assert member in await client.list_project_users(name, cluster, within)
    assert added in await client.list_project_users(name, cluster, within, with_user_info=True)
    await refused(409, client.create_project_user(name, cluster, within, gus.user))
    for role in ProjectUserRoleType:
        await client.update_project_user(replace(member, role=role))
        assert (await client.get_project_user(name, cluster, within, gus.user)).role == role
    await client.delete_project_user(name, cluster, within, gus.user)
    for call in (client.get_project_user(name, cluster, within, gus.user), client.delete_project_user(name, cluster, within, gus.user),
                 client.update_project_user(member), client.create_project_user(name, cluster, within, "nobody-at-all")):
        await refused(404, call)

    changed = replace(project, is_default=True, default_role=ProjectUserRoleType.MANAGER)
    await client.update_project(changed)
    assert await client.get_project(name, cluster, within) == changed
    await client.delete_project(name, cluster, within)
    for call in (client.get_project(name, cluster, within), client.update_project(changed), client.delete_project(name, cluster, within),
                 client.list_project_users(name, cluster, within)):
        await refused(404, call)
    if not through_org:
        await client.delete_cluster_user(cluster, gus.user)


async def test_debts(client, tenants):
    """What those owe who were removed meanwhile. The keys of charges are not those of debts."""
    org, cluster = tenants.org("debtors", everywhere=False), tenants.cluster("bank")
    await client.create_org_cluster(cluster, org)
    await refused(404, client.charge_org_user(org, "nobody-at-all", Decimal(5), idempotency_key="bill"))
    for _ in range(2):
        assert await client.add_debt(cluster, Decimal(5), "bill", org_name=org, user_name="nobody-at-all") is None
    await refused(409, client.add_debt(cluster, Decimal(6), "bill", org_name=org, user_name="nobody-at-all"))
    await client.add_debt(cluster, Decimal("0.5"), "another")


async def test_calls_of_former_clients(client, admin, org, cluster, gus):
    """Paths that the client of today has no words for."""
    at = f"clusters/{cluster}/orgs/{org}/users/{gus.user}"
    for method, path, body, credits, spent in (
            ("PATCH", f"{at}/balance", {"credits": "20"}, "20", "0"), ("PATCH", f"{at}/balance", {"additional_credits": 1.5}, "21.5", "0"),
            ("POST", f"{at}/spending", {"spending": "2"}, "19.5", "2"), ("PATCH", f"{at}/balance", {"credits": None}, None, "2")):
        answer = checked(admin.admin(method, path, json=body), 200).json()
        balance = {"spent_credits": spent} | ({"credits": credits} if credits else {})
        assert (answer["user_name"], answer["balance"]) == (gus.user, balance)
        assert (await client.get_org_user(org, gus.user)).balance == Balance(credits and Decimal(credits), Decimal(spent))
    answer = checked(admin.admin("PATCH", f"orgs/{org}", json={"credits": "3"}), 200).json()
    assert answer["user_default_credits"] == "3" and (await client.update_org(org, None)).user_default_credits is None


async def test_who_may_not_spend(platform, gus, client, org, cluster):
    """Spending is the billing's, users are the platform's, and what is not one's own stays hidden."""
    before = await client.get_org(org)
    async with AdminClient(base_url=URL(platform.admin_api), service_token=gus.token) as his:
        for call in (
                his.charge_org(org, Decimal(1)), his.charge_org_user(org, gus.user, Decimal(-1)), his.charge_org_cluster(cluster, org, Decimal(1)),
                his.add_debt(cluster, Decimal(1), "x"), his.update_org_balance(org, Decimal(1)), his.update_org_cluster_balance(cluster, org, Decimal(1)),
                his.update_org_user_balance(org, gus.user, Decimal(1)), his.update_cluster_user_quota(cluster, gus.user, Quota(1), org_name=org),
                his.list_users(), his.create_user("somebody-new", "new@example.org"), his.get_user("admin"), his.delete_cluster(cluster),
                his.create_org_user(org, "admin", OrgUserRoleType.ADMIN), his.update_org_cluster_quota(cluster, org, Quota(1)),
                his.delete_org(org), his.get_org("default"), his.get_org("no-such-org")):
            await refused(403, call)
    assert await client.get_org(org) == before
