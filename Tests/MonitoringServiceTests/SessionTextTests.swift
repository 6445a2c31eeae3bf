import Foundation
import Hummingbird
import Kubernetes
import NIOCore
import ServiceKit
import Testing

@testable import MonitoringService

@Suite struct SessionTextTests {
    private func status(_ json: String) throws -> String {
        String(buffer: ClientFrames.status(try JSONDecoder().decode(Status.self, from: Data(json.utf8))))
    }

    @Test func verdicts() throws {
        #expect(try status(#"{"status":"Success"}"#) == "\u{3}{\"exit_code\": 0}")
        #expect(try status("{}") == "\u{3}{\"exit_code\": 0}")
        let failure = #"{"status":"Failure","message":"command terminated","details":{"causes":[{"reason":"ExitCode","message":"42"}]}}"#
        #expect(try status(failure) == "\u{3}{\"exit_code\": 42, \"message\": \"command terminated\"}")
        #expect(
            try status(#"{"status":"Failure","message":"no \"such\"\nfile ü"}"#) == "\u{3}"
                + #"{"exit_code": 1, "message": "no \"such\"\nfile \u00fc"}"#)
    }

    @Test func frames() {
        #expect(ClientFrames.stdout(ByteBuffer()) == ByteBuffer(bytes: [1]))
        #expect(ClientFrames.stderr(ByteBuffer(string: "x")) == ByteBuffer(bytes: [2, 0x78]))
        #expect(ClientFrames.input(ByteBuffer(bytes: [0, 0x61])) == .stdin(ByteBuffer(string: "a")))
        for text in [#"{"height":24,"width":80}"#, #"{"Width":80,"Height":24}"#] {
            #expect(ClientFrames.input(ByteBuffer(string: "\u{4}" + text)) == .resize(columns: 80, rows: 24))
        }
        for text in ["", "\u{4}", "\u{4}{}", "\u{4}{\"height\":-1,\"width\":1}", "\u{9}x"] {
            #expect(ClientFrames.input(ByteBuffer(string: text)) == .other)
        }
    }

    @Test(arguments: [
        ("sh -c 'echo in; exit 4'", ["sh", "-c", "echo in; exit 4"]), (#"a "b \"c\" $d" e\ f"#, ["a", #"b "c" $d"#, "e f"]),
        ("'it'\"'\"'s'", ["it's"]), ("echo ''", ["echo", ""]),
    ]) func words(line: String, words: [String]) { #expect(CommandWords.split(line) == words) }

    @Test(arguments: ["'open", "\"open", "end\\"]) func noWords(line: String) throws {
        #expect(CommandWords.split(line) == nil)
        let query = try QueryItems("cmd=" + (line.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""))
        let error = #expect(throws: PlatformError.self) { try SessionRequest(.exec, query).words(job: "j") }
        #expect(error?.status == .notFound)
    }

    @Test(arguments: [
        ("", "Command is required"), ("cmd=", "Command is required"),
        ("cmd=x&stdout=0&stderr=0", "Required at least one of stdin, stdout or stderr"),
        ("cmd=x&tty=1", "Stdout and stderr cannot be multiplexed in tty mode"), ("cmd=x&tty=maybe", "\"tty\" request parameter"),
    ]) func refusals(query: String, text: String) throws {
        let error = try #require(#expect(throws: PlatformError.self) { try SessionRequest(.exec, QueryItems(query)) })
        #expect(error.status == .badRequest)
        #expect(error.message.contains(text))
    }

    /// (query, the container's stdin and tty) → what is asked of Kubernetes, or nil for 404.
    @Test(arguments: [
        ("stdin=0", true, false, PodStreams?.some(PodStreams(stdin: true))),
        ("stdin=1", false, false, PodStreams(stdin: false)),
        ("tty=1&stdin=1&stdout=1&stderr=0", true, true, PodStreams(stdin: true, stdout: true, stderr: false, tty: true)),
        ("tty=1&stdin=1&stdout=1&stderr=0", true, false, PodStreams(stdin: true, stdout: true, stderr: false, tty: false)),
        ("tty=0&stdin=1&stdout=0&stderr=0", true, true, PodStreams(stdin: true, stdout: false, stderr: false, tty: true)),
        ("tty=0&stdin=1&stdout=1&stderr=1", true, true, nil), ("stdin=1&stdout=0&stderr=0", false, false, nil),
    ]) func attachFollowsTheContainer(query: String, stdin: Bool, tty: Bool, wanted: PodStreams?) throws {
        var container = Container(name: "c")
        container.stdin = stdin ? true : nil
        container.tty = tty ? true : nil
        let request = try SessionRequest(.attach, QueryItems(query))
        guard var wanted else {
            let error = #expect(throws: PlatformError.self) { try request.streams(for: container, job: "j") }
            #expect(error?.status == .notFound)
            return
        }
        wanted.container = "c"
        #expect(try request.streams(for: container, job: "j") == wanted)
    }

    @Test func streamsAreBounded() throws {
        let limits = StreamLimits(total: 3, perCaller: 2)
        var held = [try limits.begin("a"), try limits.begin("a")]
        #expect(throws: PlatformError.self) { try limits.begin("a") }
        held.append(try limits.begin("b"))
        let full = #expect(throws: PlatformError.self) { try limits.begin("c") }
        #expect(full?.status == .serviceUnavailable)
        held.removeAll()
        _ = try limits.begin("a")
        #expect(held.isEmpty)
    }

    @Test func refusalsAreRepeatedInAHeader() {
        let response = MonitoringErrors().render(.badRequest("no \"such\" jöb"))
        #expect(xError(response) == #"{"error": "no \"such\" j\u00f6b"}"#)
        #expect(xError(MonitoringErrors().render(.unauthorized())) == "401: Unauthorized")
    }
}

private func xError(_ response: Response) -> String? { MonitoringErrors.header.flatMap { response.headers[$0] } }
