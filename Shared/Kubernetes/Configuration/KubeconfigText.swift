import Foundation

extension KubernetesConfiguration {
    /// This configuration as the text of a kubeconfig that is complete in itself: certificates and keys stand in it. A token file is named by
    /// its path, since its content changes. JSON, which is YAML: every reader of kubeconfigs takes it.
    /// - Parameter name: of the cluster, the user and the context in it.
    public func kubeconfig(name: String = "orrery") throws -> String {
        var cluster: [String: JSONValue] = ["server": .string(server)]
        switch trust {
        case .system: break
        case .authority(let certificates): cluster["certificate-authority-data"] = .string(certificates.base64EncodedString())
        case .unverified: cluster["insecure-skip-tls-verify"] = true
        }
        if let tlsServerName { cluster["tls-server-name"] = .string(tlsServerName) }
        let user: JSONValue =
            switch credentials {
            case .anonymous: [:]
            case .token(let token): ["token": .string(token)]
            case .tokenFile(let path): ["tokenFile": .string(path)]
            case .certificate(let chain, let key):
                ["client-certificate-data": .string(chain.base64EncodedString()), "client-key-data": .string(key.base64EncodedString())]
            }
        let label = JSONValue.string(name)
        let document: JSONValue = [
            "apiVersion": "v1", "kind": "Config", "current-context": label,
            "clusters": [["name": label, "cluster": .object(cluster)]], "users": [["name": label, "user": user]],
            "contexts": [["name": label, "context": ["cluster": label, "user": label, "namespace": .string(namespace)]]],
        ]
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(document), as: UTF8.self) + "\n"
    }
}
