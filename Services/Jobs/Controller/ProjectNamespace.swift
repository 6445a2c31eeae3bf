import Kubernetes
import PlatformModel

/// The namespace of an org and project, and the policy that keeps its pods apart from others' (jobs-orchestration.md 4.2, 4.3).
struct ProjectNamespace: Sendable {
    let name: String
    let labels: [String: String]

    init(_ job: JobRecord) {
        name = job.namespace
        labels = ["platform.apolo.us/org": Self.normalized(job.org), "platform.apolo.us/project": Self.normalized(job.project)]
    }

    var namespace: Namespace { Namespace(metadata: ObjectMeta(name: name, labels: labels)) }

    /// Egress only: the same org and project, the Internet, DNS, the gateway and the API server.
    func policy(apiServers: [(address: String, ports: [Int])]) -> NetworkPolicy {
        let ranges = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"]
        let everything = LabelSelector()
        var egress = [
            NetworkPolicyRule(to: [NetworkPolicyPeer(namespaceSelector: LabelSelector(matchLabels: labels))]),
            NetworkPolicyRule(to: [NetworkPolicyPeer(ipBlock: IPBlock(cidr: "0.0.0.0/0", except: ranges))]),
            NetworkPolicyRule(
                to: ranges.map { NetworkPolicyPeer(ipBlock: IPBlock(cidr: $0)) },
                ports: [NetworkPolicyPort(port: 53, protocol: "UDP"), NetworkPolicyPort(port: 53, protocol: "TCP")]),
            NetworkPolicyRule(to: [
                NetworkPolicyPeer(
                    podSelector: LabelSelector(matchLabels: ["platform.apolo.us/component": "ingress-gateway"]),
                    namespaceSelector: everything)
            ]),
        ]
        egress += apiServers.map { server in
            NetworkPolicyRule(
                to: [
                    NetworkPolicyPeer(
                        ipBlock: IPBlock(cidr: server.address.contains(":") ? "\(server.address)/128" : "\(server.address)/32"))
                ],
                ports: server.ports.map { NetworkPolicyPort(port: $0) })
        }
        return NetworkPolicy(metadata: ObjectMeta(name: name), spec: NetworkPolicySpec(policyTypes: ["Egress"], egress: egress))
    }

    /// Addresses and ports out of the endpoints of the API server's own service.
    static func apiServers(_ endpoints: KubernetesObject) -> [(address: String, ports: [Int])] {
        (endpoints["subsets"]?.array ?? []).flatMap { subset in
            let ports = (subset["ports"]?.array ?? []).compactMap { $0["port"]?.integer.map(Int.init) }
            return (subset["addresses"]?.array ?? []).compactMap { $0["ip"]?.string }.map { ($0, ports) }
        }
    }

    /// Every run of white space, `_`, `:`, `/` or `\` becomes one `-`; lower case.
    private static func normalized(_ text: String) -> String {
        text.split(omittingEmptySubsequences: true) { $0.isWhitespace || "_:/\\".contains($0) }.joined(separator: "-").lowercased()
    }
}
