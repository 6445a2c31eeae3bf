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

    init(_ settings: Settings) throws {
        host = try settings.string("http.host", default: "0.0.0.0")
        port = try settings.int("http.port", default: 8080)
        metricsPort = try settings.int("metrics.port", default: 9090)
        idleTimeout = try settings.duration("http.idle.timeout", default: .seconds(75))
        shutdownDelay = try settings.duration("shutdown.delay", default: .seconds(5))
        shutdownLimit = try settings.duration("shutdown.limit", default: .seconds(20))
    }
}
