import HummingbirdCore
import WebSocket

extension HTTPServerBuilder {
    /// The one server channel of the platform: the upgrading one of the WebSocket module.
    static func platform(idleTimeout: Duration, certificate: ServerCertificate? = nil) -> HTTPServerBuilder {
        var configuration = ServerChannelConfiguration()
        configuration.idleTimeout = idleTimeout
        configuration.certificate = certificate
        return .orrery(configuration)
    }
}
