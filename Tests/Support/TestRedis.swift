import Foundation

/// Redis is shared by all suites; each uses keys under a prefix of its own.
public enum TestRedis {
    /// The server.
    public static var url: String { TestServers.redisURL }

    /// A prefix that nothing else uses.
    public static func prefix() -> String { "test:\(UUID().uuidString.lowercased()):" }
}
