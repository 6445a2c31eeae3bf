"""What a testbed needs of the machine, and gives back: a mount namespace, a bridge, cgroups, and the rules of kube-proxy.

containerd, kubelet and every shim live in a mount namespace of their own. The places whose paths they do not let us choose (pod logs,
device plugins, network namespaces, shim sockets) are private there, so that two testbeds never meet; and whatever they mount ends with
the namespace's last process, also after a crash.
"""

import contextlib
import pathlib
import re
import subprocess
import time

from .processes import Process, kill_all, running, send, with_argument

CGROUPS = pathlib.Path("/sys/fs/cgroup")
FORWARDING = pathlib.Path("/proc/sys/net/ipv4/ip_forward")

# Ends as soon as it is told to; holds the namespace until then.
NAMESPACE = r"""
set -e
run=$1
mount --make-rshared /
for place in /run/netns /run/containerd /var/lib/kubelet /var/lib/cni; do
    mkdir -p "$place"
    mount -t tmpfs -o mode=0755 testbed "$place"
done
mount --make-rshared /run/netns
for place in pods containers; do
    mkdir -p "/var/log/$place" "$run/logs/$place"
    mount --bind "$run/logs/$place" "/var/log/$place"
done
: >"$run/namespace.ready"
exec sleep infinity
"""


def run(*command, check=True, text=None):
    return subprocess.run([str(word) for word in command], input=text, capture_output=True, text=True, check=check)


# Mount namespace

def enter_namespace(layout):
    """The words before a command that put it into the testbed's mount namespace, which exists from here on."""
    holder = Process(layout, "namespace")
    if holder.pid is None:
        ready = layout.folder / "namespace.ready"
        ready.unlink(missing_ok=True)
        child = holder.start(["unshare", "--mount", "--propagation", "slave", "--", "/bin/sh", "-c", NAMESPACE, "namespace", layout.folder])
        deadline = time.monotonic() + 20
        while not ready.exists():
            if child.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"no mount namespace:\n{holder.last_words()}")
            time.sleep(0.01)
    return ["nsenter", f"--mount=/proc/{holder.pid}/ns/mnt", "--"]


# Network

def make_bridge(layout):
    """The pods' bridge, made before kubelet starts since its address is the node's."""
    if run("ip", "link", "show", layout.bridge, check=False).returncode != 0:
        layout.state["forwarding"] = FORWARDING.read_text().strip()
        layout.save()
        run("ip", "link", "add", layout.bridge, "type", "bridge")
    run("ip", "address", "replace", f"{layout.gateway}/24", "dev", layout.bridge)
    run("ip", "link", "set", layout.bridge, "up")


def remove_bridge(layout):
    run("ip", "link", "delete", layout.bridge, check=False)
    others = [name for name in pathlib.Path("/sys/class/net").iterdir() if re.fullmatch(r"orr[0-9a-f]{8}", name.name)]
    if not others and layout.state.get("forwarding") == "0":
        FORWARDING.write_text("0\n")


def service_rules_are_foreign(layout):
    """kube-proxy owns its chains alone: whether another one, of this machine or of another testbed, is at work. What a dead one left is nobody's."""
    return not layout.state.get("service-rules") and running("kube-proxy")


def remove_service_rules(layout):
    """Takes out every chain of kube-proxy and every rule that leads to one, and nothing else."""
    if not layout.state.pop("service-rules", None):
        return
    layout.save()
    for tool in ("iptables", "ip6tables"):
        for table in ("nat", "filter", "mangle"):
            saved = run(f"{tool}-save", "-t", table, check=False)
            lines = saved.stdout.splitlines()
            chains = [line[1:].split()[0] for line in lines if line.startswith(":KUBE-")]
            rules = [line for line in lines if line.startswith("-A ") and "KUBE-" in line and not line.startswith("-A KUBE-")]
            edits = ["-D" + rule[2:] for rule in rules] + [f"-F {chain}" for chain in chains] + [f"-X {chain}" for chain in chains]
            if edits:
                run(f"{tool}-restore", "--noflush", text="\n".join([f"*{table}", *edits, "COMMIT", ""]))


# Control groups

def hierarchies():
    """Where a control group of ours has to be made: once per hierarchy of version 1, once for version 2."""
    if (CGROUPS / "cgroup.controllers").exists():
        return [CGROUPS]
    return [entry for entry in CGROUPS.iterdir() if (entry / "cgroup.procs").exists() and not entry.is_symlink()]


def make_cgroups(layout):
    for hierarchy in hierarchies():
        group = hierarchy / layout.cgroup
        group.mkdir(exist_ok=True)
        for setting in ("cpuset.cpus", "cpuset.mems"):    # version 1 leaves them empty, and then nothing may run inside
            with contextlib.suppress(OSError):
                if not (group / setting).read_text().strip():
                    (group / setting).write_text((hierarchy / setting).read_text())
        with contextlib.suppress(OSError):
            available = (hierarchy / "cgroup.controllers").read_text().split()
            (hierarchy / "cgroup.subtree_control").write_text(" ".join(f"+{name}" for name in available))
            (group / "cgroup.subtree_control").write_text(" ".join(f"+{name}" for name in available))


def _inside(layout):
    found = set()
    for hierarchy in hierarchies():
        for members in (hierarchy / layout.cgroup).rglob("cgroup.procs"):
            with contextlib.suppress(OSError):
                found.update(int(pid) for pid in members.read_text().split())
    return found


def remove_cgroups(layout):
    for hierarchy in hierarchies():
        groups = sorted((entry for entry in (hierarchy / layout.cgroup).rglob("*") if entry.is_dir()), key=lambda entry: -len(entry.parts))
        for group in [*groups, hierarchy / layout.cgroup]:
            for _ in range(50):
                try:
                    group.rmdir()
                except FileNotFoundError:
                    break
                except OSError:
                    time.sleep(0.02)
                else:
                    break


# The end of everything that runs

def kill_containers(layout):
    """Ends every container and shim. Says what is left, in a sentence, or None."""
    for hierarchy in hierarchies():
        if hierarchy.name == "freezer":
            for state in (hierarchy / layout.cgroup).rglob("freezer.state"):
                with contextlib.suppress(OSError):
                    state.write_text("THAWED")
    shims = lambda: with_argument(str(layout.containerd_socket))
    if not kill_all(shims):
        return "shims that do not end"
    if not kill_all(lambda: _inside(layout)):
        return "containers that do not end"
    return None
