"""The local platform: started for a session of tests, or one that runs already."""

import base64
import contextlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

import jwt

from .waiting import eventually

REPOSITORY = pathlib.Path(__file__).resolve().parents[3]
SERVICES = ("auth-api", "config-api", "admin-api", "jobs-api", "monitoring-api", "ingress-auth", "disk-api")


class Part:
    """One process of the platform, under the eye of its supervisor."""

    def __init__(self, run, name):
        self.name = name
        self._pid = run / "parts" / f"{name}.pid"
        self._environment = run / "parts" / f"{name}.env"
        self._held = run / "held" / name

    @property
    def pid(self):
        """The process that runs now, or None."""
        try:
            pid = int(self._pid.read_text())
            os.kill(pid, 0)
            return pid
        except (FileNotFoundError, ValueError, ProcessLookupError):
            return None

    @property
    def environment(self):
        return dict(line.split("=", 1) for line in self._environment.read_text().splitlines())

    @property
    def executable(self):
        return os.readlink(f"/proc/{self.pid}/exe")

    def send(self, number):
        os.kill(self.pid, number)

    def kill(self, number=signal.SIGKILL):
        """Ends the process and returns when it is gone. The supervisor starts another."""
        pid = self.pid
        assert pid, f"{self.name} does not run"
        os.kill(pid, number)
        eventually(f"{self.name} (process {pid}) ends after signal {int(number)}", lambda: self.pid != pid, 30, 0.02)
        return pid

    @contextlib.contextmanager
    def away(self, number=signal.SIGKILL):
        """Ends the process and keeps the supervisor from starting it again inside the block."""
        self._held.parent.mkdir(exist_ok=True)
        self._held.touch()
        try:
            self.kill(number)
            yield
        finally:
            self._held.unlink(missing_ok=True)
        eventually(f"{self.name} runs again", lambda: self.pid, 30, 0.05)


class Platform:
    def __init__(self, run, started):
        self.run = pathlib.Path(run).resolve()
        self._started = started
        self.scratch = pathlib.Path(tempfile.mkdtemp(prefix="orrery-clients."))
        self.url = (self.run / "ready").read_text().strip()
        self.api = f"{self.url}/api/v1"
        self.admin_api = f"{self.url}/apis/admin/v1"
        self.monitoring = f"{self.url}/clusters/default/api/v1/jobs"
        self.kubeconfig = self.run / "kubeconfig"

    @classmethod
    def begin(cls):
        """The platform in ORRERY_CONFORMANCE_RUN, or a new one of the executables in ORRERY_CONFORMANCE_BINARIES."""
        running = os.environ.get("ORRERY_CONFORMANCE_RUN")
        if running:
            return cls(running, started=False)
        binaries = os.environ.get("ORRERY_CONFORMANCE_BINARIES", REPOSITORY / ".build/debug")
        run = pathlib.Path(tempfile.mkdtemp(prefix="orrery-test."))
        run.chmod(0o711)     # Postgres runs as a user of its own
        cluster = os.environ.get("ORRERY_CONFORMANCE_CLUSTER", "embedded")
        result = subprocess.run(
            [REPOSITORY / "Local/setup/start", "--detach", run, binaries, "--cluster", cluster, "--cluster-faults", "--port", "0"],
            # Debug builds hash passwords slowly: fewer rounds than the platform's own.
            env=os.environ | {"ORRERY_PASSWORD_COST": "12"}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        assert result.returncode == 0, f"the platform did not start; see {run}/logs\n{result.stdout}"
        return cls(run, started=True)

    def end(self, keep):
        """Stops what `begin` started; its folder stays when something failed."""
        shutil.rmtree(self.scratch, ignore_errors=True)
        if not self._started:
            return
        subprocess.run([REPOSITORY / "Local/setup/stop", self.run], check=True, stdout=subprocess.DEVNULL)
        if keep:
            print(f"\nlogs of the platform: {self.run}/logs")
        else:
            shutil.rmtree(self.run, ignore_errors=True)

    def part(self, name):
        return Part(self.run, name)

    @property
    def admin_token(self):
        return (self.run / "admin-token").read_text().strip()

    def service_url(self, name, *, metrics=False):
        """The address of one service itself, past the gateway."""
        return f"http://127.0.0.1:{self.part(name).environment['ORRERY_METRICS_PORT' if metrics else 'ORRERY_HTTP_PORT']}"

    def token(self, user, *, seconds):
        """A token of that user which the platform's own key signed and which ends in so many seconds (negative: ended)."""
        header = json.loads(_unpadded(self.admin_token.split(".")[0]))
        key = (self.run / "secrets/auth-api/auth-signing-keys").read_text()
        claims = {"https://platform.neuromation.io/user": user, "identity": user, "exp": int(time.time()) + seconds}
        return jwt.encode(claims, key, algorithm="ES256", headers={"kid": header["kid"]})


def _unpadded(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
