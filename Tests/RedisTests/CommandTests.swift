import Logging
import Redis
import ServiceLifecycle
import Testing

@Suite struct CommandTests {
    @Test func keepsBytesAsTheyAre() async throws {
        try await withClient { redis in
            let (key, bytes) = (freshKey(), [UInt8](0...255) + [13, 10, 0, 36])
            #expect(try await redis.send("SET", [RedisArgument(key), RedisArgument(bytes)]) == .status("OK"))
            #expect(try await redis.send("GET", [RedisArgument(key)]).bytes == bytes)
            #expect(try await redis.send("GET", [RedisArgument(freshKey())]).isNull)
            let large = [UInt8](repeating: 7, count: 3 << 20)
            try await redis.send("SET", [RedisArgument(key), RedisArgument(large)])
            #expect(try await redis.send("GET", [RedisArgument(key)]).bytes == large)
            #expect(try await redis.send("DEL", [RedisArgument(key)]).int == 1)
        }
    }

    @Test func aRefusalIsAnErrorWithTheServersText() async throws {
        try await withClient { redis in
            await #expect(throws: RedisError.self) { try await redis.send("NOSUCHCOMMAND") }
            let key = RedisArgument(freshKey())
            let replies = try await redis.pipeline([["SET", key, "text"], ["INCR", key], ["GET", key], ["DEL", key]])
            #expect(replies[0] == .status("OK") && replies[2].string == "text" && replies[3].int == 1)
            guard case .error(let text) = replies[1] else { throw RedisError.closed }
            #expect(text.contains("not an integer"))
        }
    }

    @Test func manyTasksShareTheConnectionAndEachGetsItsOwnAnswer() async throws {
        try await withClient { redis in
            let wrong = try await withThrowingTaskGroup(of: Bool.self) { group in
                for number in 0..<2_000 {
                    group.addTask { try await redis.send("ECHO", [RedisArgument(number)]).int != number }
                }
                return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            #expect(wrong == 0)
            let ids = Set(try await redis.pipeline([["CLIENT", "ID"]]) + [try await redis.send("CLIENT", ["ID"])])
            #expect(ids.count == 1)
        }
    }

    @Test func scriptsRunByTheirDigestAndAreSentAgainWhenForgotten() async throws {
        try await withClient { redis in
            let script = RedisScript("return {KEYS[1], ARGV[1], 7, false, {1, {2}}} -- \(freshKey())")
            for _ in 0..<2 {
                let value = try await redis.evaluate(script, keys: ["k"], arguments: ["a"])
                let expected: [RedisValue] = [
                    .string([107]), .string([97]), .integer(7), .null, .array([.integer(1), .array([.integer(2)])]),
                ]
                #expect(value == .array(expected))
            }
            #expect(try await redis.send("SCRIPT", ["EXISTS", RedisArgument(script.sha)]) == .array([.integer(1)]))
            await #expect(throws: RedisError.self) {
                try await redis.evaluate(RedisScript("return redis.error_reply('ERR no')"), keys: [], arguments: [])
            }
        }
    }

    @Test func theServiceEndsWithItsGroupAndTheClientAnswersNoMore() async throws {
        try await withClient { redis in
            let group = ServiceGroup(services: [redis], logger: Logger(label: "test"))
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask { try await group.run() }
                try await redis.send("PING")
                await group.triggerGracefulShutdown()
                try await tasks.waitForAll()
            }
            await #expect(throws: RedisError.closed) { try await redis.send("PING") }
        }
    }
}
