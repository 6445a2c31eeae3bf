import Foundation
import Yams

/// The kubeconfig file format, as far as clusters, users and contexts go. `exec` and `auth-provider` users need another program and are refused.
struct Kubeconfig: Decodable {
    struct Named<Value: Decodable>: Decodable {
        let name: String
        let value: Value
        init(from decoder: any Decoder) throws {
            let box = try decoder.container(keyedBy: AnyKey.self)
            name = try box.decode(String.self, forKey: AnyKey("name"))
            let key = box.allKeys.first { $0.stringValue != "name" } ?? AnyKey("value")
            value = try box.decode(Value.self, forKey: key)
        }
    }
    struct Cluster: Decodable {
        let server: String
        let authorityFile: String?
        let authorityData: String?
        let insecure: Bool?
        let serverName: String?
        enum CodingKeys: String, CodingKey {
            case server, authorityFile = "certificate-authority", authorityData = "certificate-authority-data"
            case insecure = "insecure-skip-tls-verify", serverName = "tls-server-name"
        }
    }
    struct User: Decodable {
        let token: String?
        let tokenFile: String?
        let certificateFile: String?
        let certificateData: String?
        let keyFile: String?
        let keyData: String?
        let isExternal: Bool
        enum CodingKeys: String, CodingKey {
            case token, tokenFile, exec, certificateFile = "client-certificate", certificateData = "client-certificate-data"
            case keyFile = "client-key", keyData = "client-key-data", authProvider = "auth-provider"
        }
        init(from decoder: any Decoder) throws {
            let box = try decoder.container(keyedBy: CodingKeys.self)
            token = try box.decodeIfPresent(String.self, forKey: .token)
            tokenFile = try box.decodeIfPresent(String.self, forKey: .tokenFile)
            certificateFile = try box.decodeIfPresent(String.self, forKey: .certificateFile)
            certificateData = try box.decodeIfPresent(String.self, forKey: .certificateData)
            keyFile = try box.decodeIfPresent(String.self, forKey: .keyFile)
            keyData = try box.decodeIfPresent(String.self, forKey: .keyData)
            isExternal = box.contains(.exec) || box.contains(.authProvider)
        }
    }
    struct Context: Decodable {
        let cluster: String
        let user: String?
        let namespace: String?
    }

    let currentContext: String?
    let clusters: [Named<Cluster>]
    let users: [Named<User>]?
    let contexts: [Named<Context>]?
    enum CodingKeys: String, CodingKey { case currentContext = "current-context", clusters, users, contexts }
}

extension KubernetesConfiguration {
    /// Reads a kubeconfig file; relative paths inside are relative to it.
    /// - Parameter context: nil takes the current context, or the only one, or the first cluster when the file has no contexts.
    public static func kubeconfig(path: String, context: String? = nil) throws(KubernetesError) -> Self {
        guard let data = FileManager.default.contents(atPath: path) else { throw .configuration("the kubeconfig \(path) cannot be read") }
        return try kubeconfig(
            text: String(decoding: data, as: UTF8.self), context: context, folder: (path as NSString).deletingLastPathComponent)
    }

    /// Reads kubeconfig text (YAML or JSON).
    public static func kubeconfig(text: String, context name: String? = nil, folder: String = ".") throws(KubernetesError) -> Self {
        let file: Kubeconfig
        do {
            file = try YAMLDecoder().decode(Kubeconfig.self, from: text)
        } catch {
            throw .configuration("the kubeconfig is malformed: \(error)")
        }
        let contexts = file.contexts ?? []
        let wanted = name ?? file.currentContext.flatMap { $0.isEmpty ? nil : $0 }
        let context = wanted == nil ? contexts.first?.value : contexts.first { $0.name == wanted }?.value
        if let wanted, context == nil { throw .configuration("the kubeconfig has no context \"\(wanted)\"") }
        guard let cluster = context == nil ? file.clusters.first?.value : file.clusters.first(where: { $0.name == context?.cluster })?.value
        else { throw .configuration("the kubeconfig has no cluster \"\(context?.cluster ?? "")\"") }
        let user = context?.user.flatMap { name in file.users?.first { $0.name == name }?.value }
        if let missing = context?.user, user == nil { throw .configuration("the kubeconfig has no user \"\(missing)\"") }

        let reader = KubeconfigReader(folder: folder)
        var configuration = Self(server: cluster.server)
        if cluster.insecure == true {
            configuration.trust = .unverified
        } else if let authority = try reader.bytes(data: cluster.authorityData, file: cluster.authorityFile) {
            configuration.trust = .authority(authority)
        }
        configuration.tlsServerName = cluster.serverName
        if let namespace = context?.namespace, !namespace.isEmpty { configuration.namespace = namespace }
        if let user { configuration.credentials = try reader.credentials(user) }
        return configuration
    }
}

/// Resolves the data-or-file pairs of a kubeconfig.
private struct KubeconfigReader {
    let folder: String

    func path(_ file: String) -> String { file.hasPrefix("/") ? file : folder + "/" + file }

    func bytes(data: String?, file: String?) throws(KubernetesError) -> Data? {
        if let data, !data.isEmpty {
            guard let bytes = Data(base64Encoded: data, options: .ignoreUnknownCharacters) else {
                throw .configuration("the kubeconfig holds data that is not base64")
            }
            return bytes
        }
        guard let file, !file.isEmpty else { return nil }
        guard let bytes = FileManager.default.contents(atPath: path(file)) else {
            throw .configuration("the file \(path(file)), named in the kubeconfig, cannot be read")
        }
        return bytes
    }

    func credentials(_ user: Kubeconfig.User) throws(KubernetesError) -> KubernetesConfiguration.Credentials {
        // The order of kubectl: a file goes before a token, a token before a certificate.
        if let file = user.tokenFile, !file.isEmpty { return .tokenFile(path(file)) }
        if let token = user.token, !token.isEmpty { return .token(token) }
        if let chain = try bytes(data: user.certificateData, file: user.certificateFile),
            let key = try bytes(data: user.keyData, file: user.keyFile)
        {
            return .certificate(chain: chain, key: key)
        }
        if user.isExternal { throw .configuration("the kubeconfig user needs an external program (exec), which is not supported") }
        return .anonymous
    }
}
