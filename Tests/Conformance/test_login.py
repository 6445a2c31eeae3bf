"""Who may come in, and what those are told who may not."""

import pytest
import requests

from support.client import Client
from support.waiting import eventually


@pytest.fixture
def stranger(platform, request):
    return Client(platform, f"stranger-{request.node.name[:40].replace('[', '-').replace(']', '')}")


def tokens(platform):
    good = platform.admin_token
    head, payload, signature = good.split(".")
    return {
        "garbage": "garbage",
        "forged": f"{head}.{payload}.{'A' * len(signature)}",
        "unsigned": f"eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{payload}.",
        "expired": platform.token("admin", seconds=-60),
        "nobody": platform.token("nobody-knows-me", seconds=600),
    }


@pytest.mark.parametrize("kind", ["forged", "expired", "nobody"])
def test_login_is_refused(platform, stranger, kind):
    told = stranger.login(tokens(platform)[kind]).ended(70)
    assert "Cannot authorize user" in told.text, told


@pytest.mark.parametrize("kind", ["garbage", "forged", "unsigned", "expired", "nobody"])
def test_every_call_is_refused(platform, admin, kind):
    """The bootstrap document answers in its anonymous form; everything else 401."""
    token = tokens(platform)[kind]
    document = admin.config("GET", "config", token=token)
    assert (document.status_code, document.json()["authorized"]) == (200, False), document.text
    assert "clusters" not in document.json()
    some_job = "job-00000000-0000-4000-8000-000000000000"
    calls = [
        ("GET", f"{platform.api}/jobs"), ("POST", f"{platform.api}/jobs?from_preset"), ("GET", f"{platform.api}/jobs/{some_job}"),
        ("DELETE", f"{platform.api}/jobs/{some_job}"), ("GET", f"{platform.api}/clusters"), ("GET", f"{platform.api}/users/admin"),
        ("POST", f"{platform.api}/users/admin/permissions/check"), ("POST", f"{platform.api}/users/admin/token"),
        ("GET", f"{platform.admin_api}/clusters"), ("GET", f"{platform.admin_api}/users/admin"), ("POST", f"{platform.admin_api}/users"),
        ("GET", f"{platform.monitoring}/capacity"), ("GET", f"{platform.monitoring}/{some_job}/log"),
    ]
    if kind == "nobody":     # well signed: who reads a body before asking auth-api may say first what is wrong there
        calls = [call for call in calls if call[0] != "POST"]
    answers = {f"{method} {url}": admin.call(method, url, token=token, json=[] if method == "POST" else None).status_code for method, url in calls}
    assert set(answers.values()) == {401}, {call: status for call, status in answers.items() if status != 401}


@pytest.mark.parametrize("path", ["api/v1/jobs", "api/v1/clusters", "apis/admin/v1/clusters", "clusters/default/api/v1/jobs/capacity"])
def test_calls_without_a_token(platform, path):
    assert requests.get(f"{platform.url}/{path}", timeout=20).status_code == 401


@pytest.mark.parametrize("path", ["api/v1/jobs", "clusters/default/api/v1/jobs/capacity"])
@pytest.mark.parametrize("header, words", [("Basic YTpi", "Unexpected authorization scheme"), ("Bearer", "No credentials")])
def test_malformed_credentials(platform, path, header, words):
    answer = requests.get(f"{platform.url}/{path}", headers={"Authorization": header}, timeout=20)
    assert (answer.status_code, answer.json()) == (400, {"error": words})


def test_a_token_that_expires_after_the_login(platform, stranger):
    slow = stranger.login(platform.admin_token).ended(0).seconds     # how long a command takes on this machine
    stranger.login(platform.token("admin", seconds=int(5 + 3 * slow))).ended(0)
    stranger("ps").ended(0)
    told = eventually("the expired token is refused", lambda: (result := stranger("ps")).code and result, 60, 0.5)
    assert told.code == 77 and "401" in told.text, told
    told = stranger("config", "show").ended(70)


def test_bootstrap_document(platform, admin):
    anonymous = requests.get(f"{platform.api}/config", timeout=20)
    assert anonymous.status_code == 200
    oauth = {"auth_url", "token_url", "logout_url", "client_id", "audience", "headless_callback_url", "success_redirect_url"}
    assert oauth <= anonymous.json().keys() and anonymous.json()["authorized"] is False
    document = admin.config("GET", "config").json()
    assert oauth <= document.keys() and document["authorized"] is True and document["admin_url"] == platform.admin_api
    (cluster,) = [entry for entry in document["clusters"] if entry["name"] == "default"]
    urls = ("registry_url", "storage_url", "users_url", "monitoring_url", "secrets_url", "disks_url", "buckets_url")
    assert all(cluster[name].startswith(platform.url) for name in urls), cluster
    assert [preset["name"] for preset in cluster["resource_presets"]][:2] == ["cpu-small", "cpu-medium"]
    assert all(isinstance(preset["credits_per_hour"], str) for preset in cluster["resource_presets"])
    assert {"name": "default", "cluster_name": "default", "org_name": "default", "role": "admin"}.items() <= document["projects"][0].items()


def test_no_client_sees_the_clusters_credentials(platform, admin, other):
    for user in (admin, other):
        for answer in (user.config("GET", "config"), user.config("GET", "clusters"), user.config("GET", "clusters/default")):
            assert "kubeconfig" not in answer.text and "BEGIN CERTIFICATE" not in answer.text, answer.url
