"""Pods made past the platform."""

from .waiting import eventually

BUSYBOX = "registry.local/busybox"


def manifest(name, script, *, limits=None, image=BUSYBOX, **spec):
    """A pod that runs a script once."""
    container = {"name": "main", "image": image, "command": ["sh", "-c", script]}
    if limits:
        container["resources"] = {"limits": limits, "requests": limits}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": {"app": name}},
            "spec": {"containers": [container], "restartPolicy": "Never", "terminationGracePeriodSeconds": 1,
                     "automountServiceAccountToken": False} | spec}


def phase(cluster, space, name):
    return ((cluster.api.pod(space, name) or {}).get("status") or {}).get("phase")


def terminated(cluster, space, name, timeout=60):
    """The end of the pod's container, as its status tells."""
    def ended():
        statuses = (cluster.api.pod(space, name) or {}).get("status", {}).get("containerStatuses") or [{}]
        return statuses[0].get("state", {}).get("terminated")
    return eventually(f"the container of {name} ends", ended, timeout)
