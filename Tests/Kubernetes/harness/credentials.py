"""The cluster's own certificate authority, its tokens, and a kubeconfig for whoever needs one."""

import base64
import json
import secrets
import subprocess

# Users as the API server's built-in roles know them.
USERS = {
    "admin": ("admin", ["system:masters"]),
    "controller-manager": ("system:kube-controller-manager", []),
    "scheduler": ("system:kube-scheduler", []),
    "proxy": ("system:kube-proxy", []),
    "kubelet": ("system:node:local", ["system:nodes"]),
}


def ensure(layout):
    """Makes what is missing; what is there stays, so that tokens and certificates outlive a restart."""
    pki = layout.directory("pki")
    pki.chmod(0o700)
    if not (pki / "ca.crt").exists():
        _openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "3650", "-subj", "/CN=testbed",
                 "-addext", "keyUsage=critical,keyCertSign,digitalSignature,cRLSign", "-keyout", pki / "ca.key", "-out", pki / "ca.crt")
    if not (pki / "service-account.key").exists():
        _openssl("genrsa", "-out", pki / "service-account.key", "2048")
    service = layout.services.rpartition(".")[0] + ".1"
    names = f"DNS:localhost,DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,IP:127.0.0.1,IP:{service},IP:{layout.gateway}"
    _certificate(layout, "api-server", "/CN=kube-apiserver", "serverAuth", names)
    _certificate(layout, "kubelet", "/CN=kubelet", "serverAuth", f"DNS:{layout.node},IP:127.0.0.1,IP:{layout.gateway}")
    _certificate(layout, "kubelet-client", "/O=system:masters/CN=kube-apiserver-kubelet-client", "clientAuth", None)
    tokens = layout.state.setdefault("tokens", {})
    for role in USERS:
        tokens.setdefault(role, secrets.token_urlsafe(32))
    lines = [f'{tokens[role]},{user},{role},"{",".join(groups)}"\n' for role, (user, groups) in USERS.items()]
    layout.write("pki/tokens.csv", "".join(lines))
    layout.write("pki/admin.token", tokens["admin"])
    for role in USERS:
        layout.write("kubeconfig" if role == "admin" else f"pki/{role}.kubeconfig", kubeconfig(layout, role))
    layout.save()


def kubeconfig(layout, role):
    """JSON, which is YAML: every reader of kubeconfigs takes it."""
    authority = base64.b64encode((layout.folder / "pki" / "ca.crt").read_bytes()).decode()
    document = {
        "apiVersion": "v1", "kind": "Config", "current-context": "testbed",
        "clusters": [{"name": "testbed", "cluster": {"server": layout.api_server, "certificate-authority-data": authority}}],
        "users": [{"name": role, "user": {"token": layout.state["tokens"][role]}}],
        "contexts": [{"name": "testbed", "context": {"cluster": "testbed", "user": role, "namespace": "default"}}],
    }
    return json.dumps(document, indent=2) + "\n"


def _certificate(layout, name, subject, usage, names):
    """A certificate of our authority, made anew when the names in it changed."""
    pki = layout.folder / "pki"
    wanted = f"{subject} {usage} {names}"
    if (pki / f"{name}.crt").exists() and layout.state.get("certificates", {}).get(name) == wanted:
        return
    _openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", subject,
             "-keyout", pki / f"{name}.key", "-out", pki / f"{name}.csr")
    extensions = f"basicConstraints=CA:FALSE\nextendedKeyUsage={usage}\n" + (f"subjectAltName={names}\n" if names else "")
    layout.write(f"pki/{name}.ext", extensions)
    _openssl("x509", "-req", "-days", "3650", "-CA", pki / "ca.crt", "-CAkey", pki / "ca.key", "-CAcreateserial",
             "-extfile", pki / f"{name}.ext", "-in", pki / f"{name}.csr", "-out", pki / f"{name}.crt")
    layout.state.setdefault("certificates", {})[name] = wanted


def _openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, text=True)
