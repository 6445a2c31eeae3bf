import Foundation
import NIOCore
import Testing

@testable import Kubernetes

@Suite(.timeLimit(.minutes(5))) struct CallTests {
    @Test func listsInPagesAndStartsOverWhenTheTokenExpired() async throws {
        try await ScriptedServer.run([
            .json(list(10, [pod("a", 1), pod("b", 2)], next: "x/1")),
            .json(410, status(410, "Expired")),
            .json(list(11, [pod("a", 1), pod("c", 3)])),
        ]) { server, client in
            let found = try await client.list(.pods, in: "n", labels: ["k": "v"], pageSize: 2)
            #expect(found.items.map(\.metadata.name) == ["a", "c"])
            #expect(found.resourceVersion == "11")
            let base = "GET /api/v1/namespaces/n/pods?labelSelector=k%3Dv"
            #expect(server.asked == [base + "&limit=2", base + "&limit=2&continue=x%2F1", base])
        }
    }

    @Test func keepsTheStatusOfARefusal() async throws {
        let invalid = """
            {"kind":"Status","status":"Failure","reason":"Invalid","code":422,"message":"Pod \\"x\\" is invalid",
             "details":{"name":"x","causes":[{"reason":"FieldValueInvalid","field":"spec.containers"}]}}
            """
        try await ScriptedServer.run([.json(422, invalid), .json(409, status(409, "AlreadyExists")), .json(404, "<html>")]) { _, client in
            let error = await #expect(throws: KubernetesError.self) { try await client.create(.pods, Pod(metadata: .init(name: "x"))) }
            #expect(error?.isInvalid == true)
            #expect(error?.status?.details?.causes?.first?.field == "spec.containers")
            let second = await #expect(throws: KubernetesError.self) { try await client.create(.pods, Pod(metadata: .init(name: "x"))) }
            #expect(second?.isAlreadyExists == true)
            #expect(second?.isConflict == false)
            let missing = try await client.find(.pods, "x")
            #expect(missing?.metadata.name == nil)
        }
    }

    @Test func waitsAsA429AsksEvenForAWrite() async throws {
        try await ScriptedServer.run([
            .json(429, "busy", headers: ["Retry-After": "1"]), .json(201, pod("x", 1)),
        ]) { server, client in
            let began = ContinuousClock.now
            try await client.create(.pods, Pod(metadata: .init(name: "x")))
            #expect(began.duration(to: .now) >= .seconds(1))
            #expect(server.asked.count == 2)
        }
    }

    @Test func doesNotRepeatAWriteThatMayHaveRun() async throws {
        try await ScriptedServer.run([.json(500, status(500, "InternalError")), .json(201, pod("x", 1))]) { server, client in
            let error = await #expect(throws: KubernetesError.self) { try await client.create(.pods, Pod(metadata: .init(name: "x"))) }
            #expect(error?.isTransient == true)
            #expect(server.asked.count == 1)
        }
    }

    @Test func readsARefusedTokenAnewFromItsFile() async throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("token-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        try "one".write(toFile: path, atomically: true, encoding: .utf8)
        try await ScriptedServer.run(
            [
                .json(pod("x", 1)), .json(401, status(401, "Unauthorized")), .json(pod("x", 2)), .json(401, status(401, "Unauthorized")),
            ], credentials: .tokenFile(path)
        ) { server, client in
            _ = try await client.get(.pods, "x")
            try "two".write(toFile: path, atomically: true, encoding: .utf8)
            #expect(try await client.get(.pods, "x").metadata.resourceVersion == "2")
            #expect(server.tokens == ["Bearer one", "Bearer one", "Bearer two"])
            // A token that did not change is refused once, not for ever.
            let error = await #expect(throws: KubernetesError.self) { try await client.get(.pods, "x") }
            #expect(error?.code == 401)
        }
    }

    @Test func deletesWithPreconditionsWhateverTheServerAnswers() async throws {
        try await ScriptedServer.run([.json(#"{"kind":"Status","status":"Success"}"#), .json(202, pod("x", 1))]) { server, client in
            try await client.delete(.services, "x", in: "n", .init(propagation: .background, uid: "u"))
            try await client.delete(.pods, "x", in: "n", .init(gracePeriodSeconds: 0))
            #expect(server.asked == ["DELETE /api/v1/namespaces/n/services/x", "DELETE /api/v1/namespaces/n/pods/x"])
        }
    }

    @Test func aCallIsBounded() async throws {
        try await ScriptedServer.run([.open(["{"])], change: { $0.callTimeout = .milliseconds(400) }) { _, client in
            let began = ContinuousClock.now
            let error = await #expect(throws: KubernetesError.self) { try await client.get(.pods, "x") }
            #expect(error?.isTransient == true)
            #expect(began.duration(to: .now) < .seconds(20))
        }
    }

    @Test func aServerThatIsAwaySaysSo() async throws {
        var configuration = KubernetesConfiguration(server: "http://127.0.0.1:1")
        configuration.connectTimeout = .milliseconds(200)
        let client = try KubernetesClient(configuration, logger: .init(label: "t"))
        let error = await #expect(throws: KubernetesError.self) { try await client.create(.pods, Pod(metadata: .init(name: "x"))) }
        try await client.shutdown()
        guard case .unavailable(_, mayHaveRun: false)? = error else { Issue.record("\(String(describing: error))"); return }
    }

    @Test func openStreamsDoNotStarveCalls() async throws {
        let streams = 20
        try await ScriptedServer.run(Array(repeating: .open(["x"]), count: streams) + [.json(pod("x", 1))]) { _, client in
            var held: [PodLogs.AsyncIterator] = []
            for _ in 0..<streams {
                var logs = try await client.logs(pod: "p", .init(follow: true)).makeAsyncIterator()
                _ = try await logs.next()
                held.append(logs)
            }
            #expect(try await client.get(.pods, "x").metadata.name == "x")
            #expect(held.count == streams)
        }
    }

    @Test func logsAskForWhatWasSaid() async throws {
        var options = PodLogOptions(container: "c", follow: true, previous: true, timestamps: true, since: Date(timeIntervalSince1970: 0.9))
        options.tailLines = 5
        try await ScriptedServer.run([.lines(["one", "two"]), .json(400, status(400, "BadRequest"))]) { server, client in
            var lines: [String] = []
            for try await line in try await client.logs(pod: "p", in: "n", options).lines() {
                lines.append(String(decoding: line, as: UTF8.self))
            }
            #expect(lines == ["one", "two"])
            #expect(
                server.asked == [
                    "GET /api/v1/namespaces/n/pods/p/log?container=c&follow=true&previous=true&timestamps=true&sinceTime=1970-01-01T00%3A00%3A00Z&tailLines=5"
                ])
            let error = await #expect(throws: KubernetesError.self) { _ = try await client.logs(pod: "p") }
            #expect(error?.code == 400)
        }
    }
}
