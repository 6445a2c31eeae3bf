"""Processes in sessions of their own, known by a pid file, ended by pid and never by name."""

import os
import pathlib
import signal
import subprocess
import time


def environment():
    """No proxies, no locale: what a component does must not depend on who started it."""
    return {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LANG": "C.UTF-8"}


class Process:
    """One component's process: `<run>/pids/<name>` holds its pid and start time, so that a reused pid is never taken for it."""

    def __init__(self, layout, name):
        self.name = name
        self.file = layout.folder / "pids" / name
        self.log = layout.folder / "log" / f"{name}.log"

    @property
    def pid(self):
        """The pid, or None when the process is not alive."""
        try:
            pid, started = self.file.read_text().split()
        except (FileNotFoundError, ValueError):
            return None
        return int(pid) if _started(int(pid)) == started else None

    def start(self, command):
        self.file.parent.mkdir(parents=True, exist_ok=True)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with open(self.log, "ab") as log:
            child = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/",
                                     env=environment(), start_new_session=True)
        temporary = self.file.with_name(self.name + ".new")
        temporary.write_text(f"{child.pid} {_started(child.pid)}\n")
        temporary.rename(self.file)
        return child

    def stop(self, grace=10.0, first=signal.SIGTERM):
        """Ends the process and waits until it is gone."""
        if pid := self.pid:
            send(pid, first)
            send(pid, signal.SIGCONT)
            if not _gone(lambda: self.pid is None, grace):
                send(pid, signal.SIGKILL)
                _gone(lambda: self.pid is None, 10)
        self.file.unlink(missing_ok=True)

    def last_words(self, lines=15):
        try:
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])
        except FileNotFoundError:
            return ""


def send(pid, number):
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


def kill_all(find, patience=15.0):
    """Kills what `find` returns, again and again until it returns nothing. Says whether that came true."""
    deadline = time.monotonic() + patience
    while pids := find():
        for pid in pids:
            send(pid, signal.SIGKILL)
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def with_argument(argument):
    """Living processes that have exactly this word on their command line: the shims of one containerd, known by its socket."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if argument.encode() in (entry / "cmdline").read_bytes().split(b"\0"):
                    found.append(int(entry.name))
            except OSError:
                pass
    return [pid for pid in found if pid != os.getpid()]


def running(name):
    """Whether a process of that name lives on this machine, whoever's it is."""
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if (entry / "comm").read_text().strip() == name[:15]:
                    return True
            except OSError:
                pass
    return False


def _started(pid):
    """When the process started, in clock ticks since boot; None when it is gone or a zombie."""
    try:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else fields[19]


def _gone(condition, seconds):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
        _reap()
    return True


def _reap():
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass
