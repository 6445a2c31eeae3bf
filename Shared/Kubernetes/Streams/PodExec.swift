import Foundation
import HTTPTypes
import NIOCore
import WebSocket

/// Which streams a session has.
public struct PodStreams: Sendable, Hashable {
    /// Needed when the pod has several.
    public var container: String?
    public var stdin: Bool
    public var stdout: Bool
    /// Not with `tty`.
    public var stderr: Bool
    public var tty: Bool

    public init(container: String? = nil, stdin: Bool = false, stdout: Bool = true, stderr: Bool = true, tty: Bool = false) {
        self.container = container
        self.stdin = stdin
        self.stdout = stdout
        self.stderr = stderr
        self.tty = tty
    }

    var query: [(String, String)] {
        var query = [("stdin", stdin), ("stdout", stdout), ("stderr", stderr), ("tty", tty)].map { ($0.0, String($0.1)) }
        if let container { query.append(("container", container)) }
        return query
    }
}

extension KubernetesClient {
    /// Runs a command in a container and holds the session while `body` runs; leaving `body` ends the session.
    /// - Throws: `KubernetesError.api` when refused, before `body` was called; whatever `body` throws.
    public func exec<Value: Sendable>(
        pod: String, in namespace: String? = nil, command: [String], streams: PodStreams = .init(),
        _ body: @escaping @Sendable (PodSession) async throws -> Value
    ) async throws -> Value {
        try await session(pod, namespace, "exec", query: command.map { ("command", $0) } + streams.query, body)
    }

    /// Attaches to a container's first process. The verdict at its end does not carry the exit code on every runtime: read the pod's status.
    public func attach<Value: Sendable>(
        pod: String, in namespace: String? = nil, streams: PodStreams = .init(),
        _ body: @escaping @Sendable (PodSession) async throws -> Value
    ) async throws -> Value {
        try await session(pod, namespace, "attach", query: streams.query, body)
    }

    private func session<Value: Sendable>(
        _ pod: String, _ namespace: String?, _ verb: String, query: [(String, String)],
        _ body: @escaping @Sendable (PodSession) async throws -> Value
    ) async throws -> Value {
        let path = RequestPath.resource(
            .pods, namespace: namespace ?? configuration.namespace, name: pod, subresource: verb, query: query)
        var headers = HTTPFields()
        headers[.userAgent] = "orrery"
        let token = transport.tokens.token()
        if let token { headers[.authorization] = "Bearer \(token)" }
        do {
            // No WebSocket heartbeat: a process that does not read its input holds back the server's reading, and with it the answer to
            // a ping. A peer that vanished is found by TCP.
            return try await WebSocketClient.connect(
                url: transport.origin + path, headers: headers, protocols: [PodChannel.v5, PodChannel.v4], tls: transport.tls,
                maxFrame: 4 << 20, timeout: configuration.callTimeout, heartbeat: nil, eventLoopGroup: transport.group
            ) { socket, negotiated in
                try await body(PodSession(socket: socket, subprotocol: negotiated ?? PodChannel.v4))
            }
        } catch let refusal as WebSocketHandshakeRefused {
            if refusal.status == 401 { _ = transport.tokens.refused(token) }
            throw KubernetesError.api(Transport.status(code: refusal.status, headers: [:], body: refusal.body))
        } catch let error as WebSocketError {
            throw KubernetesError.unavailable(reason: "\(error)", mayHaveRun: true)
        } catch {
            throw Transport.isTransport(error) ? Transport.translate(error) : error
        }
    }
}
