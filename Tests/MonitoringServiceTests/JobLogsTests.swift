import Foundation
import Hummingbird
import Kubernetes
import Logging
import NIOCore
import PlatformModel
import Synchronization
import Testing

@testable import MonitoringService

/// Logs through failures that a healthy cluster does not show, against an API server that is told what to answer.
@Suite(.timeLimit(.minutes(5))) struct JobLogsTests {
    private static let start: Int64 = 1_795_242_600_000_000_000
    private static func line(_ index: Int64, _ text: String) -> String { SourceLine(time: start + index * 1000, text: text).printed }

    private static func podJSON(_ state: String, restarts: Int = 0, phase: String, policy: String = "Never", last: String = "{}") -> String
    {
        """
        {"metadata":{"name":"j","uid":"u","creationTimestamp":"2026-11-21T06:30:00Z"},
         "spec":{"restartPolicy":"\(policy)","containers":[{"name":"j"}]},
         "status":{"phase":"\(phase)","containerStatuses":[{"name":"j","restartCount":\(restarts),"state":\(state),"lastState":\(last)}]}}
        """
    }
    private static let running = podJSON(#"{"running":{}}"#, phase: "Running")
    /// In the place of a pod: the server has a fault.
    private static let failure = "500"
    private static let over = podJSON(#"{"terminated":{"exitCode":0}}"#, phase: "Succeeded")

    /// - Parameters:
    ///   - pods: successive answers for the pod; empty: there is none. The last stays.
    ///   - logs: successive answers for its log.
    private func read(
        pods: [String], logs: [@Sendable () -> Response], finished: @escaping @Sendable () async -> Bool? = { false },
        options: LogOptions = LogOptions(), asked: Requests? = nil
    ) async throws -> String {
        struct Script {
            var pods: [String]
            var logs: [@Sendable () -> Response]
        }
        let script = Mutex(Script(pods: pods, logs: logs))
        let requests = Requests()
        let answer: StandIn.Answer = { request in
            let path = request.uri.path
            if path.hasSuffix("/log") {
                requests.add(request.uri.query ?? "")
                guard let next = script.withLock({ $0.logs.isEmpty ? nil : $0.logs.removeFirst() }) else {
                    return StandIn.json(#"{"code":404,"reason":"NotFound"}"#, status: 404)
                }
                return next()
            }
            let pod = script.withLock { $0.pods.count > 1 ? $0.pods.removeFirst() : $0.pods.first ?? "" }
            if pod == Self.failure { return StandIn.json(#"{"code":500,"reason":"InternalError"}"#, status: 500) }
            if path.hasSuffix("/pods") { return StandIn.json(#"{"metadata":{},"items":[\#(pod)]}"#) }
            return pod.isEmpty ? StandIn.json(#"{"code":404,"reason":"NotFound"}"#, status: 404) : StandIn.json(pod)
        }
        let plane = ControlPlane()
        let job = try plane.set(.random(), .running)
        let text = try await StandIn.run(answer) { url in
            let client = try KubernetesClient(KubernetesConfiguration(server: url), logger: Logger(label: "t"))
            var patience = JobLogs.Patience()
            patience.poll = .milliseconds(20)
            patience.jobPoll = .milliseconds(50)
            patience.outage = .seconds(5)
            patience.grace = .milliseconds(100)
            let logs = JobLogs(
                kubernetes: client, isFinished: finished, pods: JobPods(client, job), options: options, patience: patience,
                logger: Logger(label: "t"))
            let found = Requests()
            let outcome: Result<Void, any Error>
            do { outcome = .success(try await logs.run { found.add(String(buffer: $0)) }) } catch { outcome = .failure(error) }
            try await client.shutdown()
            try outcome.get()
            return found.all.joined()
        }
        for query in requests.all { asked?.add(query) }
        return text
    }

    private final class Requests: Sendable {
        private let list = Mutex<[String]>([])
        func add(_ text: String) { list.withLock { $0.append(text) } }
        var all: [String] { list.withLock { $0 } }
    }

    @Test func aJobThatEndedWithoutAPodHasAnEmptyLog() async throws {
        #expect(try await read(pods: [""], logs: [], finished: { true }) == "")
    }

    /// A server that fails has not said that there is no pod.
    @Test func theLogOfAnEndedJobOutlivesAFailingServer() async throws {
        let text = try await read(
            pods: [Self.failure, Self.failure, Self.over], logs: [{ StandIn.stream(Self.line(1, "one") + "\n") }], finished: { true })
        #expect(text == "one\n")
    }

    @Test func aLogEndsWhenTheJobIsCancelledBeforeItStarted() async throws {
        let asked = Requests()
        let waiting = Self.podJSON(#"{"waiting":{"reason":"ImagePullBackOff"}}"#, phase: "Pending")
        let text = try await read(
            pods: [waiting], logs: [],
            finished: {
                asked.add("?")
                return asked.all.count > 3
            })
        #expect(text == "")
    }

    @Test func aStreamThatBreaksInALineIsTakenUp() async throws {
        let asked = Requests()
        let text = try await read(
            pods: [Self.running, Self.running, Self.running, Self.running, Self.over],
            logs: [
                { StandIn.stream(Self.line(1, "one\n") + Self.line(2, "two, a long"), breaks: true) },
                { StandIn.json(#"{"code":503,"reason":"ServiceUnavailable"}"#, status: 503) },
                { StandIn.stream([(1, "one\n"), (2, "two, a longer line\n"), (3, "three\n")].map { Self.line($0.0, $0.1) }.joined()) },
                {
                    StandIn.stream(
                        [(1, "one\n"), (2, "two, a longer line\n"), (3, "three\n"), (4, "four\n")].map { Self.line($0.0, $0.1) }.joined())
                },
            ], asked: asked)
        #expect(text == "one\ntwo, a longer line\nthree\nfour\n")
        let queries = asked.all
        #expect(queries.count == 4)
        #expect(queries.last?.contains("sinceTime=2026-11-21T06%3A30%3A00Z") == true)
        #expect(queries.last?.contains("follow") == false)
    }

    @Test func theRunBeforeComesFirstThenTheSeparator() async throws {
        let second = Self.podJSON(
            #"{"running":{}}"#, restarts: 1, phase: "Running", policy: "OnFailure", last: #"{"terminated":{"exitCode":1}}"#)
        let over = Self.podJSON(
            #"{"terminated":{"exitCode":0}}"#, restarts: 1, phase: "Succeeded", policy: "OnFailure", last: #"{"terminated":{"exitCode":1}}"#
        )
        let text = try await read(
            pods: [second, second, second, over],
            logs: [
                { StandIn.stream(Self.line(1, "first\n")) }, { StandIn.stream(Self.line(2, "second\n")) },
                { StandIn.stream(Self.line(2, "second\n")) },
            ], options: LogOptions(separator: "==="))
        #expect(text == "first\n===\nsecond\n")
    }

    @Test func aFinishedPodHasNoSeparator() async throws {
        let over = Self.podJSON(
            #"{"terminated":{"exitCode":0}}"#, restarts: 1, phase: "Succeeded", policy: "OnFailure", last: #"{"terminated":{"exitCode":1}}"#
        )
        let text = try await read(
            pods: [over], logs: [{ StandIn.stream(Self.line(1, "first\n")) }, { StandIn.stream(Self.line(2, "second\n")) }],
            options: LogOptions(separator: "==="))
        #expect(text == "first\nsecond\n")
    }

    @Test func timesDebugLinesAndRuntimeErrors() async throws {
        var options = LogOptions()
        options.timestamps = true
        let noise = "rpc error: code = NotFound desc = gone"
        #expect(
            try await read(pods: [Self.over], logs: [{ StandIn.stream(Self.line(1, "one\n") + noise) }], options: options)
                == "2026-11-21T06:30:00.000001000Z one\n")
        options.debug = true
        let text = try await read(pods: [Self.over], logs: [{ StandIn.stream(Self.line(1, "one\n") + noise) }], options: options)
        #expect(text == "=== Live logs from since=None ===\n2026-11-21T06:30:00.000001000Z one\n" + noise)
    }

    @Test func aLogEndsWhenTheJobEndsAndItsContainerDoesNot() async throws {
        let text = try await read(
            pods: [Self.running],
            logs: [
                {
                    Response(
                        status: .ok,
                        body: ResponseBody { writer in
                            try await writer.write(ByteBuffer(string: Self.line(1, "one\n")))
                            try await Task.sleep(for: .seconds(30))
                        })
                }, { StandIn.stream(Self.line(1, "one\n") + Self.line(2, "two\n")) },
            ], finished: { true })
        #expect(text == "one\ntwo\n")
    }
}
