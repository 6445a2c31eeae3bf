import Foundation

/// The namespace of an org and project, and the policy that keeps its pods apart from others'. Whichever service comes first makes both, so
/// all of them make the same.
public struct ProjectNamespace: Sendable {
    public static let orgLabel = "platform.apolo.us/org"
    public static let projectLabel = "platform.apolo.us/project"

    public let name: String
    public let labels: [String: String]

    /// - Parameter name: follows from `org` and `project` by the platform's rule.
    public init(name: String, org: String, project: String) {
        self.name = name
        labels = [Self.orgLabel: Self.normalized(org), Self.projectLabel: Self.normalized(project)]
    }

    /// Whether a namespace is of this org and project, whatever its name says.
    public func owns(_ namespace: Namespace) -> Bool { labels.allSatisfy { namespace.metadata.labels[$0.key] == $0.value } }

    /// Makes the namespace if it does not stand, and sees to its policy. May be repeated, by several processes at a time.
    /// - Parameter act: asked before every change; what it throws ends the work.
    public func ensure(on client: KubernetesClient, before act: () throws -> Void = {}) async throws {
        if try await client.find(.namespaces, name) == nil {
            try act()
            try await unlessItStands { try await client.create(.namespaces, Namespace(metadata: ObjectMeta(name: name, labels: labels))) }
        }
        let endpoints = try await client.find(.endpoints, "kubernetes", in: "default")
        let policy = policy(apiServers: endpoints.map(Self.apiServers) ?? [])
        if let standing = try await client.find(.networkPolicies, name, in: name) {
            if standing.spec?.egress == policy.spec?.egress { return }
            try act()
            let egress = try JSONDecoder().decode(JSONValue.self, from: JSONEncoder().encode(policy.spec?.egress ?? []))
            try await client.patch(.networkPolicies, name, in: name, .merge(["spec": ["egress": egress]]))
        } else {
            try act()
            try await unlessItStands { try await client.create(.networkPolicies, policy, in: name) }
        }
    }

    private func unlessItStands<T>(_ create: () async throws -> T) async throws {
        do { _ = try await create() } catch let error as KubernetesError where error.isAlreadyExists {}
    }

    /// Egress only: the same org and project, the Internet, DNS, the gateway and the API server.
    public func policy(apiServers: [(address: String, ports: [Int])]) -> NetworkPolicy {
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
    public static func apiServers(_ endpoints: KubernetesObject) -> [(address: String, ports: [Int])] {
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
