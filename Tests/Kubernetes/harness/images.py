"""The images that the testbed's own registry holds from the start."""

import pathlib
import sys

sys.path.append(str(pathlib.Path(__file__).resolve().parents[3] / "Local" / "Registry"))

import oci  # noqa: E402


def publish(layout, binaries):
    """Puts `busybox` and the pods' own `pause` into the registry."""
    oci.publish_busybox(layout.registry)
    oci.publish(layout.registry, "pause:latest", [("pause", (binaries / "pause").read_bytes(), 0o755)],
                {"Entrypoint": ["/pause"], "User": "65535:65535"})
