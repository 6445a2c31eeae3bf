"""One platform a session, and those who use it."""

import concurrent.futures

import pytest

from support.client import Client
from support.cluster import Cluster, PodWatch
from support.platform import Platform
from support.rest import Api, LONG, checked
from support.tenants import Tenants
from support.waiting import eventually

# Tests of something that takes a minute by contract: it begins with the session, and they are asked last.
SLOW = ("missing_image", "outlived")


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: any(name in item.fixturenames for name in SLOW))


@pytest.fixture(scope="session")
def platform(request):
    found = Platform.begin()
    yield found
    found.end(keep=request.session.testsfailed > 0)


@pytest.fixture(scope="session")
def cluster(platform):
    return Cluster.of(platform)


@pytest.fixture
def pod_watch(cluster):
    with PodWatch(cluster) as watch:
        yield watch


@pytest.fixture(scope="session")
def admin(platform):
    """The admin, over REST."""
    return Api(platform, "admin", platform.admin_token)


@pytest.fixture(scope="session")
def apolo(platform):
    """The admin's `apolo`, logged in as the issue types it."""
    client = Client(platform, "admin")
    client.login(platform.admin_token).ended(0)
    return client


@pytest.fixture(scope="module")
def tenants(platform, admin):
    found = Tenants(platform, admin)
    yield found
    found.end()


@pytest.fixture(scope="session")
def other(platform, admin):
    """A second user with a project of its own, over REST."""
    name, project = "second", "second"
    checked(admin.admin("POST", "users", json={"name": name, "email": f"{name}@example.org", "first_name": None, "last_name": None}), 200, 201, 409)
    checked(admin.admin("POST", "orgs/default/users", json={"user_name": name, "role": "user"}), 200, 201, 409)
    member = f"clusters/default/orgs/default/users/{name}"
    if admin.admin("GET", member).status_code == 404:
        checked(admin.admin("POST", "clusters/default/users", json={"user_name": name, "role": "user", "org_name": "default"}), 200, 201)
    # A project may be everybody's by default; this user shall have its own alone.
    checked(admin.admin("DELETE", f"clusters/default/orgs/default/projects/default/users/{name}"), 200, 204, 404)
    token = checked(admin.config("POST", f"users/{name}/token", json={}), 200, 201).json()["access_token"]
    user = Api(platform, name, token)
    body = {"name": project, "is_default": False, "default_role": "writer"}
    checked(user.admin("POST", "clusters/default/orgs/default/projects", json=body), 200, 201, 409)
    # A service may hold on to what it knew of a user for a few seconds.
    eventually("the second user's configuration lists the project",
               lambda: project in [entry["name"] for entry in user.config("GET", "config").json().get("projects", [])], 15)
    return user


@pytest.fixture(scope="session")
def other_apolo(platform, other):
    client = Client(platform, "second")
    client.login(other.token).ended(0)
    return client


@pytest.fixture
def tidy(admin):
    """Jobs given to it (ids) are cancelled when the test ends, however it ends."""
    jobs = []
    yield lambda job: jobs.append(job["id"] if isinstance(job, dict) else job) or job
    for job in jobs:
        admin.call("DELETE", f"{admin.jobs_url}/{job}")


@pytest.fixture(scope="session")
def workers():
    """Threads for what may go on at the same time."""
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        yield pool


@pytest.fixture(scope="session", autouse=True)
def early(request):
    """Begins at once what takes long, if a test of this session asks for it."""
    for name in SLOW:
        if any(name in item.fixturenames for item in request.session.items):
            request.getfixturevalue(name)


@pytest.fixture(scope="session")
def missing_image(apolo):
    """`apolo run` of an image that does not exist, begun."""
    return apolo.start("run", "--no-tty", "-s", "cpu-small", "registry.local/no-such-image", "--", "true")


@pytest.fixture(scope="session")
def outlived(admin):
    """A job with a life span of one minute that would run for ten."""
    return admin.run(LONG, max_run_time_minutes=1)
