"""Measures what `make bench` prints. Every figure is a median of rounds in which all targets take their turn, so that what else the machine
does meets all of them alike: compare the lines of one run, not of two."""

import contextlib, csv, io, json, os, socket, statistics, subprocess, sys, tempfile, time, urllib.error, urllib.request
from pathlib import Path

HERE = Path(__file__).parent
PROGRAMS = Path(sys.argv[1])
SECONDS, CONNECTIONS, ROUNDS, REBUILD = (
    int(os.environ.get(f"BENCH_{name}", default)) for name, default in
    (("SECONDS", 5), ("CONNECTIONS", 32), ("ROUNDS", 5), ("REBUILD", 1_000_000)))
POSTGRES, REDIS = os.environ["ORRERY_TEST_POSTGRES_URL"], os.environ["ORRERY_TEST_REDIS_URL"]
DATABASE = POSTGRES.rsplit("/", 1)[0] + "/orrery_bench"
SIZES = (10, 1_000, 100_000)
# A member of a role holds what the role holds: beyond its own ten grants a principal has its others from roles of this many.
ROLE_SIZE = 10_000


def output(*command):
    return subprocess.run([str(word) for word in command], check=True, stdout=subprocess.PIPE, text=True).stdout


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


AUTH, BARE = free_port(), free_port()


def sql(text, database=DATABASE):
    output("psql", "-q", "-v", "ON_ERROR_STOP=1", database, "-c", text)


@contextlib.contextmanager
def running(*command, **environment):
    log = tempfile.TemporaryFile()
    process = subprocess.Popen([str(word) for word in command], env=os.environ | environment, stdout=log, stderr=log)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()


def answers(process, url):
    for _ in range(300):
        if process.poll() is not None:
            sys.exit(f"{process.args[0]} ended with {process.returncode}")
        try:
            return urllib.request.urlopen(url, timeout=5).read()
        except urllib.error.HTTPError:
            return b""
        except OSError:
            time.sleep(0.1)
    sys.exit(f"{url} does not answer")


def holders(name, grants):
    """Who holds how many: the principal ten, its roles the rest."""
    counts = [min(grants, 10)]
    while sum(counts) < grants:
        counts.append(min(grants - sum(counts), ROLE_SIZE))
    return [(name if place == 0 else f"{name}/roles/r{place}", f"default/{'default' if place == 0 else f'other{place}'}", count)
            for place, count in enumerate(counts)]


def principal(name, grants):
    """A principal with that many effective grants. Written straight into the database: by the API a million would take the longest here.
    The last path that it may write to is answered."""
    parts = holders(name, grants)
    # In one transaction: the service may make its copy at any moment, and nothing tells it of what comes later.
    text = ["INSERT INTO principals (name) VALUES " + ", ".join(f"('{holder}')" for holder, _, _ in parts),
            f"INSERT INTO grants (principal, uri, scheme, segments, action) VALUES ('{name}', 'user://{name}', 'user', '{{{name}}}', 2)"]
    for holder, path, count in parts:
        text.append(
            f"INSERT INTO grants (principal, uri, scheme, segments, action) SELECT '{holder}', 'storage://{path}/p' || i, 'storage', "
            f"array_append(string_to_array('{path}', '/'), 'p' || i), 3 FROM generate_series(0, {count - 1}) AS i")
    for role, _, _ in parts[1:]:
        text.append(f"INSERT INTO grants (principal, uri, scheme, segments, action, role) "
                    f"VALUES ('{name}', 'role://{role}', 'role', string_to_array('{role}', '/'), 2, '{role}')")
    sql("; ".join(text))
    _, path, count = parts[-1]
    return f"{path}/p{count - 1}"


def post(url, token, body):
    request = urllib.request.Request(
        url, json.dumps(body).encode(), {"Authorization": f"Bearer {token}", "Content-Type": "application/json"})
    return json.load(urllib.request.urlopen(request, timeout=60))


def wrk(url, token):
    text = output("env", f"BENCH_TOKEN={token}", "wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s", "-s", HERE / "check.lua", url)
    rate, p50, p99, errors = next(line for line in text.splitlines() if line.startswith("FIGURES")).split()[1:]
    if int(errors):
        sys.exit(f"{url}: {errors} requests failed\n{text}")
    return float(rate), float(p50), float(p99)


def redis_get():
    host, port = REDIS.split("//")[1].split("/")[0].split("@")[-1].rsplit(":", 1)
    text = output("redis-benchmark", "-h", host, "-p", port, "-c", CONNECTIONS, "-n", 20_000 * SECONDS, "-t", "get", "--csv")
    row = list(csv.DictReader(io.StringIO(text)))[-1]
    return float(row["rps"]), float(row["p50_latency_ms"]), float(row["p99_latency_ms"])


def measure(targets):
    rounds = [{name: target() for name, target in targets.items()} for _ in range(ROUNDS)]
    print(f"medians of {ROUNDS} rounds of {SECONDS} s, {CONNECTIONS} connections, one process each, {os.cpu_count()} processors")
    print(f"{'':34}{'requests/s':>11}{'of bare':>9}{'p50 ms':>9}{'p99 ms':>9}")
    base = statistics.median(taken["bare Hummingbird handler"][0] for taken in rounds)
    for name in targets:
        rate, p50, p99 = (statistics.median(taken[name][i] for taken in rounds) for i in range(3))
        print(f"{name:34}{rate:>11,.0f}{rate / base:>9.2f}{p50:>9.2f}{p99:>9.2f}", flush=True)


def rebuild(service, admin, work):
    """From an empty Redis until the service says that its copy is whole. Meanwhile Postgres answers, and each answer is looked at."""
    principals = max(1, REBUILD // 1_000)
    sql(f"INSERT INTO principals (name) SELECT 'load' || i FROM generate_series(1, {principals}) AS i")
    sql(f"INSERT INTO grants (principal, uri, scheme, segments, action) SELECT 'load' || i, 'storage://default/load' || i || '/p' || j, "
        f"'storage', ARRAY['default', 'load' || i, 'p' || j], 3 FROM generate_series(1, {principals}) AS i, generate_series(1, 1000) AS j")
    sql("ANALYZE grants")
    # The generation has another name then: what the service says before it has noticed is of the old one.
    old = output("redis-cli", "-u", REDIS, "GET", "auth:generation").strip()
    output("redis-cli", "-u", REDIS, "FLUSHALL")
    start, waits, number = time.monotonic(), [], 0
    while True:
        number = number % principals + 1
        asked = [{"uri": f"storage://default/load{number}/p7/x", "action": "write"}, {"uri": "storage://default/x", "action": "read"}]
        begun = time.monotonic()
        missing = post(f"http://127.0.0.1:{AUTH}/api/v1/users/load{number}/permissions/check", admin, asked)["missing"]
        waits.append(time.monotonic() - begun)
        if [item["uri"] for item in missing] != ["storage://default/x"]:
            sys.exit(f"load{number} is answered wrongly while the copy is made: {missing}")
        generation = output("redis-cli", "-u", REDIS, "GET", "auth:generation").strip()
        state = json.loads(answers(service, f"http://127.0.0.1:{AUTH}/ready"))["dependencies"]["acl_copy"]
        if generation not in ("", old) and state["ok"] and state["detail"]["whole"] == "true":
            break
        if time.monotonic() - start > 600:
            sys.exit("the copy is not whole after ten minutes")
        time.sleep(0.01)
    taken = time.monotonic() - start
    records = sum(1 for key in output("redis-cli", "-u", REDIS, "--scan", "--pattern", f"auth:{generation.split(':')[0]}:load*").splitlines()
                  if ":lease:" not in key)
    if records != principals:
        sys.exit(f"the copy calls itself whole with {records} of {principals} records")
    waits.sort()
    print(f"{principals * 1000:,} grants of {principals:,} principals into an empty Redis: {taken:.1f} s; {len(waits):,} checks meanwhile, one "
          f"after the other: median {1000 * waits[len(waits) // 2]:.1f} ms, worst {1000 * waits[-1]:.0f} ms")


def main():
    with contextlib.ExitStack() as stack:
        work = stack.enter_context(tempfile.TemporaryDirectory())
        secrets = Path(work) / "secrets"
        secrets.mkdir()
        names = [f"bench{size}" for size in SIZES]
        output(PROGRAMS / "orrery-local", "keys", "--secrets", secrets, "--principal", "bench")
        admin = (secrets / "admin-token").read_text().strip()
        sql("DROP DATABASE IF EXISTS orrery_bench", POSTGRES)
        sql("CREATE DATABASE orrery_bench", POSTGRES)
        # What is there is the copy of another database.
        output("redis-cli", "-u", REDIS, "FLUSHALL")
        # Everything else as in production: the log says a line for each request.
        service = stack.enter_context(running(
            PROGRAMS / "auth-api", ORRERY_HTTP_HOST="127.0.0.1", ORRERY_HTTP_PORT=str(AUTH), ORRERY_METRICS_PORT="0",
            ORRERY_SHUTDOWN_DELAY="0", ORRERY_SECRETS_DIR=str(secrets), ORRERY_POSTGRES_URL=DATABASE, ORRERY_REDIS_URL=REDIS,
            ORRERY_PUBLIC_URL=f"http://127.0.0.1:{AUTH}"))
        bare = stack.enter_context(running(PROGRAMS / "bench-baseline", BARE))
        answers(service, f"http://127.0.0.1:{AUTH}/ready")
        answers(bare, f"http://127.0.0.1:{BARE}/")
        targets = {
            "bare Hummingbird handler": lambda: wrk(f"http://127.0.0.1:{BARE}/check", "none"),
            "bare Redis GET": redis_get,
        }
        for name, size in zip(names, SIZES):
            last = principal(name, size)
            url = f"http://127.0.0.1:{AUTH}/api/v1/users/{name}"
            token = post(url + "/token", admin, {})["access_token"]
            asked = [{"uri": f"storage://{path}", "action": "write"} for path in ("default/default/p3/data", f"{last}/data", "default/default")]
            missing = post(url + "/permissions/check", token, asked)["missing"]
            if [item["uri"] for item in missing] != ["storage://default/default"]:
                sys.exit(f"{name} is answered wrongly: {missing}")
            targets[f"check, {size:,} effective grants"] = lambda url=url + "/permissions/check", token=token: wrk(url, token)
        measure(targets)
        if REBUILD:
            rebuild(service, admin, work)


if __name__ == "__main__":
    main()
