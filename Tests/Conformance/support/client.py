"""The published `apolo` command, as a person runs it."""

import contextlib
import os
import pathlib
import re
import sqlite3
import subprocess
import sys
import threading
import time

from .waiting import eventually

APOLO = pathlib.Path(sys.executable).with_name("apolo")
JOB_ID = re.compile(r"job-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


class Result:
    """What a finished command said."""

    def __init__(self, command, code, out, err, seconds):
        self.command, self.code, self.out, self.err, self.seconds = command, code, out, err, seconds

    @property
    def text(self):
        return self.out + self.err

    @property
    def lines(self):
        return [line.strip() for line in self.out.splitlines()]

    @property
    def job(self):
        """The first job id it printed."""
        found = JOB_ID.search(self.text)
        assert found, f"no job id in:\n{self}"
        return found.group()

    def ended(self, code):
        assert self.code == code, f"expected exit {code}:\n{self}"
        return self

    def __repr__(self):
        return f"$ apolo {' '.join(self.command)}\nexit {self.code} after {self.seconds:.1f} s\n--- out\n{self.out}\n--- err\n{self.err}"


class Running:
    """A command that has not ended."""

    def __init__(self, process, command):
        self._process, self.command, self._begun = process, command, time.monotonic()
        self._said = {"stdout": [], "stderr": []}
        self._readers = [threading.Thread(target=self._read, args=(name,), daemon=True) for name in self._said]
        for reader in self._readers:
            reader.start()

    def _read(self, name):
        for line in getattr(self._process, name):
            self._said[name].append(line)

    @property
    def out(self):
        return "".join(self._said["stdout"])

    @property
    def ended(self):
        return self._process.poll() is not None

    def until(self, text, timeout=30):
        """Waits until its standard output contains the text."""
        eventually(f"`apolo {' '.join(self.command)}` writes {text!r}", lambda: text in self.out or self._ended_without(text), timeout, 0.05)
        return self

    def _ended_without(self, text):
        assert not self.ended or text in self.finish(1).out, f"it ended without writing {text!r}:\n{self.finish(1)}"
        return False

    def kill(self):
        """Ends it without a word, as a machine that fails does."""
        self._process.kill()
        return self.finish()

    def finish(self, timeout=60):
        try:
            self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise AssertionError(f"it did not end within {timeout} s:\n{self._result()}") from None
        return self._result()

    def _result(self):
        for reader in self._readers:
            reader.join(5)
        return Result(self.command, self._process.returncode, self.out, "".join(self._said["stderr"]), time.monotonic() - self._begun)


class Client:
    """`apolo` of one person: a home and a configuration of its own."""

    def __init__(self, platform, name):
        self.platform, self.home = platform, platform.scratch / name
        self.home.mkdir()
        self.configuration = self.home / "configuration"

    @property
    def environment(self):
        own = {name: value for name, value in os.environ.items() if not name.startswith(("NEURO_", "APOLO_"))}
        return own | {
            "HOME": str(self.home), "APOLO_CONFIG": str(self.configuration), "NEURO_CLI_DISABLE_PYPI_VERSION_CHECK": "1",
            "COLUMNS": "400", "PYTHONUNBUFFERED": "1", "NO_COLOR": "1", "LC_ALL": "C.UTF-8"}

    def start(self, *command):
        process = subprocess.Popen(
            [APOLO, "--skip-stats", *command], env=self.environment, cwd=self.home, text=True, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        return Running(process, command)

    def __call__(self, *command, timeout=60):
        return self.start(*command).finish(timeout)

    def login(self, token):
        return self("config", "login-with-token", token, self.platform.api)

    def reach_storage_by(self, port):
        """Its storage has the same address at another port of this machine, for all that it knows."""
        address = f"{self.platform.url}/clusters/default/api/v1/storage"
        with contextlib.closing(sqlite3.connect(self.configuration / "db")) as database, database:
            changed = database.execute(
                "UPDATE main SET clusters = replace(clusters, ?, ?) WHERE instr(clusters, ?)",
                (address, address.replace(self.platform.url, f"http://127.0.0.1:{port}"), address)).rowcount
        assert changed, "its configuration does not name the storage"
