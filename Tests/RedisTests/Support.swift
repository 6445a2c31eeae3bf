import Foundation
import Logging
import Redis

let testURL = ProcessInfo.processInfo.environment["ORRERY_TEST_REDIS_URL"] ?? "redis://127.0.0.1:6379"

/// A client for the time of `body`, closed afterwards.
@discardableResult
func withClient<T>(
    _ url: String = testURL, _ adjust: (inout RedisConfiguration) -> Void = { _ in }, _ body: (RedisClient) async throws -> T
) async throws -> T {
    var configuration = try RedisConfiguration(url: url)
    adjust(&configuration)
    var logger = Logger(label: "test")
    logger.logLevel = .error
    let client = RedisClient(configuration, logger: logger)
    defer { client.close() }
    return try await body(client)
}

func freshKey(_ name: String = "key") -> String { "test:\(UUID().uuidString):\(name)" }
