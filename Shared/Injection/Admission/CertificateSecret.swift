import Foundation
import Kubernetes
import Logging
import ServiceKit
import ServiceLifecycle
import WebSocket

/// A server's certificate that stands in a Secret of the type `kubernetes.io/tls`: read at the start, and again while it is shown.
public struct CertificateSecret: Service {
    public let certificate: ServerCertificate

    private let client: KubernetesClient
    private let name: String
    private let namespace: String
    private let interval: Duration
    private let logger: Logger

    /// - Throws: ``SettingError`` when there is no such Secret or it holds no certificate.
    public init(
        _ name: String, in namespace: String, _ client: KubernetesClient, interval: Duration = .seconds(60), logger: Logger
    ) async throws {
        do {
            let (chain, key) = try await Self.read(name, namespace, client)
            certificate = try ServerCertificate(chain: chain, key: key, logger: logger)
        } catch {
            throw SettingError("The Secret \(namespace)/\(name) gives no certificate: \(error)")
        }
        self.client = client
        self.name = name
        self.namespace = namespace
        self.interval = interval
        self.logger = logger
    }

    public func run() async throws {
        try? await cancelWhenGracefulShutdown {
            while true {
                try await Task.sleep(for: interval)
                do {
                    let (chain, key) = try await Self.read(name, namespace, client)
                    try certificate.replace(chain: chain, key: key)
                } catch {
                    logger.warning(
                        "The certificate cannot be read again; the last one stays", metadata: ["secret": "\(name)", "error": "\(error)"])
                }
            }
        }
    }

    private static func read(_ name: String, _ namespace: String, _ client: KubernetesClient) async throws -> (String, String) {
        let data = try await client.get(.secrets, name, in: namespace).data ?? [:]
        guard let chain = data["tls.crt"], let key = data["tls.key"] else { throw SettingError("it has no tls.crt and tls.key") }
        return (String(decoding: chain, as: UTF8.self), String(decoding: key, as: UTF8.self))
    }
}
