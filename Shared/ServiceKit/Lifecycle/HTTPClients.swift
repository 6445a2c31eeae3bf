import AsyncHTTPClient
import NIOCore

extension HTTPClient {
    /// For calls that answer at once.
    static func shortCalls() -> HTTPClient {
        var configuration = Configuration(redirectConfiguration: .disallow)
        configuration.timeout = Configuration.Timeout(connect: .seconds(5), read: .seconds(30), write: .seconds(30))
        // The default of 8 starves behind a handful of slow answers.
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 256
        configuration.connectionPool.idleTimeout = .seconds(55)
        return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    /// For watches, logs and uploads: no total limit, but none may be silent for five minutes.
    static func streams() -> HTTPClient {
        var configuration = Configuration(redirectConfiguration: .disallow)
        configuration.timeout = Configuration.Timeout(connect: .seconds(5), read: .minutes(5), write: .minutes(5))
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 4096
        configuration.httpVersion = .http1Only
        return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }
}
