"""A job that asks for HTTP has its Service and Ingress; without somebody who checks visitors it lets nobody in."""

import urllib.request

import pytest
import requests

from support.rest import LONG, checked
from support.waiting import eventually

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


def test_the_gateway_lets_nobody_in(platform, admin, site):
    for url in (site["http_url"], site["http_url_named"]):
        host = url.removeprefix("http://")
        for headers in ({}, {"Authorization": f"Bearer {admin.token}"}):
            answer = requests.get(platform.url, headers={"Host": host} | headers, timeout=20, allow_redirects=False)
            assert PAGE not in answer.text and answer.status_code >= 400, (host, answer.status_code, answer.text)


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
