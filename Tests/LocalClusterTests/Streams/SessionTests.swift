import Foundation
import Kubernetes
import NIOCore
import TestSupport
import Testing
import WebSocket

@testable import LocalCluster

/// Exec, attach and log as our own client of Kubernetes uses them.
@Suite(.timeLimit(.minutes(5)))
struct SessionTests {
    private static func client(_ service: TestService) throws -> KubernetesClient {
        try KubernetesClient(KubernetesConfiguration(server: service.url), logger: TestStore.quiet)
    }

    private func withClient(
        _ script: ScriptedPodman.Script? = nil,
        _ body: @escaping @Sendable (KubernetesClient, StreamsService.Place, ScriptedPodman?) async throws -> Void
    ) async throws {
        @Sendable func run(_ podman: ScriptedPodman?) async throws {
            try await StreamsService.with(socket: podman?.socket) { service, place in
                let client = try Self.client(service)
                do { try await body(client, place, podman) } catch {
                    try await client.shutdown()
                    throw error
                }
                try await client.shutdown()
            }
        }
        if let script { try await ScriptedPodman.with(script) { try await run($0) } } else { try await run(nil) }
    }

    private struct Heard: Sendable {
        var stdout = ""
        var stderr = ""
        var status: Status?
    }

    private static func listen(_ session: PodSession) async throws -> Heard {
        var heard = Heard()
        for try await output in session.outputs {
            switch output {
            case .stdout(let bytes): heard.stdout += String(buffer: bytes)
            case .stderr(let bytes): heard.stderr += String(buffer: bytes)
            case .ended(let status): heard.status = status
            }
        }
        return heard
    }

    @Test func aCommandReadsItsInputToTheEndAndItsExitCodeIsTold() async throws {
        try await withClient(.init(exitCode: 7, complaint: "oh\n")) { client, place, podman in
            try await place.pod()
            let big = String(repeating: "0123456789abcdef", count: 65_536)
            let heard = try await client.exec(
                pod: "p", in: "n", command: ["sh", "-c", "a b"], streams: PodStreams(stdin: true)
            ) { session in
                #expect(session.subprotocol == "v5.channel.k8s.io")
                async let heard = Self.listen(session)
                try await session.write(ByteBuffer(string: big))
                try await session.closeInput()
                return try await heard
            }
            // Not the text itself: a megabyte of it tells nobody anything.
            #expect(heard.stdout.utf8.count == big.utf8.count)
            let isSame = heard.stdout == big
            #expect(isSame)
            #expect(heard.stderr == "oh\n")
            #expect(heard.status?.exitCode == 7)
            #expect(heard.status?.reason == "NonZeroExitCode")
            #expect(
                heard.status?.message
                    == "command terminated with non-zero exit code: error executing command [sh -c a b], exit code 7")
            #expect(
                podman?.asked.first
                    == #"POST /containers/box/exec {"AttachStderr":true,"AttachStdin":true,"AttachStdout":true,"Cmd":["sh","-c","a b"],"#
                    + #""DetachKeys":"","Tty":false}"#)
        }
    }

    @Test func aTerminalHasItsSizeAndNoFrames() async throws {
        try await withClient(.init(isRaw: true)) { client, place, podman in
            try await place.pod()
            let heard = try await client.exec(
                pod: "p", in: "n", command: ["sh"], streams: PodStreams(stdin: true, stderr: false, tty: true)
            ) { session in
                async let heard = Self.listen(session)
                try await session.resize(columns: 100, rows: 40)
                #expect(await podman?.wasAsked("/exec/session/resize?h=40&w=100") == true)
                try await session.write(ByteBuffer(string: "\u{1}\0\0\0\0\0\0\u{3}abc"))
                try await session.closeInput()
                return try await heard
            }
            #expect(heard.stdout == "\u{1}\0\0\0\0\0\0\u{3}abc")
            #expect(heard.status?.exitCode == 0)
        }
    }

    @Test func aCommandThatCannotBeStartedIsNotItsOwnComplaint() async throws {
        let text =
            #"runc: exec failed: exec: "nosuch": executable file not found in $PATH: OCI runtime attempted to invoke a command that was not found"#
        try await withClient(.init(exitCode: 127, complaint: "Error: \(text)\n", isShort: true)) { client, place, _ in
            try await place.pod()
            let heard = try await client.exec(pod: "p", in: "n", command: ["nosuch"]) { try await Self.listen($0) }
            #expect(heard.stderr.isEmpty)
            #expect(heard.status?.reason == "InternalError")
            #expect(heard.status?.exitCode == nil)
            #expect(heard.status?.message == "Internal error occurred: error executing command in container: \(text)")
        }
        // The same words of a program that did run.
        try await withClient(.init(exitCode: 1, complaint: "Error: \(text)\n", isShort: true)) { client, place, _ in
            try await place.pod()
            let heard = try await client.exec(pod: "p", in: "n", command: ["echo"]) { try await Self.listen($0) }
            #expect(heard.stderr == "Error: \(text)\n")
            #expect(heard.status?.exitCode == 1)
        }
    }

    /// As with Kubernetes: the command goes on, without input.
    @Test func whoGoesEndsHisCommandsInput() async throws {
        try await withClient(.init()) { client, place, podman in
            try await place.pod()
            try await client.exec(pod: "p", in: "n", command: ["cat"], streams: PodStreams(stdin: true)) { session in
                var outputs = session.outputs.makeAsyncIterator()
                _ = try await outputs.next()
            }
            #expect(await podman?.wasAsked("end of input") == true)
        }
    }

    @Test func refusalsAreTheKubelets() async throws {
        try await withClient(.init()) { client, place, _ in
            try await place.pod("ended")
            try await place.end("ended")
            try await place.pod("going") {
                $0[path: "status", "containerStatuses"] = [["name": "main", "containerID": "podman://gone", "state": ["running": [:]]]]
            }
            try await place.pod("floating") { $0[path: "spec", "nodeName"] = nil }
            try await place.pod("two") { $0[path: "spec", "containers"] = [["name": "a"], ["name": "b"]] }
            for (pod, code, message) in [
                ("ended", 500, "container not found (\"main\")"), ("going", 500, "container not found (\"main\")"),
                ("floating", 400, "pod floating does not have a host assigned"),
                ("two", 400, "a container name must be specified for pod two, choose one of: [a b]"),
                ("nobody", 404, "pods \"nobody\" not found"),
            ] {
                await #expect {
                    try await client.exec(pod: pod, in: "n", command: ["true"]) { _ in }
                } throws: { error in
                    guard case KubernetesError.api(let status)? = error as? KubernetesError else { return false }
                    return status.code == code && status.message?.contains(message) == true
                }
            }
        }
    }

    @Test func attachIsALookThatChangesNothing() async throws {
        try await withClient(.init(complaint: "warning\n")) { client, place, podman in
            try await place.pod()
            try await client.attach(pod: "p", in: "n", streams: PodStreams(stdin: true)) { session in
                var outputs = session.outputs.makeAsyncIterator()
                #expect(try await outputs.next() == .stdout(ByteBuffer()))
                #expect(try await outputs.next() == .stderr(ByteBuffer(string: "warning\n")))
                try await session.write(ByteBuffer(string: "in"))
                #expect(try await outputs.next() == .stdout(ByteBuffer(string: "in")))
            }
            #expect(await podman?.wasAsked("end of input") == true)
            // podman takes a body for input; and nothing was killed.
            #expect(
                podman?.asked == ["POST /containers/box/attach?stream=true&logs=false&detachKeys=&stdin=true&stdout=true&stderr=true"])
            // When the container ends the session ends well, whatever podman says.
            let heard = try await client.attach(pod: "p", in: "n") { session in
                async let heard = Self.listen(session)
                try await place.end()
                return try await heard
            }
            #expect(heard.status?.exitCode == 0)
        }
    }

    @Test func olderSubprotocols() async throws {
        try await ScriptedPodman.with(.init(exitCode: 3, complaint: "oh", isShort: true)) { podman in
            try await StreamsService.with(socket: podman.socket) { service, place in
                try await place.pod()
                let url = service.url + "/api/v1/namespaces/n/pods/p/exec?command=x&stderr=1"
                func messages(_ protocols: [String]) async throws -> [WebSocketMessage] {
                    try await WebSocketClient.connect(url: url, protocols: protocols) { session, negotiated in
                        #expect(negotiated == protocols.last)
                        var messages: [WebSocketMessage] = []
                        for try await message in session.inbound { messages.append(message) }
                        return messages
                    }
                }
                let base64 = try await messages(["v4.base64.channel.k8s.io"])
                #expect(base64.prefix(2) == [.text("2"), .text("2" + Data("oh".utf8).base64EncodedString())])
                guard case .text(let end)? = base64.last else { throw CancellationError() }
                let status = try #require(Data(base64Encoded: String(end.dropFirst())))
                #expect(end.first == "3" && String(decoding: status, as: UTF8.self).contains("\"NonZeroExitCode\""))
                // The oldest tells a failure as text.
                let oldest = try await messages(["channel.k8s.io"])
                #expect(
                    oldest.last
                        == .binary(
                            ByteBuffer(string: "\u{3}command terminated with non-zero exit code: error executing command [x], exit code 3"))
                )
                #expect(try await messages([]).count == 3)
                await #expect(throws: WebSocketHandshakeRefused.self) { try await messages(["v9.channel.k8s.io"]) }
            }
        }
    }

    @Test func aLogIsFollowedToTheContainersEnd() async throws {
        try await withClient { client, place, _ in
            let pod = try await place.pod()
            try place.log(pod, "2026-01-01T00:00:00.5Z stdout F one\n2026-01-01T00:00:01Z stderr F two\n")
            #expect(try await Self.text(client.logs(pod: "p", in: "n")) == "one\ntwo\n")
            var options = PodLogOptions(timestamps: true)
            options.tailLines = 1
            #expect(try await Self.text(client.logs(pod: "p", in: "n", options)) == "2026-01-01T00:00:01.000000000Z two\n")
            var lines = try await client.logs(pod: "p", in: "n", PodLogOptions(follow: true)).lines().makeAsyncIterator()
            #expect(try await lines.next() == Array("one".utf8))
            #expect(try await lines.next() == Array("two".utf8))
            try place.log(pod, "2026-01-01T00:00:02Z stdout F three\n")
            #expect(try await lines.next() == Array("three".utf8))
            try place.log(pod, "2026-01-01T00:00:03Z stdout F last\n")
            try await place.end()
            #expect(try await lines.next() == Array("last".utf8))
            #expect(try await lines.next() == nil)
            // The last run's log stays; one whose file has gone says so.
            #expect(try await Self.text(client.logs(pod: "p", in: "n")) == "one\ntwo\nthree\nlast\n")
            try await place.pod("empty")
            #expect(
                try await Self.text(client.logs(pod: "empty", in: "n")) == "unable to retrieve container logs for podman://box")
            await #expect {
                try await client.logs(pod: "p", in: "n", PodLogOptions(previous: true))
            } throws: { error in
                guard case KubernetesError.api(let status)? = error as? KubernetesError else { return false }
                return status.code == 400 && status.message == "previous terminated container \"main\" in pod \"p\" not found"
            }
        }
    }

    private static func text(_ logs: PodLogs) async throws -> String {
        var text = ""
        for try await bytes in logs { text += String(buffer: bytes) }
        return text
    }
}
