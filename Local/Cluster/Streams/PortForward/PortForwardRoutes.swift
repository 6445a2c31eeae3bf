import HTTPTypes
import Hummingbird
import Kubernetes
import NIOCore
import ServiceKit
import WebSocket

/// `portforward` of pods, over WebSocket.
struct PortForwardRoutes: Sendable {
    /// A channel's number is a byte.
    private static let portLimit = 60

    let podman: Podman

    func forward(_ pod: Object, _ request: Request, _ context: PlatformContext) async throws -> Response {
        try StreamedPods.requirePlaced(pod)
        guard let address = pod[path: "status", "podIP"]?.string, !address.isEmpty,
            pod[path: "status", "phase"]?.string == "Running"
        else { return CommandRoutes.kubeletRefusal("pod not found (\"\(pod.name)_\(pod.namespace ?? "")\")") }
        guard let upgrade = WebSocketUpgrade(request: request) else { throw CommandRoutes.noUpgrade(request) }
        let forwarder = PortForwarder(pod: pod, address: address, process: await process(of: pod), logger: context.logger)
        if upgrade.offeredProtocols.contains(TunnelForward.subprotocol) {
            let tunnel = TunnelForward(forwarder: forwarder)
            return upgrade.accept(subprotocol: TunnelForward.subprotocol, heartbeat: .none, logger: context.logger) { client in
                try await tunnel.run(client)
            }
        }
        guard let format = Self.format(upgrade.offeredProtocols) else {
            throw CommandRoutes.unknownProtocols(
                upgrade, [TunnelForward.subprotocol] + ChannelProtocol.portForward.compactMap(\.name))
        }
        let forward = ChannelForward(ports: try Self.ports(context.query), forwarder: forwarder)
        return upgrade.accept(subprotocol: format.name, heartbeat: .none, logger: context.logger) { client in
            try await forward.run(client, format)
        }
    }

    /// Kubernetes forwards ports by v4 alone, and clients that offer v5 first (Python's) do not understand it here: it is taken only from
    /// those who offer nothing else.
    static func format(_ offered: [String]) -> ChannelProtocol? {
        ChannelProtocol.choose(offered, of: ChannelProtocol.portForward.filter { $0.version == .fourth })
            ?? ChannelProtocol.choose(offered, of: ChannelProtocol.portForward)
    }

    /// - Throws: ``StatusError`` 400.
    static func ports(_ query: QueryItems) throws(StatusError) -> [UInt16] {
        let texts = (query.all("ports") + query.all("port")).flatMap { $0.split(separator: ",", omittingEmptySubsequences: false) }
        guard !texts.isEmpty else { throw .badRequest("you must specify at least 1 port") }
        guard texts.count <= portLimit else { throw .badRequest("at most \(portLimit) ports can be forwarded in one session") }
        var ports: [UInt16] = []
        for text in texts {
            guard let port = UInt16(text), port > 0 else { throw .badRequest("unable to parse \"\(text)\" as a port") }
            ports.append(port)
        }
        return ports
    }

    /// Some process of the pod that stands in its network.
    private func process(of pod: Object) async -> Int? {
        for status in pod[path: "status", "containerStatuses"]?.array ?? [] where status[path: "state", "running"] != nil {
            guard let id = status["containerID"]?.string.map(ContainerChoice.engineID),
                let container = try? await podman.inspectContainer(id), container.processIdentifier > 1
            else { continue }
            return container.processIdentifier
        }
        return nil
    }
}
