"""Malformed requests are answered by 400 with the name of the field, and nothing is stored."""

import pytest

from support.rest import IMAGE, checked

FIELDS = [
    # field, value, words of the answer
    ("image", None, "value is not a string"),
    ("image", "", "blank value is not allowed"),
    ("image", 7, "value is not a string"),
    ("name", "UPPER", "does not match pattern"),
    ("name", "ab", "String is shorter than 3 characters"),
    ("name", "a" * 41, "String is longer than 40 characters"),
    ("name", "with\n", "does not match pattern"),
    ("name", "", "blank value is not allowed"),
    ("description", "", "blank value is not allowed"),
    ("tags", "tag", "value is not a list"),
    ("tags", ["a b"], None),
    ("tags", ["x"] * 17, "list length is greater than 16"),
    ("pass_config", "yes", "value should be True or False"),
    ("priority", "highest", "value doesn't match any variant"),
    ("restart_policy", "sometimes", "value doesn't match any variant"),
    ("schedule_timeout", 0, None),
    ("schedule_timeout", 2592000, None),
    ("schedule_timeout", "10", None),
    ("max_run_time_minutes", 0, "value is less than 1"),
    ("max_run_time_minutes", "60", "value is not int"),
    ("max_run_time_minutes", True, None),
    ("command", "unbalanced 'quote", "invalid command format"),
    ("entrypoint", "trailing \\", "invalid command format"),
    ("command", "", "blank value is not allowed"),
    ("env", ["A=b"], "value is not a dict"),
    ("env", {"A": 1}, "value is not a string"),
    ("working_dir", "relative", None),
    ("tty", 1, "value should be True or False"),
    ("http", {}, "is required"),
    ("http", {"port": 65536}, None),
    ("http", {"port": "80"}, None),
    ("volumes", [{"src_storage_uri": "storage://other/default/default/x", "dst_path": "/x"}], "Invalid URI cluster: 'other' != 'default'"),
    ("volumes", [{"src_storage_uri": "storage://default/default/default/x", "dst_path": "x"}], "Mount path must be absolute: 'x'"),
    ("volumes", [{"src_storage_uri": "storage://default/default/default/a/%2e%2E/b", "dst_path": "/x"}], "Invalid path"),
    ("volumes", [{"src_storage_uri": "disk://default/default/default/x", "dst_path": "/x"}], "Invalid URI scheme: 'disk' != 'storage'"),
    ("secret_env", {"A": "secret://default/key"}, "Wrong number of path items"),
    ("disk_volumes", [{"src_disk_uri": "disk://default/default/default/d"}], "is required"),
    ("unheard_of", 1, "unheard_of is not allowed key"),
    ("container", {}, "container is not allowed key"),
    ("gpu", 1, "gpu is not allowed key"),
]


@pytest.mark.parametrize("field, value, words", FIELDS, ids=[f"{field}-{number}" for number, (field, *_) in enumerate(FIELDS)])
def test_field(admin, field, value, words):
    answer = checked(admin.post_job(**{field: value}), 400)
    text = answer.json()["error"]
    assert field in text and (words is None or words in text.replace("\\", "")), text


RESOURCES = [
    ({"memory": 32 << 20}, "cpu"),
    ({"cpu": 0.05, "memory": 32 << 20}, "cpu"),
    ({"cpu": "1", "memory": 32 << 20}, "cpu"),
    ({"cpu": True, "memory": 32 << 20}, "cpu"),
    ({"cpu": 1}, "Either memory or memory_mb should be present"),
    ({"cpu": 1, "memory": 1024}, "memory"),
    ({"cpu": 1, "memory_mb": 8}, "memory_mb"),
    ({"cpu": 1, "memory": 32 << 20, "gpu": 1}, "gpu"),
    ({"cpu": 1, "memory": 32 << 20, "nvidia_gpu": -1}, "nvidia_gpu"),
    ({"cpu": 1, "memory": 32 << 20, "tpu": {"type": "v2-8", "software_version": "1"}}, "tpu"),
]


@pytest.mark.parametrize("resources, words", RESOURCES, ids=[str(number) for number in range(len(RESOURCES))])
def test_resources(admin, resources, words):
    answer = checked(admin.post_job({"container": {"image": IMAGE, "resources": resources}}, preset=False), 400)
    assert words in answer.json()["error"], answer.text


@pytest.mark.parametrize("preset, fields, words", [
    ("no-such-preset", {}, "Preset was not found"),
    ("cpu-small", {"resources": {"cpu": 1}}, "Both preset and resources are not allowed"),
    ("cpu-small", {"name": "job-mine"}, "job name cannot start with 'job-' prefix"),
    ("cpu-small", {"privileged": True}, "does not allow privileged jobs"),
    ("cpu-small", {"priority": "high"}, "does not allow specifying job priority"),
    ("cpu-small", {"energy_schedule_name": "default"}, "energy_schedule_name"),
    ("cpu-small", {"pass_config": True, "env": {"NEURO_PASSED_CONFIG": "x"}}, "NEURO_PASSED_CONFIG"),
])
def test_rules_of_the_whole(admin, preset, fields, words):
    answer = checked(admin.post_job(preset_name=preset, **fields), 400)
    assert words in answer.json()["error"], answer.text


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '"text"', '{"image": "x"', "\xff"])
def test_bodies_that_are_no_object(admin, text):
    answer = admin.call("POST", f"{admin.jobs_url}?from_preset", data=text.encode("latin-1"), headers={"Content-Type": "application/json"})
    assert checked(answer, 400).json()["error"]


def test_a_body_that_is_too_large(admin):
    answer = admin.post_job(description="x" * (1 << 20))
    checked(answer, 413)


@pytest.mark.parametrize("fields, words", [
    ({"cluster_name": "elsewhere"}, "User is not allowed to submit jobs to the specified cluster"),
    ({"org_name": "elsewhere"}, "User is not allowed to submit jobs to the specified cluster as a member of given organization"),
])
def test_places_that_are_not_the_users(admin, fields, words):
    assert checked(admin.post_job(**fields), 403).json() == {"error": words}


@pytest.mark.parametrize("query, words", [
    ({"status": "sleeping"}, "'sleeping' is not a valid JobStatus"), ({"limit": "0"}, "limit should be > 0"), ({"limit": "x"}, "invalid literal for int"),
    ({"reverse": "maybe"}, 'Required "0", "1", "false" or "true"'), ({"since": "yesterday"}, "Invalid isoformat string: 'yesterday'"),
    ({"name": ""}, ""), ({"hostname": "a.b", "name": "abc"}, "Invalid request"), ({"materialized": "2"}, 'Required "0", "1", "false" or "true"'),
])
@pytest.mark.parametrize("accept", ["application/json", "application/x-ndjson"])
def test_list_filters(admin, query, words, accept):
    answer = checked(admin.call("GET", admin.jobs_url, params=query, headers={"Accept": accept}), 400)
    assert words in answer.json()["error"], answer.text


@pytest.mark.parametrize("method, path, status", [
    ("PATCH", "api/v1/jobs", 405), ("GET", "api/v1/jobs/", 404), ("GET", "api/v1/jobs/x/tags", 404), ("GET", "api/v1/nothing", 404),
    ("POST", "apis/admin/v1/ping", 405), ("GET", "apis/vcluster/v1/x", 404),
])
def test_routes_that_do_not_exist(platform, admin, method, path, status):
    answer = checked(admin.call(method, f"{platform.url}/{path}"), status)
    if status == 405:
        assert answer.headers["Allow"]


def test_a_job_that_is_refused_is_not_stored(admin):
    checked(admin.post_job(name="refused", max_run_time_minutes=0), 400)
    assert admin.jobs(name="refused") == []
