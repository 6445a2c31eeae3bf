import HummingbirdCore
import WebSocket

extension HTTPServerBuilder {
    /// The one server channel of the platform: the upgrading one of the WebSocket module.
    static func platform(idleTimeout: Duration) -> HTTPServerBuilder {
        var configuration = ServerChannelConfiguration()
        configuration.idleTimeout = idleTimeout
        return .orrery(configuration)
    }
}
