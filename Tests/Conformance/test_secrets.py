"""`apolo secret …`, and how secrets reach jobs: as variables and as files."""

import base64
import json
import secrets

import pytest

from support.quick import QuickClient
from support.rest import LONG, checked, describe

SMALL = ("-s", "cpu-small")
IMAGE = ("registry.local/busybox", "--")


@pytest.fixture(scope="module")
def mark():
    return secrets.token_hex(3)


@pytest.fixture(scope="module")
def mine(platform, admin):
    """The admin's `apolo`."""
    client = QuickClient(platform, "secrets-admin")
    client.login(admin.token).ended(0)
    return client


@pytest.fixture(scope="module")
def url(admin):
    (cluster,) = [entry for entry in admin.config("GET", "config").json()["clusters"] if entry["name"] == "default"]
    return cluster["secrets_url"]


@pytest.fixture
def keep(mine):
    """Adds a secret that is removed at the end."""
    kept = []

    def add(key, value, *options):
        mine("secret", "add", *options, key, value).ended(0)
        kept.append((key, *options))
        return key

    yield add
    for key, *options in kept:
        mine("secret", "rm", *options, key)


def listed(client, *options):
    return client("secret", "ls", *options).ended(0).out


def test_where_it_is(url, platform):
    assert url == f"{platform.url}/clusters/default/api/v1/secrets"


def test_the_life_of_a_secret(mine, admin, url, mark):
    key, value = f"life-{mark}", "с ключом: 'a' \"b\" $c\\n"
    assert key not in listed(mine)
    assert mine("secret", "add", key, value).ended(0).out == ""
    assert key in listed(mine)
    assert mine("secret", "get", key).ended(0).out == value      # and nothing after it
    mine("secret", "add", key, "another").ended(0)
    assert mine("secret", "get", key).ended(0).out == "another"
    entries = checked(admin.call("GET", url, params={"org_name": "default", "project_name": "default"}), 200).json()
    assert [entry for entry in entries if entry["key"] == key] == [
        {"key": key, "owner": "default", "org_name": "default", "project_name": "default"}]
    assert key in mine("-v", "secret", "rm", key).ended(0).text
    assert key not in listed(mine)
    assert "not found" in mine("secret", "get", key).ended(72).err
    mine("secret", "rm", key).ended(72)


def test_a_file_keeps_its_bytes(mine, mark, tmp_path):
    data = b"value\xff\x00" + bytes(range(256)) * 100
    given, taken = tmp_path / "given", tmp_path / "taken"
    given.write_bytes(data)
    mine("secret", "add", f"file-{mark}", f"@{given}").ended(0)
    mine("secret", "get", f"file-{mark}", "--file", str(taken)).ended(0)
    assert taken.read_bytes() == data
    mine("secret", "rm", f"file-{mark}").ended(0)


@pytest.mark.parametrize("key, value, said", [
    ("..", "x", "does not match pattern"), ("a b", "x", "does not match pattern"), ("---Neuro---", "x", "Illegal key"),
    ("k" * 254, "x", "longer than 253"), ("empty", "", "blank value is not allowed"),
])
def test_what_is_refused(mine, key, value, said):
    assert said in mine("secret", "add", "--", key, value).ended(65).err


def test_what_is_too_large(mine, mark, tmp_path):
    large = tmp_path / "large"
    large.write_bytes(b"x" * (1 << 20))
    assert "exceeded" in mine("secret", "add", f"large-{mark}", f"@{large}").ended(65).err
    assert f"large-{mark}" not in listed(mine)


def test_all_projects(mine, tenants, keep, mark):
    project = tenants.project("vault", "default")
    mine("config", "get-clusters").ended(0)     # the client learns of the project by asking
    here, there = keep(f"inner-{mark}", "1"), keep(f"outer-{mark}", "2", "--project", project)
    assert here in listed(mine) and there not in listed(mine)
    assert there in listed(mine, "--project", project) and here not in listed(mine, "--project", project)
    both = listed(mine, "--all-projects")
    assert here in both and there in both and project in both
    assert mine("secret", "get", "--project", project, there).ended(0).out == "2"


def test_others_see_nothing(mine, admin, other, keep, url, mark):
    key, place = keep(f"private-{mark}", "for-me-alone"), {"org_name": "default", "project_name": "default"}

    def write():
        return checked(other.call("POST", url, json={"key": key, "value": "eA=="} | place), 403)
    assert checked(other.call("GET", url, params=place), 200).json() == []
    assert checked(other.call("GET", url, params={"org_name": "default"}), 200).json() == []
    for asked in (key, "no-such-key"):
        for method in ("GET", "DELETE"):
            refused = checked(other.call(method, f"{url}/{asked}", params=place), 403)
            assert "missing" in refused.json() and "for-me-alone" not in refused.text, refused.text
    write()
    # One key, shared for reading.
    checked(admin.config("POST", f"users/{other.user}/permissions", json=[{"uri": f"secret://default/default/default/{key}", "action": "read"}]), 201)
    shown = checked(other.call("GET", f"{url}/{key}", params=place), 200)
    assert base64.b64decode(shown.json()["value"]) == b"for-me-alone" and shown.headers["Cache-Control"] == "no-store"
    assert [entry["key"] for entry in checked(other.call("GET", url, params=place), 200).json()] == [key]
    write()
    assert mine("secret", "get", key).ended(0).out == "for-me-alone"


def test_in_a_job(mine, admin, keep, mark, tidy):
    """A variable and two files; the job keeps them when the secret is removed meanwhile."""
    word, blob = keep(f"word-{mark}", "open sesame"), keep(f"blob-{mark}", "line 1\nline 2\n")
    script = 'echo "<$WORD>"; cat /mnt/blob /etc/deep/word; echo; stat -c %a /mnt/blob; touch /mnt/blob 2>/dev/null || echo fixed; ls /mnt; sleep 1'
    ended = mine("run", "--no-tty", *SMALL, "-e", f"WORD=secret:{word}", "-v", f"secret:{blob}:/mnt/blob", "-v", f"secret:{word}:/etc/deep/word",
                 *IMAGE, "sh", "-c", script).ended(0)
    job = admin.job(ended.job)
    assert job["status"] == "succeeded", describe(job)
    expected = ["<open sesame>", "line 1", "line 2", "open sesame", "400", "fixed", "blob"]
    logs = mine("logs", ended.job).ended(0)
    assert [line for line in logs.lines if line in expected] == expected, logs
    assert job["container"]["secret_env"] == {"WORD": f"secret://default/default/default/{word}"}
    assert [(mount["src_secret_uri"].rsplit("/", 1)[1], mount["dst_path"]) for mount in job["container"]["secret_volumes"]] == [
        (blob, "/mnt/blob"), (word, "/etc/deep/word")]
    assert "open sesame" not in json.dumps(job)


def test_a_running_job_keeps_its_secret(mine, admin, tidy, mark):
    key = f"gone-{mark}"
    mine("secret", "add", key, "still there").ended(0)
    job = tidy(admin.run(LONG, secret_env={"S": f"secret://default/default/default/{key}"},
                         secret_volumes=[{"src_secret_uri": f"secret://default/default/default/{key}", "dst_path": "/mnt/s"}]))
    admin.wait(job["id"], "running")
    mine("secret", "rm", key).ended(0)
    seen = mine("exec", "--no-tty", job["id"], "--", "sh", "-c", "echo $S; cat /mnt/s").ended(0)
    assert seen.out.count("still there") == 2, seen
    assert admin.job(job["id"])["status"] == "running"


def test_missing_secrets(mine, admin, keep, mark):
    """The job is accepted, fails before its start, and names what is missing alone."""
    key = keep(f"known-{mark}", "x")
    uri = "secret://default/default/default/"
    job = admin.run("true", secret_env={"A": uri + f"z-{mark}", "B": uri + key}, secret_volumes=[
        {"src_secret_uri": uri + f"a-{mark}", "dst_path": "/mnt/a"}])
    ended = admin.wait(job["id"], "failed", 30)
    assert ended["history"]["reason"] == f"Missing secrets: 'a-{mark}', 'z-{mark}'", describe(ended)
    assert ended["history"]["description"] == "The job could not be started." and ended["materialized"] is False


def test_a_secret_that_is_not_ones_own(admin, other, tenants, keep, mark):
    key = keep(f"theirs-{mark}", "x")
    uri = f"secret://default/default/default/{key}"
    for fields in ({"secret_env": {"A": uri}}, {"secret_volumes": [{"src_secret_uri": uri, "dst_path": "/mnt/a"}]}):
        answer = checked(other.post_job(project_name="second", **fields), 403)
        assert answer.json()["missing"] == [{"uri": uri, "action": "read"}]
    # Another project's secret is not found in this project's namespace, whoever asks.
    job = checked(admin.post_job(project_name=tenants.project("bare", "default"), secret_env={"A": uri}), 202).json()
    assert admin.wait(job["id"], "failed", 30)["history"]["reason"] == f"Missing secrets: '{key}'"


def test_where_a_secret_lies(cluster, keep, mark):
    key = keep(f"lies-{mark}", "here")
    (found,) = [item for item in cluster.list("secrets") if item["metadata"]["name"] == "project--default--default--secrets"]
    assert found["metadata"]["namespace"].startswith("platform--default--default--")
    assert found["metadata"]["labels"]["platform.neuromation.io/secret-api-org-name"] == "default"
    assert base64.b64decode(found["data"][key]) == b"here"


def test_what_comes_first_is_who_asks(admin, url):
    assert admin.call("POST", url, token="garbage", data="{").status_code == 401
    assert checked(admin.call("POST", url, data="{"), 400).json()["error"].startswith("Expecting value")
    checked(admin.call("GET", f"{url}?org_name=default&project_name=default&neuro-auth-token={admin.token}"), 400)
