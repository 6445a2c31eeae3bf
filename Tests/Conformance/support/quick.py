"""`apolo` for tests of many short commands: the same program, imported once and forked for each, since most of a short command is its imports."""

import atexit
import json
import os
import pathlib
import signal
import subprocess
import sys
import threading
import time
import traceback

from .client import Client, Result


class QuickClient(Client):
    """`apolo` of one person whose commands end by themselves."""

    def __call__(self, *command, timeout=60):
        out, err = self.home / "out", self.home / "err"
        begun = time.monotonic()
        request = {"command": ["--skip-stats", *command], "environment": self.environment, "home": str(self.home),
                   "out": str(out), "err": str(err), "seconds": timeout}
        code = _Loaded.shared(self.environment).run(request)
        return Result(command, code, out.read_text(), err.read_text(), time.monotonic() - begun)


class _Loaded:
    """The process that has the program in memory. It ends when nobody can ask any more."""

    _one = None
    _lock = threading.Lock()

    @classmethod
    def shared(cls, environment):
        with cls._lock:
            cls._one = cls._one or cls(environment)
            return cls._one

    def __init__(self, environment):
        self._process = subprocess.Popen(
            [sys.executable, "-m", "support.quick"], cwd=pathlib.Path(__file__).parents[1], env=environment, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._asking = threading.Lock()
        atexit.register(self._process.stdin.close)

    def run(self, request):
        with self._asking:
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
            return int(self._process.stdout.readline())


def _become(request):
    """In the child: everything of the process is what the request says, and then the program runs."""
    for number, path, flags in ((0, os.devnull, os.O_RDONLY), (1, request["out"], os.O_WRONLY), (2, request["err"], os.O_WRONLY)):
        opened = os.open(path, flags if number == 0 else flags | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    os.environ.clear()
    os.environ.update(request["environment"])
    os.chdir(request["home"])
    signal.alarm(int(request["seconds"]))
    sys.argv = ["apolo", *request["command"]]
    code = 0
    try:
        main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
    except BaseException:
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    import apolo_cli.admin
    import apolo_cli.service_accounts
    import apolo_cli.share
    from apolo_cli.main import main

    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            _become(json.loads(line))
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)
