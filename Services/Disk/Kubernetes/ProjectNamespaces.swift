import Kubernetes
import PlatformModel

/// The namespace of an org and project, and the policy that keeps its pods apart from others' (disk.md 8.3). Made by whichever service needs it
/// first; jobs-api brings the policy up to date.
struct ProjectNamespaces: Sendable {
    let client: KubernetesClient

    /// - Throws: `DiskRefusal.placeUnusable` for a namespace that is another's or on its way out.
    func ensure(_ place: DiskPlace) async throws {
        let labels = ["platform.apolo.us/org": place.org.text, "platform.apolo.us/project": place.project.text]
        if let standing = try await client.find(.namespaces, place.namespace) {
            guard standing.metadata.deletionTimestamp == nil else { throw DiskRefusal.placeUnusable("The project is being removed.") }
            guard labels.allSatisfy({ key, value in standing.metadata.labels[key].map { $0 == value } ?? true }) else {
                throw DiskRefusal.placeUnusable("The project's place in the cluster is taken by another project.")
            }
        } else {
            try await unlessItStands {
                try await client.create(.namespaces, Namespace(metadata: ObjectMeta(name: place.namespace, labels: labels)))
            }
        }
        guard try await client.find(.networkPolicies, place.namespace, in: place.namespace) == nil else { return }
        let endpoints = try await client.find(.endpoints, "kubernetes", in: "default")
        let policy = Self.policy(place.namespace, labels, apiServers: endpoints.map(Self.addresses) ?? [])
        try await unlessItStands { try await client.create(.networkPolicies, policy, in: place.namespace) }
    }

    /// Egress only: the same org and project, the Internet, DNS, the gateway and the API server.
    private static func policy(
        _ name: String, _ labels: [String: String], apiServers: [(address: String, ports: [Int])]
    ) -> NetworkPolicy {
        let ranges = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"]
        let gateway = LabelSelector(matchLabels: ["platform.apolo.us/component": "ingress-gateway"])
        let egress = [
            NetworkPolicyRule(to: [NetworkPolicyPeer(namespaceSelector: LabelSelector(matchLabels: labels))]),
            NetworkPolicyRule(to: [NetworkPolicyPeer(ipBlock: IPBlock(cidr: "0.0.0.0/0", except: ranges))]),
            NetworkPolicyRule(
                to: ranges.map { NetworkPolicyPeer(ipBlock: IPBlock(cidr: $0)) },
                ports: [NetworkPolicyPort(port: 53, protocol: "UDP"), NetworkPolicyPort(port: 53, protocol: "TCP")]),
            NetworkPolicyRule(to: [NetworkPolicyPeer(podSelector: gateway, namespaceSelector: LabelSelector())]),
        ]
        let servers = apiServers.map { server in
            let bits = server.address.contains(":") ? 128 : 32
            return NetworkPolicyRule(
                to: [NetworkPolicyPeer(ipBlock: IPBlock(cidr: "\(server.address)/\(bits)"))],
                ports: server.ports.map { NetworkPolicyPort(port: $0) })
        }
        return NetworkPolicy(
            metadata: ObjectMeta(name: name), spec: NetworkPolicySpec(policyTypes: ["Egress"], egress: egress + servers))
    }

    private static func addresses(_ endpoints: KubernetesObject) -> [(address: String, ports: [Int])] {
        (endpoints["subsets"]?.array ?? []).flatMap { subset in
            let ports = (subset["ports"]?.array ?? []).compactMap { $0["port"]?.integer.map(Int.init) }
            return (subset["addresses"]?.array ?? []).compactMap { $0["ip"]?.string }.map { ($0, ports) }
        }
    }

    private func unlessItStands<T>(_ create: () async throws -> T) async throws {
        do { _ = try await create() } catch let error as KubernetesError where error.isAlreadyExists {}
    }
}
