"""Where a testbed keeps what it has: the run folder, its ports and addresses, chosen once and kept as long as they are free."""

import contextlib
import fcntl
import hashlib
import json
import os
import pathlib
import socket
import subprocess


class TestbedError(Exception):
    """Something the caller has to know, in one sentence."""


class Layout:
    """The run folder. Everything of a testbed lies under it, so removing it (after `stop`) removes the testbed."""

    PORTS = ("etcd", "etcd-peer", "api-server", "controller-manager", "scheduler", "kubelet", "kubelet-health", "proxy-health",
             "proxy-metrics", "registry", "streaming")

    def __init__(self, folder):
        self.folder = pathlib.Path(folder).absolute().resolve()
        if len(str(self.folder)) > 70:
            raise TestbedError(f"{self.folder}: too long for the sockets inside it; choose a run folder of at most 70 characters")
        self.identity = hashlib.sha256(str(self.folder).encode()).hexdigest()[:8]
        self.bridge = f"orr{self.identity}"
        self.cgroup = f"orrery-{self.identity}"
        self.node = "local"
        self.containerd_socket = self.folder / "containerd.sock"
        self.kubeconfig = self.folder / "kubeconfig"
        self.state = {}
        with contextlib.suppress(FileNotFoundError, json.JSONDecodeError):
            self.state = json.loads((self.folder / "state.json").read_text())

    def path(self, *parts):
        """A path inside the run folder, its parent made."""
        path = self.folder.joinpath(*parts)
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def directory(self, *parts):
        path = self.folder.joinpath(*parts)
        path.mkdir(parents=True, exist_ok=True)
        return path

    def write(self, name, text, mode=0o600):
        """Writes a file by rename: who reads it sees the old or the new one."""
        path = self.path(name)
        temporary = path.with_name(path.name + ".new")
        temporary.write_text(text)
        temporary.chmod(mode)
        temporary.rename(path)
        return path

    def save(self):
        self.write("state.json", json.dumps(self.state, indent=2) + "\n")

    @contextlib.contextmanager
    def locked(self):
        """One start or stop at a time."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with open(self.folder / "lock", "w", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    # Ports and addresses

    def port(self, name):
        return self.state["ports"][name]

    @property
    def registry(self):
        return f"127.0.0.1:{self.port('registry')}"

    @property
    def api_server(self):
        return f"https://127.0.0.1:{self.port('api-server')}"

    @property
    def gateway(self):
        """The bridge's address: the node's address, the way from a pod to this machine."""
        return f"198.18.{self.state['network']}.1"

    @property
    def pods(self):
        return f"198.18.{self.state['network']}.0/24"

    @property
    def services(self):
        return f"198.19.{self.state['network']}.0/24"

    def choose(self):
        """Ports and networks for a start from nothing: the ones of the last start where they are still free, so that addresses last."""
        ports = self.state.setdefault("ports", {})
        held = []
        for name in self.PORTS:
            preferred = ports.get(name) or (5000 if name == "registry" else None)
            listener = next(filter(None, map(_listener, [*([preferred] if preferred else []), *_candidates(self.identity)])))
            held.append(listener)
            ports[name] = listener.getsockname()[1]
        for listener in held:
            listener.close()
        taken = subprocess.run(["ip", "-4", "-oneline", "address"], capture_output=True, text=True, check=True).stdout
        wish = self.state.get("network", int(self.identity, 16) % 256)
        for network in [*range(wish, 256), *range(wish)]:
            if f" 198.18.{network}." not in taken:
                self.state["network"] = network
                break
        self.save()


def _candidates(identity):
    """Ports below those that the kernel gives to outgoing connections: one of those would take the place of a component that is away for a while."""
    low = int(pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    first, last = (low - 8000, low - 1) if low > 16000 else (low, 60000)
    begin = int(identity, 16) % (last - first)
    return [first + (begin + step) % (last - first) for step in range(last - first)]


def _listener(port):
    listener = socket.socket()
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("0.0.0.0", port))
        listener.listen()
        return listener
    except OSError:
        listener.close()
        return None


def kubernetes_binaries():
    """The folder of the Kubernetes binaries, or None: `TESTBED_BINARIES`, else the newest finished build."""
    if given := os.environ.get("TESTBED_BINARIES"):
        return pathlib.Path(given)
    builder = pathlib.Path(__file__).parent.parent / "build"
    found = subprocess.run([builder, "--find"], capture_output=True, text=True, check=False).stdout.strip()
    return pathlib.Path(found) if found else None
