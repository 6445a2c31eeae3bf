import Logging
import WebSocket

/// The settings that every process has, read before anything is started.
struct ServerSettings: Sendable {
    let host: String
    let port: Int
    /// 0: no metrics.
    let metricsPort: Int
    let idleTimeout: Duration
    /// Between unready and closing the door, for load balancers to notice.
    let shutdownDelay: Duration
    /// For what still runs once the door is closed.
    let shutdownLimit: Duration
    /// Nil: plain HTTP.
    let certificate: ServerCertificate?

    init(_ settings: Settings, logger: Logger) throws {
        host = try settings.string("http.host", default: "0.0.0.0")
        port = try settings.int("http.port", default: 8080)
        metricsPort = try settings.int("metrics.port", default: 9090)
        idleTimeout = try settings.duration("http.idle.timeout", default: .seconds(75))
        shutdownDelay = try settings.duration("shutdown.delay", default: .seconds(5))
        shutdownLimit = try settings.duration("shutdown.limit", default: .seconds(20))
        certificate = try Self.certificate(settings, logger)
    }

    private static func certificate(_ settings: Settings, _ logger: Logger) throws -> ServerCertificate? {
        switch (settings.optional("tls.certificate"), settings.optional("tls.key")) {
        case (nil, nil): return nil
        case (let certificate?, let key?):
            do {
                return try ServerCertificate(certificate: certificate, key: key, logger: logger)
            } catch {
                throw SettingError("ORRERY_TLS_CERTIFICATE and ORRERY_TLS_KEY (\(certificate), \(key)) cannot be used: \(error)")
            }
        case (nil, _): throw SettingError("ORRERY_TLS_KEY is set without ORRERY_TLS_CERTIFICATE.")
        case (_, nil): throw SettingError("ORRERY_TLS_CERTIFICATE is set without ORRERY_TLS_KEY.")
        }
    }
}
