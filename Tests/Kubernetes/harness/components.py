"""The components of the testbed in the order they start: what each is run with, and how it shows that it is ready."""

import datetime
import json
import os
import socket

from . import api, machine
from .images import oci

ORDER = ("etcd", "registry", "kube-apiserver", "containerd", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy")


def command(layout, binaries, name):
    """The command line of a component; writes the files it reads."""
    return {
        "etcd": _etcd, "registry": _registry, "kube-apiserver": _api_server, "containerd": _containerd, "kubelet": _kubelet,
        "kube-controller-manager": _controller_manager, "kube-scheduler": _scheduler, "kube-proxy": _proxy,
    }[name](layout, binaries)


def is_ready(layout, name, since):
    """Whether the component does its work. `since`: when the testbed was started; older signs of life of the node do not count."""
    def healthy(port):
        return api.answers(f"http://127.0.0.1:{layout.port(port)}/healthz")

    if name == "etcd":
        return api.answers(f"http://127.0.0.1:{layout.port('etcd')}/health")
    if name == "registry":
        return api.answers(f"http://{layout.registry}/v2/")
    if name == "kube-apiserver":
        return api.get(layout, "/readyz") == "ok"
    if name == "containerd":
        with socket.socket(socket.AF_UNIX) as connection:
            return connection.connect_ex(str(layout.containerd_socket)) == 0
    if name == "kube-controller-manager":
        account = api.get(layout, "/api/v1/namespaces/default/serviceaccounts/default")
        return bool(account and account.get("secrets"))      # without it no pod is admitted
    if name == "kubelet":
        return healthy("kubelet-health") and _node_is_ready(layout, since)
    if name == "kube-proxy":
        return healthy("proxy-health")
    return True


def _node_is_ready(layout, since):
    node = api.get(layout, f"/api/v1/nodes/{layout.node}")
    for condition in (node or {}).get("status", {}).get("conditions", []):
        if condition["type"] == "Ready":
            beat = datetime.datetime.fromisoformat(condition["lastHeartbeatTime"].replace("Z", "+00:00")).timestamp()
            return condition["status"] == "True" and beat >= int(since) and not node["spec"].get("taints")
    return False


def _etcd(layout, _):
    client = f"http://127.0.0.1:{layout.port('etcd')}"
    peer = f"http://127.0.0.1:{layout.port('etcd-peer')}"
    return ["/usr/bin/etcd", "--name=testbed", f"--data-dir={layout.directory('etcd')}", "--unsafe-no-fsync", "--logger=zap", "--log-level=warn",
            f"--listen-client-urls={client}", f"--advertise-client-urls={client}",
            f"--listen-peer-urls={peer}", f"--initial-advertise-peer-urls={peer}", f"--initial-cluster=testbed={peer}", "--force-new-cluster"]


def _registry(layout, _):
    return oci.server(layout.registry, layout.directory("registry"))


def _api_server(layout, binaries):
    pki = layout.folder / "pki"
    # All addresses, since pods reach it by the bridge's; every request needs a token or a certificate of this testbed.
    return [binaries / "kube-apiserver", f"--etcd-servers=http://127.0.0.1:{layout.port('etcd')}",
            "--bind-address=0.0.0.0", f"--secure-port={layout.port('api-server')}", f"--advertise-address={layout.gateway}",
            f"--tls-cert-file={pki / 'api-server.crt'}", f"--tls-private-key-file={pki / 'api-server.key'}",
            f"--client-ca-file={pki / 'ca.crt'}", f"--token-auth-file={pki / 'tokens.csv'}", "--authorization-mode=Node,RBAC",
            "--service-account-issuer=https://kubernetes.default.svc", f"--service-account-key-file={pki / 'service-account.key'}",
            f"--service-account-signing-key-file={pki / 'service-account.key'}", f"--service-cluster-ip-range={layout.services}",
            f"--kubelet-client-certificate={pki / 'kubelet-client.crt'}", f"--kubelet-client-key={pki / 'kubelet-client.key'}",
            "--kubelet-preferred-address-types=InternalIP", "--allow-privileged=true", f"--cert-dir={pki}"]


def _controller_manager(layout, binaries):
    pki = layout.folder / "pki"
    return [binaries / "kube-controller-manager", f"--kubeconfig={pki / 'controller-manager.kubeconfig'}", "--leader-elect=false",
            # Volumes and claims are otherwise looked at once in 15 s.
            "--pvclaimbinder-sync-period=1s",
            "--bind-address=127.0.0.1", f"--secure-port={layout.port('controller-manager')}", "--port=0", f"--cert-dir={pki / 'controller-manager'}",
            f"--service-account-private-key-file={pki / 'service-account.key'}", f"--root-ca-file={pki / 'ca.crt'}",
            "--use-service-account-credentials=true", "--kube-api-qps=200", "--kube-api-burst=400", "--node-monitor-period=2s"]


def _scheduler(layout, binaries):
    pki = layout.folder / "pki"
    return [binaries / "kube-scheduler", f"--kubeconfig={pki / 'scheduler.kubeconfig'}", "--leader-elect=false", "--bind-address=127.0.0.1",
            f"--secure-port={layout.port('scheduler')}", "--port=0", f"--cert-dir={pki / 'scheduler'}", "--kube-api-qps=200", "--kube-api-burst=400"]


def _containerd(layout, _):
    network = {
        "cniVersion": "0.4.0", "name": "pods",
        "plugins": [{
            "type": "bridge", "bridge": layout.bridge, "isGateway": True, "ipMasq": False, "hairpinMode": True,
            "ipam": {"type": "host-local", "dataDir": str(layout.folder / "network" / "leases"), "ranges": [[{"subnet": layout.pods}]],
                     "routes": [{"dst": "0.0.0.0/0"}]},
        }],
    }
    layout.write("network/configuration/pods.conflist", json.dumps(network, indent=2))
    mirror = f'server = "http://{layout.registry}"\n[host."http://{layout.registry}"]\n  capabilities = ["pull", "resolve"]\n'
    layout.write(f"mirrors/{oci.NAME}/hosts.toml", mirror)
    settings = f"""\
version = 2
root = "{layout.directory('containerd')}"
state = "/run/containerd"
disabled_plugins = ["io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper",
                    "io.containerd.snapshotter.v1.zfs", "io.containerd.internal.v1.opt", "io.containerd.tracing.processor.v1.otlp"]
[grpc]
  address = "{layout.containerd_socket}"
[debug]
  level = "warn"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{oci.NAME}/pause:latest"
  restrict_oom_score_adj = true
  stream_server_address = "127.0.0.1"
  stream_server_port = "{layout.port('streaming')}"
  max_concurrent_downloads = 8
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "{layout.folder / 'network' / 'configuration'}"
  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = "{layout.folder / 'mirrors'}"
"""
    return [*machine.enter_namespace(layout), "/usr/bin/containerd", "--config", layout.write("containerd.toml", settings)]


def _kubelet(layout, binaries):
    pki = layout.folder / "pki"
    settings = {
        "apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration",
        "address": layout.gateway, "port": layout.port("kubelet"), "readOnlyPort": 0,
        "healthzBindAddress": "127.0.0.1", "healthzPort": layout.port("kubelet-health"),
        "tlsCertFile": str(pki / "kubelet.crt"), "tlsPrivateKeyFile": str(pki / "kubelet.key"),
        "authentication": {"anonymous": {"enabled": False}, "webhook": {"enabled": False}, "x509": {"clientCAFile": str(pki / "ca.crt")}},
        "authorization": {"mode": "AlwaysAllow"},
        "cgroupDriver": "cgroupfs", "cgroupRoot": f"/{layout.cgroup}", "enforceNodeAllocatable": [], "failSwapOn": False,
        # Nobody answers DNS there: a name that is not in /etc/hosts fails at once.
        "clusterDomain": "cluster.local", "clusterDNS": [layout.gateway],
        # kube-proxy makes the chains that it needs; without it there are none.
        "makeIPTablesUtilChains": False,
        # A shared disk that is fairly full is not the tests' subject.
        "evictionHard": {"memory.available": "64Mi", "nodefs.available": "1%", "imagefs.available": "1%", "nodefs.inodesFree": "1%"},
        "imageGCHighThresholdPercent": 100, "imageGCLowThresholdPercent": 99,
        # Nothing waits for its turn.
        "serializeImagePulls": False, "registryPullQPS": 0, "eventRecordQPS": 0, "kubeAPIQPS": 200, "kubeAPIBurst": 400,
        "syncFrequency": "10s", "nodeStatusUpdateFrequency": "5s", "nodeStatusReportFrequency": "30s", "maxPods": 200,
        "streamingConnectionIdleTimeout": "24h", "volumePluginDir": str(layout.directory("kubelet", "volume-plugins")),
        "maxOpenFiles": os.sysconf("SC_OPEN_MAX"),
    }
    return [*machine.enter_namespace(layout), binaries / "kubelet", f"--config={layout.write('kubelet.json', json.dumps(settings, indent=2))}",
            f"--kubeconfig={pki / 'kubelet.kubeconfig'}", f"--root-dir={layout.directory('kubelet')}", f"--cert-dir={pki / 'kubelet'}",
            f"--hostname-override={layout.node}", f"--node-ip={layout.gateway}",
            "--container-runtime=remote", f"--container-runtime-endpoint=unix://{layout.containerd_socket}"]


def _proxy(layout, binaries):
    settings = {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1", "kind": "KubeProxyConfiguration", "mode": "iptables",
        "clientConnection": {"kubeconfig": str(layout.folder / "pki" / "proxy.kubeconfig")}, "hostnameOverride": layout.node,
        "bindAddress": "127.0.0.1", "clusterCIDR": layout.pods, "iptables": {"masqueradeAll": True, "minSyncPeriod": "0s"},
        "healthzBindAddress": f"127.0.0.1:{layout.port('proxy-health')}", "metricsBindAddress": f"127.0.0.1:{layout.port('proxy-metrics')}",
        # 0: leave the machine's connection tracking as it is.
        "conntrack": {"maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"},
    }
    return [binaries / "kube-proxy", f"--config={layout.write('proxy.json', json.dumps(settings, indent=2))}"]
