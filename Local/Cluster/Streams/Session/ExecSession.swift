import Foundation
import Kubernetes
import NIOCore
import Synchronization
import WebSocket

/// A command that runs in a container for one client.
struct ExecSession: Sendable {
    let podman: Podman
    /// podman's id of the exec session, which has been made and not yet started.
    let id: String
    let command: [String]
    let streams: CommandStreams

    /// Makes the session; nothing runs yet.
    /// - Returns: a failure when podman refuses: the container does not run.
    static func make(
        _ podman: Podman, in container: String, command: [String], streams: CommandStreams
    ) async -> Result<ExecSession, EngineError> {
        let body: JSONValue = [
            "AttachStdin": .bool(streams.stdin), "AttachStdout": .bool(streams.stdout), "AttachStderr": .bool(streams.stderr),
            "Tty": .bool(streams.tty), "Cmd": .array(command.map { .string($0) }), "DetachKeys": "",
        ]
        do throws(EngineError) {
            let answer = try await podman.call(.POST, "/containers/\(container)/exec", body: body)
            guard let id = answer["Id"]?.string else { throw EngineError("podman made an exec session and told no id") }
            return .success(ExecSession(podman: podman, id: id, command: command, streams: streams))
        } catch {
            return .failure(error)
        }
    }

    /// Starts the command and carries its streams until it ends, or until the client goes, which leaves the command running, as Kubernetes does.
    func run(_ client: WebSocketSession, _ format: ChannelProtocol) async throws {
        let refusal = StartRefusal()
        let end: SessionEnd
        do {
            let connection = try await HijackedConnection.open(podman.socketPath)
            let bridge = CommandBridge(
                connection: connection,
                request: HijackedConnection.request("/exec/\(id)/start", body: ["Detach": false, "Tty": .bool(streams.tty)]),
                streams: streams, isRaw: streams.tty, format: format,
                resize: { await TerminalSize(podman: podman, path: "/exec/\(id)/resize").set(columns: $0, rows: $1) },
                intercept: { refusal.holds($0, $1) })
            guard try await bridge.run(client) == .ended else { return }
            let code = try await exitCode()
            if let text = refusal.text(code: code) {
                end = .failed("error executing command in container: \(text)")
            } else {
                if let held = refusal.held { try await client.send(format.message(CommandChannel.stderr, held)) }
                end = .exited(code: code, command: command)
            }
        } catch let error as EngineError {
            end = .failed("error executing command in container: \(error)")
        }
        try await client.send(end, format)
    }

    /// The session's own end may be told a moment after its streams'.
    private func exitCode() async throws -> Int {
        let deadline = ContinuousClock.now + .seconds(10)
        while true {
            let state = try await podman.call(.GET, "/exec/\(id)/json")
            if state["Running"]?.bool != true, let code = state["ExitCode"]?.integer { return Int(code) }
            guard ContinuousClock.now < deadline else { throw EngineError("podman does not tell how the command ended") }
            try await Task.sleep(for: .milliseconds(20))
        }
    }
}

/// podman tells that a command could not be started at all as if the command had said it. What looks like that is held back until the exit
/// code tells whether it was so.
private final class StartRefusal: Sendable {
    private static let marks = [
        "OCI runtime attempted to invoke a command that was not found", "OCI permission denied", "OCI runtime error",
        "OCI runtime exec failed",
    ]

    private struct State {
        var held = ByteBuffer()
        var isDecided = false
    }

    private let state = Mutex(State())

    /// True for what is not to be shown yet.
    func holds(_ stream: OutputFrames.Stream, _ bytes: ByteBuffer) -> Bool {
        state.withLock { state in
            if state.held.readableBytes > 0 {
                // podman's second thoughts about a session that never was.
                if bytes.readableBytesView.starts(with: "Error: read unixpacket".utf8) { return true }
                return false
            }
            guard !state.isDecided else { return false }
            state.isDecided = true
            let text = String(buffer: bytes)
            guard text.hasPrefix("Error: "), Self.marks.contains(where: text.contains) else { return false }
            state.held = bytes
            return true
        }
    }

    var held: ByteBuffer? { state.withLock { $0.held.readableBytes > 0 ? $0.held : nil } }

    func text(code: Int) -> String? {
        guard 125...127 ~= code || code == 255, let held else { return nil }
        return String(String(buffer: held).dropFirst("Error: ".count)).trimmingCharacters(in: .whitespacesAndNewlines)
    }
}

/// A terminal of podman's.
struct TerminalSize: Sendable {
    let podman: Podman
    let path: String

    /// Clients tell the size first of all, when the process may not stand yet.
    func set(columns: Int, rows: Int) async {
        for _ in 0..<40 {
            do {
                try await podman.call(.POST, path, [("h", String(rows)), ("w", String(columns))], within: .seconds(5))
                return
            } catch  where error.isNotFound {
                return
            } catch {
                guard (try? await Task.sleep(for: .milliseconds(50))) != nil else { return }
            }
        }
    }
}

extension WebSocketSession {
    /// Tells how a session ended.
    func send(_ end: SessionEnd, _ format: ChannelProtocol) async throws {
        if format.version == .first {
            if let text = end.text { try await send(format.message(CommandChannel.error, ByteBuffer(string: text))) }
        } else {
            try await send(format.message(CommandChannel.error, JSONWriter.buffer(end.status)))
        }
    }
}
