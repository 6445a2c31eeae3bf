import Foundation
import Kubernetes
import ServiceKit
import ServiceLifecycle
import WebSocket

/// An admission webhook as the settings of a service want it: a second server of its process, over TLS alone.
public struct AdmissionServer: Sendable {
    /// What is to run.
    public let services: [any Service]

    /// - Parameters:
    ///   - word: what the settings are called by: `storage` reads `ORRERY_STORAGE_ADMISSION_PORT`, `…_CERTIFICATE`, `…_KEY`, `…_SECRET`.
    ///   - path: where reviews are asked for.
    ///   - pong: what probes hear.
    ///   - kubernetes: where a Secret with the certificate is; not asked for without one.
    ///   - reviewer: made only if the webhook is switched on.
    /// - Returns: nil when it is not switched on: no port is set.
    /// - Throws: ``SettingError``, and what `reviewer` throws.
    public init?(
        _ context: ServiceContext, of word: String, path: String, pong: String = "Pong", kubernetes: () throws -> KubernetesClient,
        reviewer: () async throws -> some AdmissionReviewer
    ) async throws {
        let settings = context.settings
        guard settings.optional("\(word).admission.port") != nil else { return nil }
        var services: [any Service] = []
        let certificate: ServerCertificate
        if let name = settings.optional("\(word).admission.secret") {
            let client = try kubernetes()
            let secret = try await CertificateSecret(
                name, in: Self.namespace(settings, of: word, client), client, logger: context.logger)
            services.append(secret)
            certificate = secret.certificate
        } else {
            certificate = try Self.certificate(context, word)
        }
        let routes = AdmissionRoutes(path: path, reviewer: try await reviewer(), pong: pong)
        let port = try settings.int("\(word).admission.port")
        services.append(
            try SideListener("admission webhook", context, port: port, certificate: certificate) { routes.register(on: $0) })
        self.services = services
    }

    /// The namespace that the webhook's own objects are in: `ORRERY_…_ADMISSION_NAMESPACE`, else that of the service account.
    public static func namespace(_ settings: Settings, of word: String, _ client: KubernetesClient) throws -> String {
        try settings.string("\(word).admission.namespace", default: client.configuration.namespace)
    }

    private static func certificate(_ context: ServiceContext, _ word: String) throws -> ServerCertificate {
        let (chain, key) = (
            context.settings.optional("\(word).admission.certificate"), context.settings.optional("\(word).admission.key")
        )
        let prefix = Settings.variable(word) + "_ADMISSION_"
        guard let chain, let key else {
            throw SettingError("The admission webhook needs \(prefix)SECRET, or \(prefix)CERTIFICATE and \(prefix)KEY.")
        }
        do {
            return try ServerCertificate(certificate: chain, key: key, logger: context.logger)
        } catch {
            throw SettingError("\(prefix)CERTIFICATE and \(prefix)KEY (\(chain), \(key)) cannot be used: \(error)")
        }
    }
}
