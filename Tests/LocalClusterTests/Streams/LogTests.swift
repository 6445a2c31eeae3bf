import Foundation
import Kubernetes
import NIOCore
import ServiceKit
import Synchronization
import Testing

@testable import LocalCluster

/// A container's log: what is asked for, whose it is, and what is shown of its file.
@Suite(.timeLimit(.minutes(5)))
struct LogTests {
    // MARK: Times

    @Test(arguments: [
        ("2026-11-21T09:30:14.483467205Z", "2026-11-21T09:30:14.483467205Z"),
        ("2023-08-07T19:56:34.22-06:00", "2023-08-08T01:56:34.220000000Z"), ("2024-02-29T00:00:00+00:30", "2024-02-28T23:30:00.000000000Z"),
    ])
    func timesAreShownInUTCWithNineDigits(text: String, shown: String) throws {
        #expect(try #require(LogTimestamp(text.utf8)).text == shown)
    }

    @Test(arguments: ["", "2026-11-21", "2026-13-21T00:00:00Z", "2026-11-21T00:00:00", "2026-11-21T00:00:00.Z", "2026-11-21T00:00:00Zx"])
    func whatIsNoTime(text: String) { #expect(LogTimestamp(text.utf8) == nil) }

    // MARK: Requests

    private func request(_ query: String) throws -> LogRequest {
        try LogRequest(QueryItems(query), pod: "p", now: Date(timeIntervalSince1970: 1000.7))
    }

    @Test func aRequestIsRead() throws {
        let full = try request("container=c&follow=true&previous=1&timestamps=true&tailLines=5&limitBytes=7&sinceSeconds=10&stream=Stderr")
        var expected = LogRequest()
        expected.container = "c"
        expected.follow = true
        expected.previous = true
        expected.timestamps = true
        expected.tailLines = 5
        expected.limitBytes = 7
        expected.since = LogTimestamp(seconds: 990)
        expected.stream = .stderr
        #expect(full == expected)
        #expect(try request("follow=false&container=").container == nil)
        // The API's times have whole seconds.
        #expect(try request("sinceTime=1970-01-01T00:00:09.9Z").since == LogTimestamp(seconds: 9))
    }

    @Test(arguments: [
        ("tailLines=-1", "PodLogOptions \"p\" is invalid: tailLines: Invalid value: -1: must be greater than or equal to 0"),
        ("limitBytes=0", "PodLogOptions \"p\" is invalid: limitBytes: Invalid value: 0: must be greater than 0"),
        ("sinceSeconds=0", "PodLogOptions \"p\" is invalid: sinceSeconds: Invalid value: 0: must be greater than 0"),
        (
            "sinceSeconds=1&sinceTime=2026-01-01T00:00:00Z",
            "PodLogOptions \"p\" is invalid: sinceSeconds: Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified"
        ), ("tailLines=x", "strconv.ParseInt: parsing \"x\": invalid syntax"),
    ])
    func whatMakesNoSense(query: String, message: String) {
        #expect { try request(query) } throws: { ($0 as? StatusError)?.message == message }
    }

    // MARK: Whose log

    private static func pod(_ status: JSONValue, more: [JSONValue] = []) -> Object {
        [
            "metadata": ["name": "p", "namespace": "n", "uid": "u"],
            "spec": ["containers": .array([["name": "c"]] + more)], "status": ["containerStatuses": [status]],
        ]
    }

    private func place(_ status: JSONValue, previous: Bool = false) throws -> LogPlace {
        try LogPlace(ContainerChoice("c", in: Self.pod(status)), previous: previous)
    }

    @Test func theRunningAndThePreviousRun() throws {
        let status: JSONValue = [
            "name": "c", "restartCount": 3, "containerID": "podman://new", "state": ["running": [:]],
            "lastState": ["terminated": ["containerID": "podman://old"]],
        ]
        var place = try place(status)
        #expect((place.id, place.attempt) == ("new", 3))
        place = try self.place(status, previous: true)
        #expect((place.id, place.attempt) == ("old", 2))
    }

    @Test func aContainerThatWaitsForItsNextRunShowsTheLast() throws {
        let status: JSONValue = [
            "name": "c", "restartCount": 1, "state": ["waiting": ["reason": "CrashLoopBackOff"]],
            "lastState": ["terminated": ["containerID": "podman://old"]],
        ]
        for previous in [false, true] {
            let place = try place(status, previous: previous)
            #expect((place.id, place.attempt) == ("old", 1))
        }
    }

    @Test(arguments: [
        ("ErrImagePull", "container \"c\" in pod \"p\" is waiting to start: image can't be pulled"),
        ("ImagePullBackOff", "container \"c\" in pod \"p\" is waiting to start: trying and failing to pull image"),
        ("ContainerCreating", "container \"c\" in pod \"p\" is waiting to start: ContainerCreating"),
    ])
    func aContainerThatNeverRan(reason: String, message: String) {
        let status: JSONValue = ["name": "c", "restartCount": 0, "state": ["waiting": ["reason": .string(reason)]]]
        #expect { try place(status) } throws: { ($0 as? StatusError)?.message == message }
        #expect {
            try place(status, previous: true)
        } throws: {
            ($0 as? StatusError)?.message == "previous terminated container \"c\" in pod \"p\" not found"
        }
    }

    @Test func containersAreChosenAsTheAPIServerDoes() throws {
        let one = Self.pod([:])
        #expect(try ContainerChoice(nil, in: one).name == "c")
        let two = Self.pod([:], more: [["name": "d"]])
        #expect {
            try ContainerChoice("", in: two)
        } throws: {
            ($0 as? StatusError)?.message == "a container name must be specified for pod p, choose one of: [c d]"
        }
        #expect {
            try ContainerChoice("x", in: two)
        } throws: {
            ($0 as? StatusError)?.message == "container x is not valid for pod p"
        }
    }

    // MARK: What is shown

    private static let lines = """
        2026-01-01T00:00:01.000000001Z stdout F first
        2026-01-01T00:00:02.5Z stderr P part
        2026-01-01T00:00:03Z stderr F  two
        2026-01-01T01:00:04+01:00 stdout F 
        2026-01-01T00:00:05Z stdout P tail

        """

    private func shown(_ change: (inout LogRequest) -> Void) -> String {
        var request = LogRequest()
        change(&request)
        var printer = LogPrinter(request)
        var text = ""
        for byte in Self.lines.utf8 {
            printer.append(ByteBuffer(bytes: [byte]))
            while let output = printer.next() { text += String(buffer: output) }
        }
        return text
    }

    @Test func piecesOfALineAreJoined() {
        #expect(shown { _ in } == "first\npart two\n\ntail")
        #expect(
            shown { $0.timestamps = true }
                == "2026-01-01T00:00:01.000000001Z first\n2026-01-01T00:00:02.500000000Z part two\n2026-01-01T00:00:04.000000000Z \n"
                + "2026-01-01T00:00:05.000000000Z tail")
        #expect(shown { $0.since = LogTimestamp("2026-01-01T00:00:04Z".utf8) } == "\ntail")
        #expect(shown { $0.limitBytes = 8 } == "first\npa")
        #expect(shown { $0.stream = .stderr } == "part two\n")
    }

    private static func file(_ text: String) throws -> String {
        let path = NSTemporaryDirectory() + UUID().uuidString + ".log"
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        return path
    }

    private func read(_ path: String, _ change: (inout LogRequest) -> Void) async throws -> String? {
        var request = LogRequest()
        change(&request)
        var text = ""
        let isThere = try await LogReader(path: path, request: request, isRunning: { false }).run { text += String(buffer: $0) }
        return isThere ? text : nil
    }

    @Test func theLastLines() async throws {
        let lines = (0..<20_000).map { "2026-01-01T00:00:00Z stdout F line \($0)\n" }
        let path = try Self.file(lines.joined())
        defer { try? FileManager.default.removeItem(atPath: path) }
        #expect(try await read(path) { $0.tailLines = 2 } == "line 19998\nline 19999\n")
        #expect(try await read(path) { $0.tailLines = 0 } == "")
        #expect(try await read(path) { $0.tailLines = 15_000 }?.hasPrefix("line 5000\n") == true)
        let whole = try await read(path) { _ in }
        #expect(whole == (0..<20_000).map { "line \($0)\n" }.joined())
        #expect(try await read(path) { $0.tailLines = 30_000 } == whole)
        #expect(try await read("/nowhere.log") { _ in } == nil)
    }

    @Test func aFollowedLogEndsWithItsContainerAndIsWhole() async throws {
        let path = try Self.file("2026-01-01T00:00:00Z stdout F begin\n")
        defer { try? FileManager.default.removeItem(atPath: path) }
        let isRunning = Mutex(true)
        var request = LogRequest()
        request.follow = true
        let reader = LogReader(path: path, request: request, isRunning: { isRunning.withLock { $0 } })
        let (pieces, piece) = AsyncStream.makeStream(of: String.self)
        async let isThere = reader.run { piece.yield(String(buffer: $0)) }
        var iterator = pieces.makeAsyncIterator()
        #expect(await iterator.next() == "begin\n")
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        try file.seekToEnd()
        try file.write(contentsOf: Data("2026-01-01T00:00:01Z stdout F mid".utf8))
        try file.write(contentsOf: Data("dle\n".utf8))
        #expect(await iterator.next() == "middle\n")
        // The last words and the end come together.
        try file.write(contentsOf: Data("2026-01-01T00:00:02Z stdout P end".utf8))
        try file.write(contentsOf: Data("\n".utf8))
        isRunning.withLock { $0 = false }
        #expect(await iterator.next() == "end")
        #expect(try await isThere)
    }

    @Test func aLogThatIsTurnedOverGoesOn() async throws {
        let path = try Self.file("2026-01-01T00:00:00Z stdout F one\n")
        defer { try? FileManager.default.removeItem(atPath: path) }
        var request = LogRequest()
        request.follow = true
        let isRunning = Mutex(true)
        let reader = LogReader(path: path, request: request, isRunning: { isRunning.withLock { $0 } })
        let (pieces, piece) = AsyncStream.makeStream(of: String.self)
        async let isThere = reader.run { piece.yield(String(buffer: $0)) }
        var iterator = pieces.makeAsyncIterator()
        #expect(await iterator.next() == "one\n")
        let next = try Self.file("2026-01-01T00:00:01Z stdout F two\n")
        try FileManager.default.removeItem(atPath: path)
        try FileManager.default.moveItem(atPath: next, toPath: path)
        #expect(await iterator.next() == "two\n")
        isRunning.withLock { $0 = false }
        #expect(try await isThere)
    }
}
