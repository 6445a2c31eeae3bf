"""OCI images made here from files of this machine, and a registry on loopback that serves them: no public registry is needed."""

import gzip
import hashlib
import io
import json
import pathlib
import platform
import subprocess
import tarfile
import tempfile

NAME = "registry.local"        # what pods write; the container runtime asks the registry on loopback instead
BUSYBOX = f"{NAME}/busybox"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def server(address, folder):
    """The command of a registry that keeps its images in the folder. Writes the file that it reads."""
    folder = pathlib.Path(folder)
    (folder / "images").mkdir(parents=True, exist_ok=True)
    settings = folder / "registry.yaml"
    settings.write_text(json.dumps({
        "version": 0.1, "log": {"level": "warn", "accesslog": {"disabled": True}},
        "storage": {"filesystem": {"rootdirectory": str(folder / "images")}, "delete": {"enabled": True}},
        "http": {"addr": address},
    }))
    return ["/usr/bin/docker-registry", "serve", str(settings)]


def push(address, source, name):
    """Copies an image (skopeo's words: oci-archive:…, docker-archive:…, oci:…) into the registry; answers what a pod writes."""
    if ":" not in name.rpartition("/")[2]:
        name += ":latest"
    subprocess.run(["skopeo", "copy", "--quiet", "--insecure-policy", "--dest-tls-verify=false", source, f"docker://{address}/{name}"],
                   check=True, capture_output=True, text=True)
    return f"{NAME}/{name}"


def publish(address, name, files, config):
    """Makes an image of one layer and puts it into the registry. What is there already is not sent again."""
    with tempfile.TemporaryDirectory() as folder:
        _image(pathlib.Path(folder), files, config)
        return push(address, f"oci:{folder}:latest", name)


def publish_busybox(address):
    return publish(address, "busybox:latest", _busybox_files(), {"Cmd": ["sh"], "Env": [f"PATH={PATH}"]})


def _busybox_files():
    """A root tree: one static program under all its names, the users, a few folders. (name, content, mode); a str is a symbolic link, None a folder."""
    program = pathlib.Path("/bin/busybox")
    applets = subprocess.run([program, "--list-full"], check=True, capture_output=True, text=True).stdout.split()
    folders = ["bin", "dev", "etc", "home", "proc", "root", "sbin", "sys", "usr", "usr/bin", "usr/sbin", "var", "var/log", "www"]
    files = [(folder, None, 0o755) for folder in folders] + [("tmp", None, 0o1777), ("bin/busybox", program.read_bytes(), 0o755)]
    files += [(applet, "/bin/busybox", 0o777) for applet in applets if applet.partition("/")[0] in ("bin", "sbin", "usr") and applet != "bin/busybox"]
    files += [
        ("etc/passwd", b"root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/home:/bin/false\n", 0o644),
        ("etc/group", b"root:x:0:\nnogroup:x:65534:\n", 0o644),
        ("etc/nsswitch.conf", b"hosts: files dns\n", 0o644),
    ]
    return files


def _image(folder, files, config):
    """Writes an OCI image layout of one layer. The same files give the same digests."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, content, mode in files:
            entry = tarfile.TarInfo(name)
            entry.mode = mode
            if content is None:
                entry.type = tarfile.DIRTYPE
            elif isinstance(content, str):
                entry.type, entry.linkname = tarfile.SYMTYPE, content
            else:
                entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content) if isinstance(content, bytes) else None)
    layer = archive.getvalue()

    def blob(content):
        digest = hashlib.sha256(content).hexdigest()
        path = folder / "blobs" / "sha256" / digest
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return {"digest": f"sha256:{digest}", "size": len(content)}

    prefix = "application/vnd.oci.image."
    image = {"architecture": _architecture(), "os": "linux", "config": config,
             "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(layer).hexdigest()]}}
    manifest = {"schemaVersion": 2, "mediaType": prefix + "manifest.v1+json",
                "config": {"mediaType": prefix + "config.v1+json", **blob(json.dumps(image).encode())},
                "layers": [{"mediaType": prefix + "layer.v1.tar+gzip", **blob(gzip.compress(layer, 6, mtime=0))}]}
    index = {"schemaVersion": 2, "manifests": [{"mediaType": prefix + "manifest.v1+json", **blob(json.dumps(manifest).encode()),
                                                "annotations": {"org.opencontainers.image.ref.name": "latest"}}]}
    (folder / "index.json").write_text(json.dumps(index))
    (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')


def _architecture():
    return {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
