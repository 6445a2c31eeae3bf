import Kubernetes
import Logging
import NIOCore
import WebSocket

/// A client's look at a container's first process. The client's end is nothing to the container.
struct AttachSession: Sendable {
    let podman: Podman
    /// podman's id of the container.
    let id: String
    let hasTerminal: Bool
    let streams: CommandStreams
    /// podman is silent for ever about a container that ended before it was asked, so the end is watched from here too.
    let isRunning: @Sendable () async throws -> Bool
    let logger: Logger

    func run(_ client: WebSocketSession, _ format: ChannelProtocol) async throws {
        var end = SessionEnd.success
        do {
            let connection = try await HijackedConnection.open(podman.socketPath)
            let bridge = CommandBridge(
                connection: connection, request: HijackedConnection.request(path), streams: streams, isRaw: hasTerminal,
                format: format,
                resize: { await TerminalSize(podman: podman, path: "/containers/\(id)/resize").set(columns: $0, rows: $1) })
            guard try await untilEnded({ try await bridge.run(client) }) == .ended else { return }
        } catch let error as EngineError {
            end = .failed("error attaching to container: \(error)")
        }
        try await client.send(end, format)
    }

    private var path: String {
        let flags = [("stdin", streams.stdin), ("stdout", streams.stdout), ("stderr", streams.stderr)]
        return "/containers/\(id)/attach?stream=true&logs=false&detachKeys=&" + flags.map { "\($0)=\($1)" }.joined(separator: "&")
    }

    private func untilEnded(
        _ body: @escaping @Sendable () async throws -> CommandBridge.Outcome
    ) async throws -> CommandBridge.Outcome {
        try await withThrowingTaskGroup(of: CommandBridge.Outcome.self) { group in
            group.addTask { try await body() }
            group.addTask {
                while try await isRunning() { try await Task.sleep(for: .milliseconds(300)) }
                // What the process said last is on its way.
                try await Task.sleep(for: .seconds(2))
                return .ended
            }
            defer { group.cancelAll() }
            return try await group.next() ?? .ended
        }
    }
}
