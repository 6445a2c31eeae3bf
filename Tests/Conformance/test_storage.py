"""Files, as a person handles them: `apolo storage` and its short forms."""

import asyncio
import filecmp
import hashlib
import json
import os
import time
import uuid

import aiohttp
import pytest

from support.client import Client
from support.relay import Relay
from support.rest import checked
from support.waiting import eventually


@pytest.fixture
def place(apolo):
    """A folder of its own in the project's storage."""
    name = f"test-{uuid.uuid4().hex[:8]}"
    apolo("mkdir", f"storage:{name}").ended(0)
    yield f"storage:{name}"
    apolo("rm", "-r", f"storage:{name}").ended(0)


def tree(folder):
    """Paths below a folder and a digest of each file."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None for path in folder.rglob("*")}


def test_the_projects_folder_is_there_from_the_start(apolo):
    apolo("ls").ended(0)
    apolo("ls", "-d", "storage:").ended(0)


def test_a_file_goes_there_and_back(apolo, place):
    source, back = apolo.home / "source.bin", apolo.home / "back.bin"
    source.write_bytes(os.urandom(3_500_000))     # several requests: the client sends a mebibyte at a time
    apolo("cp", str(source), f"{place}/file").ended(0)
    apolo("cp", f"{place}/file", str(back)).ended(0)
    assert back.read_bytes() == source.read_bytes()
    listed = apolo("ls", "-l", place).ended(0)
    assert "file" in listed.out and "-m" in listed.out, listed
    assert apolo("ls", "-d", place).ended(0).lines == [place.removeprefix("storage:")]
    # What was sent already is not sent again, and what is missing is.
    whole = source.read_bytes()
    apolo("cp", "--update", str(source), f"{place}/file").ended(0)
    source.write_bytes(whole[:1_200_000])
    apolo("cp", str(source), f"{place}/part").ended(0)
    source.write_bytes(whole)
    os.utime(source, (0, 0))
    apolo("cp", "--continue", str(source), f"{place}/part").ended(0)
    apolo("cp", f"{place}/part", str(back)).ended(0)
    assert back.read_bytes() == whole


def test_trees_and_strange_names(apolo, place):
    source, back = apolo.home / "tree", apolo.home / "tree-back"
    for name in ("a#b", "100%25", "what?", " blank ", "ünïcödé", "-dash", "a+b", "sub/deeper/x", "empty"):
        path = source / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name if name != "empty" else "")
    (source / "nothing").mkdir()
    apolo("cp", "-r", "-T", str(source), f"{place}/tree").ended(0)
    apolo("cp", "-r", "-T", f"{place}/tree", str(back)).ended(0)
    assert tree(back) == tree(source)
    shown = apolo("storage", "tree", f"{place}/tree").ended(0)
    assert "deeper" in shown.out and "ünïcödé" in shown.out, shown
    found = apolo("storage", "glob", f"{place}/tree/*a*").ended(0)
    assert "-dash" in found.out and "sub" not in found.out, found


def test_moving_and_removing(apolo, place):
    text = apolo.home / "note.txt"
    text.write_text("note")
    apolo("cp", str(text), f"{place}/one").ended(0)
    apolo("mv", f"{place}/one", f"{place}/two").ended(0)
    apolo("mkdir", "-p", f"{place}/deep/er").ended(0)
    apolo("mv", f"{place}/two", f"{place}/deep").ended(0)
    assert apolo("ls", f"{place}/deep").ended(0).out.split() == ["er", "two"]
    apolo("mkdir", f"{place}/other").ended(0)
    apolo("mv", "-T", f"{place}/deep/er", f"{place}/other").ended(0)
    assert apolo("ls", f"{place}/other").ended(0).out.split() == []
    refused = apolo("rm", f"{place}/deep").ended(72)
    assert "Target is a directory" in refused.text, refused
    removed = apolo("-v", "rm", "-r", f"{place}/deep").ended(0)
    assert "removed" in removed.text and "deep" in removed.text, removed
    assert "not found" in apolo("ls", f"{place}/deep").ended(72).text.lower()


def test_a_tree_of_many_files(apolo, place):
    source = apolo.home / "many"
    for folder in range(3):
        (source / f"folder{folder}").mkdir(parents=True)
        for number in range(60):
            (source / f"folder{folder}/file{number:03}").write_bytes(os.urandom(1024))
    apolo("cp", "-r", "-T", str(source), f"{place}/many", timeout=180).ended(0)
    assert len(apolo("ls", f"{place}/many/folder1").ended(0).out.split()) == 60
    assert apolo("storage", "tree", f"{place}/many").ended(0).out.count("file0") == 180
    removed = apolo("rm", "-r", "--progress", f"{place}/many", timeout=120).ended(0)
    assert removed.text.count("Removed:") == 184, removed


def test_downloads_that_break_off(platform, apolo):
    """The client goes on where a connection broke off, as often as it does."""
    source, back = apolo.home / "broken.bin", apolo.home / "broken-back.bin"
    source.write_bytes(os.urandom(6_000_000))
    # Which project is a new client's own depends on what other tests have left.
    there = f"storage://default/default/default/broken-{uuid.uuid4().hex[:8]}"
    apolo("cp", str(source), there).ended(0)
    client = Client(platform, f"relayed-{uuid.uuid4().hex[:8]}")
    client.login(platform.admin_token).ended(0)
    with Relay(int(platform.url.rsplit(":", 1)[1])) as relay:
        client.reach_storage_by(relay.port)
        relay.allowance = 400_000
        client("cp", there, str(back), timeout=120).ended(0)
        assert relay.cuts > 12, relay.cuts
    assert back.read_bytes() == source.read_bytes()
    apolo("rm", there).ended(0)


@pytest.mark.timeout(900)
def test_large_files_that_are_gone_on_with(platform, admin, apolo, place):
    """A client that dies in the middle of an upload, and of a download, and the next one that goes on."""
    size, source, back = 1 << 30, apolo.home / "large.bin", apolo.home / "large-back.bin"
    url = f"{platform.url}/clusters/default/api/v1/storage/default/default/{place.removeprefix('storage:')}/large"

    def length():
        answer = admin.call("GET", f"{url}?op=GETFILESTATUS")
        return answer.json()["FileStatus"]["length"] if answer.ok else 0

    def overwrite(data):
        checked(admin.call("PATCH", f"{url}?op=WRITE", data=data, headers={
            "Content-Range": f"bytes 0-{len(data) - 1}/*", "Content-Type": "application/octet-stream"}), 200)

    try:
        with source.open("wb") as file:
            file.truncate(size)      # holes are sent as any bytes are
            for place_in_file in range(0, size, 64 << 20):
                file.seek(place_in_file + 12_345)
                file.write(os.urandom(1 << 20))
        os.utime(source, (0, 0))
        upload = apolo.start("cp", str(source), f"{place}/large")
        eventually("a part of it is there", lambda: length() > size // 4, 240, 0.05)
        upload.kill()
        part = length()
        assert size // 4 < part < size, "it was killed too late"
        # What is there already is not sent again: it stays as somebody has changed it meanwhile.
        overwrite(b"mark")
        apolo("cp", "--continue", str(source), f"{place}/large", timeout=300).ended(0)
        assert length() == size

        download = apolo.start("cp", f"{place}/large", str(back))
        eventually("a part of it has come", lambda: back.exists() and back.stat().st_size > size // 4, 240, 0.02)
        download.kill()
        part = back.stat().st_size
        assert size // 4 < part < size, "it was killed too late"
        overwrite(bytes(4))
        os.utime(back, (time.time() + 3600, time.time() + 3600))     # what is newer there than here is fetched anew
        apolo("cp", "--continue", f"{place}/large", str(back), timeout=300).ended(0)
        with back.open("r+b") as file:
            assert file.read(4) == b"mark"
            file.seek(0)
            file.write(bytes(4))
        assert filecmp.cmp(source, back, shallow=False)
    finally:
        source.unlink(missing_ok=True)
        back.unlink(missing_ok=True)


def test_a_connection_for_random_access(admin, platform, apolo, place):
    """The protocol over WebSocket, which no published client speaks, through the gateway: the bytes are those of the contract's examples."""
    async def talk():
        name = place.removeprefix("storage:")
        url = f"{platform.url}/clusters/default/api/v1/storage/default/default/{name}?op=WEBSOCKET"
        async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {admin.token}"}) as session, session.ws_connect(url) as socket:
            answers = []
            for request in (
                "00000025 a4 626f70 655752495445 626964 02 6470617468 6166 666f6666736574 1a00010000 616263",      # WRITE f at 65536
                "0000002a a5 626f70 6452454144 626964 03 6470617468 6166 666f6666736574 1a00010000 6473697a65 04",     # READ 4 of it there
                "00000011 a2 626f70 644c495354 626964 05",      # LIST
                "0000001b a3 626f70 6453544154 626964 01 6470617468 646e6f7065",        # STAT nope
            ):
                await socket.send_bytes(bytes.fromhex(request))
                answers.append(await socket.receive_bytes(timeout=30))
            return answers
    written, read, listed, missing = asyncio.run(talk())
    assert b"cACK" in written and b"cACK" in read and read.endswith(b"abc")
    assert b"FileStatuses" in listed and b"dpathaf" in listed
    assert b"eERROR" in missing and b"ENOENT" in missing
    assert apolo("ls", place).ended(0).out.split() == ["f"]


def test_refusals(apolo, place):
    text = apolo.home / "refused.txt"
    text.write_text("note")
    assert "File exists" in apolo("mkdir", place).ended(72).text
    apolo("mkdir", f"{place}/no/such").ended(72)
    apolo("cp", str(text), f"{place}/missing/").ended(72)
    assert apolo("ls", place).ended(0).out.split() == []
    apolo("cp", str(text), f"{place}/file").ended(0)
    assert "Not a directory" in apolo("ls", f"{place}/file").ended(72).text
    apolo("rm", f"{place}/none").ended(72)


def test_disk_usage(apolo):
    shown = apolo("storage", "df").ended(0)
    assert "Total" in shown.out and "Free" in shown.out, shown


def test_strangers_see_nothing(admin, other, platform):
    url = f"{platform.url}/clusters/default/api/v1/storage/default/default"
    for query in ("op=LISTSTATUS", "op=GETFILESTATUS", "op=GETDISKUSAGE", "op=OPEN"):
        assert checked(other.call("GET", f"{url}?{query}"), 404).text == "404: Not Found"
    checked(other.call("PUT", f"{url}/stranger?op=MKDIRS"), 404)
    names = [entry["FileStatus"]["path"] for entry in map(json.loads, checked(
        admin.call("GET", f"{url}?op=LISTSTATUS", headers={"Accept": "application/x-ndjson"}), 200).text.split("\r\n")[:-1])]
    assert "stranger" not in names


def test_the_bootstrap_document_names_it(admin):
    cluster, = [entry for entry in admin.config("GET", "config").json()["clusters"] if entry["name"] == "default"]
    assert cluster["storage_url"].endswith("/clusters/default/api/v1/storage")
