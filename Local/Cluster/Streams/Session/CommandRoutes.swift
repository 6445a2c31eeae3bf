import HTTPTypes
import Hummingbird
import Kubernetes
import NIOCore
import ServiceKit
import WebSocket

/// `exec` and `attach` of pods, over WebSocket.
struct CommandRoutes: Sendable {
    let pods: StreamedPods
    let podman: Podman

    func exec(_ pod: Object, _ request: Request, _ context: PlatformContext) async throws -> Response {
        let choice = try ContainerChoice(context.query.first("container"), in: pod)
        try StreamedPods.requirePlaced(pod)
        let streams = try CommandStreams(context.query)
        let command = context.query.all("command")
        guard !command.isEmpty, !command[0].isEmpty else {
            throw StatusError.badRequest("you must specify at least one command for the container")
        }
        guard let container = choice.runningID else { return Self.kubeletRefusal("container not found (\"\(choice.name)\")") }
        let (upgrade, format) = try Self.handshake(request, ChannelProtocol.remoteCommand)
        let made = await ExecSession.make(podman, in: container, command: command, streams: streams)
        // It ended a moment ago.
        if case .failure(let error) = made, error.isNotFound || error.isConflict {
            return Self.kubeletRefusal("container not found (\"\(choice.name)\")")
        }
        let session = try made.get()
        // A process that does not read its input holds back the reading of pongs too: no heartbeat.
        return upgrade.accept(subprotocol: format.name, heartbeat: .none, logger: context.logger) { client in
            try await session.run(client, format)
        }
    }

    func attach(_ pod: Object, _ request: Request, _ context: PlatformContext) async throws -> Response {
        let choice = try ContainerChoice(context.query.first("container"), in: pod)
        try StreamedPods.requirePlaced(pod)
        let streams = try CommandStreams(context.query)
        guard let container = choice.runningID else {
            return Self.kubeletRefusal("container \(choice.name) not found in pod \(pod.name)_\(pod.namespace ?? "")")
        }
        let (upgrade, format) = try Self.handshake(request, ChannelProtocol.remoteCommand)
        let pods = pods
        let session = AttachSession(
            podman: podman, id: container, hasTerminal: choice.hasTerminal, streams: streams,
            isRunning: { try await pods.isRunning(container, of: choice.name, in: pod) }, logger: context.logger)
        return upgrade.accept(subprotocol: format.name, heartbeat: .none, logger: context.logger) { client in
            try await session.run(client, format)
        }
    }

    /// - Throws: ``StatusError`` 400 when the request is no handshake, or offers nothing that is known.
    static func handshake(
        _ request: Request, _ known: [ChannelProtocol]
    ) throws(StatusError) -> (WebSocketUpgrade, ChannelProtocol) {
        guard let upgrade = WebSocketUpgrade(request: request) else { throw noUpgrade(request) }
        guard let format = ChannelProtocol.choose(upgrade.offeredProtocols, of: known) else {
            throw unknownProtocols(upgrade, known.compactMap(\.name))
        }
        return (upgrade, format)
    }

    static func noUpgrade(_ request: Request) -> StatusError {
        guard let wanted = request.headers[.upgrade] else { return .badRequest("Upgrade request required") }
        return .badRequest("this cluster upgrades to WebSocket, not to \(wanted); kubectl does so from 1.31 on")
    }

    static func unknownProtocols(_ upgrade: WebSocketUpgrade, _ known: [String]) -> StatusError {
        .badRequest("none of the subprotocols \(upgrade.offeredProtocols) is known; these are: \(known)")
    }

    /// The API server hands on what a kubelet answers, as it is.
    static func kubeletRefusal(_ text: String) -> Response {
        Response(
            status: .internalServerError, headers: [.contentType: "text/plain; charset=utf-8"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }
}
