import Foundation
import Redis
import TestSupport
import Testing

@Suite struct OutageTests {
    @Test func waitsForAServerThatIsNotUpYet() async throws {
        let server = try PrivateRedis()
        try await withClient("redis://127.0.0.1:\(server.port)") { redis in
            async let answer = redis.send("PING")
            #expect(await redis.ping() == false)
            try await Task.sleep(for: .milliseconds(300))
            try server.start()
            let pong = try await answer
            #expect(pong == .status("PONG"))
            #expect(await redis.ping())
        }
    }

    @Test func givesUpAfterTheWaitLimitAndSaysThatNothingRan() async throws {
        let server = try PrivateRedis()
        try await withClient("redis://127.0.0.1:\(server.port)") {
            $0.waitLimit = .milliseconds(400)
        } _: { redis in
            let start = ContinuousClock.now
            do {
                try await redis.send("PING")
                Issue.record("an absent server answered")
            } catch RedisError.unavailable(_, let mayHaveRun) {
                #expect(!mayHaveRun)
            }
            #expect(ContinuousClock.now - start < .seconds(10))
        }
    }

    @Test func aWaitingCallerCanBeCancelled() async throws {
        let server = try PrivateRedis()
        try await withClient("redis://127.0.0.1:\(server.port)") { redis in
            await withTaskGroup(of: Bool.self) { group in
                group.addTask {
                    do { _ = try await redis.send("PING") } catch { return error is CancellationError }
                    return false
                }
                group.cancelAll()
                #expect(await group.next() == true)
            }
        }
    }

    @Test func aCommandInFlightMayHaveRunAndTheNextOneFindsTheServerAgain() async throws {
        let server = try PrivateRedis()
        try server.start()
        try await withClient("redis://127.0.0.1:\(server.port)") { redis in
            try await redis.send("PING")
            let old = redis.connectionID
            #expect(old != nil)
            server.freeze()
            async let stuck = redis.send("INCR", ["counter"])
            try await Task.sleep(for: .milliseconds(200))
            server.kill()
            do {
                _ = try await stuck
                Issue.record("a killed server answered")
            } catch RedisError.unavailable(_, let mayHaveRun) {
                #expect(mayHaveRun)
            }
            async let waiting = redis.send("PING")
            try server.start()
            let pong = try await waiting
            #expect(pong == .status("PONG"))
            // Whoever learned something about the old process is told that this is another.
            await #expect(throws: RedisError.self) { try await redis.pipeline([["PING"]], connection: old) }
            #expect(try await redis.pipeline([["PING"]], connection: redis.connectionID) == [.status("PONG")])
            // A new process knows no scripts.
            #expect(try await redis.evaluate(RedisScript("return 5"), keys: [], arguments: []).int == 5)
        }
    }

    @Test func aServerThatHangsIsGivenUpAndAskedAgain() async throws {
        let server = try PrivateRedis()
        try server.start()
        try await withClient("redis://127.0.0.1:\(server.port)") {
            $0.commandTimeout = .milliseconds(500)
        } _: { redis in
            try await redis.send("SET", ["key", "old"])
            server.freeze()
            await #expect(throws: RedisError.timedOut) { try await redis.send("GET", ["key"]) }
            server.thaw()
            // A late answer must not be taken for that of another command.
            #expect(try await redis.send("ECHO", ["mine"]).string == "mine")
        }
    }

    @Test func underLoadEveryCommandIsAnsweredOrFailsThroughARestart() async throws {
        let server = try PrivateRedis()
        try server.start()
        try await withClient("redis://127.0.0.1:\(server.port)") { redis in
            try await redis.send("PING")
            let wrong = try await withThrowingTaskGroup(of: Int.self) { group in
                for worker in 0..<16 {
                    group.addTask {
                        var wrong = 0
                        for round in 0..<300 {
                            let number = worker * 1_000 + round
                            do {
                                if try await redis.send("ECHO", [RedisArgument(number)]).int != number { wrong += 1 }
                            } catch RedisError.unavailable(_, mayHaveRun: true) {
                                continue
                            }
                        }
                        return wrong
                    }
                }
                group.addTask {
                    server.kill()
                    try server.start()
                    return 0
                }
                return try await group.reduce(0, +)
            }
            #expect(wrong == 0)
        }
    }

    @Test func credentialsAndDatabaseAreUsed() async throws {
        let server = try PrivateRedis(arguments: ["--requirepass", "s3cret"])
        try server.start()
        try await withClient("redis://:s3cret@127.0.0.1:\(server.port)/2") { redis in
            try await redis.send("SET", ["here", "1"])
            #expect(try await redis.send("INFO", ["keyspace"]).string?.contains("db2:keys=1") == true)
        }
        try await withClient("redis://:wrong@127.0.0.1:\(server.port)") {
            $0.waitLimit = .milliseconds(300)
        } _: { redis in
            await #expect(throws: RedisError.self) { try await redis.send("PING") }
        }
    }

    /// TLS end to end, with a certificate made for the test.
    @Test func speaksTLSAndChecksTheCertificate() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("redis-tls-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let (key, certificate) = (folder.appendingPathComponent("key.pem").path, folder.appendingPathComponent("cert.pem").path)
        let openssl = Process()
        openssl.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        openssl.arguments = [
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key, "-out",
            certificate, "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-days", "2",
        ]
        openssl.standardError = FileHandle.nullDevice
        try openssl.run()
        openssl.waitUntilExit()
        let plain = try PrivateRedis()
        let server = try PrivateRedis(arguments: [
            "--tls-port", "\(plain.port)", "--tls-cert-file", certificate, "--tls-key-file", key, "--tls-ca-cert-file", certificate,
            "--tls-auth-clients", "no",
        ])
        try server.start()
        try await withClient("rediss://localhost:\(plain.port)") {
            $0.tls?.trustRoots = .file(certificate)
        } _: { redis in
            let pong = try await redis.send("PING")
            #expect(pong == .status("PONG"))
        }
        try await withClient("rediss://localhost:\(plain.port)") {
            $0.waitLimit = .milliseconds(500)
        } _: { redis in
            await #expect(throws: RedisError.self) { try await redis.send("PING") }
        }
    }
}
