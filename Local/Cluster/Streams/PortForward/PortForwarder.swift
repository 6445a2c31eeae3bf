import Kubernetes
import Logging
import NIOCore
import NIOPosix

#if canImport(Glibc)
    import Glibc
#endif

/// The client's side of one forwarded connection.
protocol ForwardedStream: Sendable {
    /// Nil when the client has no more.
    func read() async -> ByteBuffer?
    func write(_ bytes: ByteBuffer) async throws
    /// The pod has no more.
    func finish() async throws
    /// The client can end its side alone. One that cannot has ended when the pod has.
    var canFinish: Bool { get }
}

/// Carries connections between a client and one pod.
struct PortForwarder: Sendable {
    let pod: Object
    /// The pod's address.
    let address: String
    let process: Int?
    let logger: Logger

    /// Connects and carries until both sides have ended.
    /// - Returns: what went wrong, in the kubelet's words; nil when nothing did.
    func run(_ port: UInt16, _ client: some ForwardedStream) async -> String? {
        let place = PodPort(address: address, process: process, port: port)
        do {
            let connection = try await place.connect()
            try await connection.executeThenClose { inbound, outbound in
                try await carry(inbound, outbound, client)
            }
            return nil
        } catch is CancellationError {
            return nil
        } catch {
            logger.debug("a forwarded connection failed", metadata: ["pod": "\(pod.name)", "port": "\(port)", "error": "\(error)"])
            return "error forwarding port \(port) to pod \(pod.name)_\(pod.namespace ?? ""), uid \(pod.uid): \(Self.text(error))"
        }
    }

    private func carry(
        _ inbound: NIOAsyncChannelInboundStream<ByteBuffer>, _ outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>,
        _ client: some ForwardedStream
    ) async throws {
        try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask {
                while let bytes = await client.read() {
                    // A pod that takes no more may still be talking.
                    do { try await outbound.write(bytes) } catch { return false }
                }
                outbound.finish()
                return false
            }
            group.addTask {
                for try await bytes in inbound { try await client.write(bytes) }
                try await client.finish()
                return true
            }
            while let podHasEnded = try await group.next() {
                if podHasEnded, !client.canFinish { group.cancelAll() }
            }
        }
    }

    private static func text(_ error: any Error) -> String {
        switch error {
        case let error as IOError: "dial tcp: \(String(cString: strerror(error.errnoCode)).lowercased())"
        case let error as NIOConnectionError:
            (error.connectionErrors.first?.error).map { text($0) } ?? "\(error)"
        default: "\(error)"
        }
    }
}
