"""What every service tells about itself."""

import pytest
import requests

from support.platform import SERVICES


@pytest.mark.parametrize("service", SERVICES)
def test_ping_through_the_gateway(platform, service):
    assert requests.get(f"{platform.api}/ping/{service}", timeout=10).status_code == 200


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("path", ["ping", "health", "ready"])
def test_ping_health_and_ready(platform, service, path):
    url = f"{platform.service_url(service)}/{path}"
    answer = requests.get(url, timeout=10)
    assert answer.status_code == 200, answer.text
    assert answer.headers["X-Service-Version"]
    head = requests.head(url, timeout=10)
    assert (head.status_code, head.text) == (200, "")


@pytest.mark.parametrize("service", SERVICES)
def test_metrics(platform, service):
    requests.get(f"{platform.service_url(service)}/ping", timeout=10)
    answer = requests.get(f"{platform.service_url(service, metrics=True)}/metrics", timeout=10)
    assert answer.status_code == 200 and answer.headers["Content-Type"].startswith("text/plain")
    samples = [line for line in answer.text.splitlines() if line and not line.startswith("#")]
    assert any(line.startswith("http_") for line in samples), answer.text[:2000]
    assert all(float(line.rsplit(" ", 1)[1]) is not None for line in samples)


def test_secured_ping_of_auth(platform, admin):
    url = f"{platform.service_url('auth-api')}/api/v1"
    assert requests.get(f"{url}/ping", timeout=10).text == "Pong"
    assert admin.call("GET", f"{url}/secured-ping").text == "Secured Pong"
    assert requests.get(f"{url}/secured-ping", timeout=10).status_code == 401
    assert admin.call("GET", f"{url}/secured-ping", token=platform.token("admin", seconds=-120)).status_code == 401


def test_ping_of_admin(platform):
    assert requests.get(f"{platform.admin_api}/ping", timeout=10).text == "Pong"


def test_published_keys(platform):
    keys = requests.get(f"{platform.url}/.well-known/jwks.json", timeout=10).json()["keys"]
    assert keys and all(key["kty"] == "EC" and key["kid"] and "d" not in key for key in keys)


def test_errors_carry_no_inner_detail(platform, admin):
    answer = admin.call("GET", f"{platform.api}/jobs/{'x' * 3000}")
    assert answer.status_code == 400, answer.text[:300]
    answer = admin.call("GET", f"{platform.api}/jobs/%00")
    assert answer.status_code in (400, 404), answer.text[:300]
