"""A job that asks for HTTP has its Service and Ingress; the gateway lets in whom ingress-auth knows, or anybody where the job says so."""

import urllib.request

import pytest
import requests

from support.rest import LONG, checked
from support.waiting import TookTooLong, eventually

PAGE = "what only members may read"


@pytest.fixture(scope="module")
def site(admin, cluster):
    command = f"sh -c 'echo \"{PAGE}\" > /tmp/index.html; exec httpd -f -p 8080 -h /tmp'"
    job = admin.run(command, name="site", http={"port": 8080, "requires_auth": True})
    yield admin.wait(job["id"], "running")
    admin.kill(job["id"])


def test_service_and_ingress(cluster, site):
    services = {item["metadata"]["name"]: item for item in cluster.list("services", site["namespace"])}
    assert {site["id"], f"site--{site['org_project_hash']}"} <= services.keys()
    (port,) = services[site["id"]]["spec"]["ports"]
    assert (port["port"], port["targetPort"], services[site["id"]]["spec"]["clusterIP"]) == (80, 8080, "None")
    (ingress,) = [item for item in cluster.list("ingresses", site["namespace"]) if item["metadata"]["name"] == site["id"]]
    hosts = [rule["host"] for rule in ingress["spec"]["rules"]]
    # The gateway's port belongs to the address, not to the host.
    assert hosts == [f"{site['id']}.jobs.default.localhost", f"site--{site['org_project_hash']}.jobs.default.localhost"]
    assert ingress["spec"]["ingressClassName"] == "traefik"


def test_the_page_is_served_inside_the_cluster(cluster, site):
    (pod,) = cluster.pods(site["id"])

    def page():
        with urllib.request.urlopen(f"http://{pod['status']['podIP']}:8080/", timeout=5) as answer:
            return answer.read().decode()

    try:
        reached = eventually("the pod answers", lambda: page(), 5)
    except OSError as error:
        pytest.skip(f"pods of this cluster are not reachable from here: {error}")
    assert reached.strip() == PAGE


def visit(platform, url, path="/", *, method="GET", **headers):
    """Asks the gateway for a page of a job, as a browser that cannot resolve names."""
    host = url.removeprefix("http://")
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    return requests.request(method, platform.url + path, headers={"Host": host} | headers, timeout=20, allow_redirects=False)


def urls(job):
    return [job["http_url"], job["http_url_named"]]


@pytest.fixture(scope="module")
def reachable(platform, admin, site):
    """The site, once the gateway knows it; skips where the gateway cannot reach pods."""
    statuses = set()

    def answered():
        statuses.clear()
        statuses.update(visit(platform, url, Cookie=f"dat={admin.token}").status_code for url in urls(site))
        return statuses == {200}
    try:
        eventually("the gateway shows the page to its owner", answered, 30)
    except TookTooLong:
        # Asked and allowed, but no way from the gateway to the pod.
        if statuses <= {502, 504}:
            pytest.skip("pods of this cluster are not reachable from here")
        raise
    return site


def test_members_are_let_in(platform, admin, reachable):
    for url in urls(reachable):
        for headers in ({"Cookie": f"dat={admin.token}"}, {"Authorization": f"Bearer {admin.token}"}):
            answer = visit(platform, url, **headers)
            assert (answer.status_code, answer.text.strip()) == (200, PAGE), (url, answer.text)


def test_strangers_are_not(platform, other, site):
    for url in urls(site):
        eventually("the gateway knows the job", lambda: visit(platform, url).status_code == 302, 30)
        for path in ("/", "/lab?x=1"):
            sent = visit(platform, url, path)
            assert sent.status_code == 302 and sent.headers["Location"].startswith(f"{platform.url}/oauth/login?rd="), sent.headers
            assert "HttpOnly" in sent.headers["Set-Cookie"] and "SameSite=Lax" in sent.headers["Set-Cookie"]
        for headers in ({"Sec_Fetch_Mode": "cors"}, {"Accept": "application/json"}, {"Authorization": f"Bearer {other.token}x"},
                        {"Upgrade": "websocket", "Connection": "Upgrade", "Sec_WebSocket_Key": "dGhlIHNhbXBsZSBub25jZQ==",
                         "Sec_WebSocket_Version": "13"}):
            assert visit(platform, url, **headers).status_code == 401, headers
        assert visit(platform, url, method="POST").status_code == 401
        assert visit(platform, url, Cookie=f"dat={other.token}").status_code == 403
        # What a visitor says about where he goes does not count.
        forged = visit(platform, url, Cookie=f"dat={other.token}", X_Forwarded_Host="default.localhost", X_Forwarded_Method="OPTIONS")
        assert forged.status_code == 403 and PAGE not in forged.text


def test_signing_in_begins_at_the_login_page(platform, site):
    """As the published client's own test does it: no cookie, no script, redirects followed."""
    session = requests.Session()
    sent = eventually("the gateway knows the job", lambda: asked if (asked := visit(platform, site["http_url"], "/secret.txt")).ok else None, 30)
    end = session.get(sent.headers["Location"], headers={"Accept": "*/*"}, timeout=20)
    document = requests.get(f"{platform.api}/config", timeout=20).json()
    assert end.status_code == 200, (end.url, end.text)
    assert end.url.split("/")[2] == document["auth_url"].split("/")[2]


def test_an_open_job_asks_nobody(platform, admin, cluster, tidy, reachable):
    command = f"sh -c 'echo \"{PAGE}\" > /tmp/index.html; exec httpd -f -p 8080 -h /tmp'"
    job = tidy(admin.run(command, name="open-site", http={"port": 8080, "requires_auth": False}))
    job = admin.wait(job["id"], "running")
    for url in urls(job):
        eventually("the page is shown to anybody", lambda: visit(platform, url).text.strip() == PAGE, 30)


def test_hosts_without_a_job(platform, admin):
    for host in ("job-00000000-0000-4000-8000-000000000000", "nothing--0123456789", "default"):
        answer = visit(platform, f"http://{host}.jobs.default.localhost", "/any/path", Cookie=f"dat={admin.token}")
        assert answer.status_code == 404 and "Nothing answers here" in answer.text, (host, answer.status_code, answer.text)
        assert answer.headers["Cache-Control"] == "no-store" and admin.token not in answer.text


def test_a_jobs_host_does_not_reach_the_platform(platform, admin, site):
    host = site["http_url"].removeprefix("http://")
    answer = admin.call("GET", f"{platform.api}/jobs", headers={"Host": host})
    assert answer.status_code >= 400, answer.text


def test_a_job_without_http_has_no_ingress(admin, cluster, tidy):
    job = tidy(admin.run(LONG))
    job = admin.wait(job["id"], "running")
    assert "http_url" not in job
    names = [item["metadata"]["name"] for item in cluster.list("ingresses", job["namespace"])]
    assert job["id"] not in names
    checked(admin.call("GET", f"{admin.jobs_url}/{job['id']}"), 200)
