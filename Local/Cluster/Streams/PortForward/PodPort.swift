import CNamespaces
import Foundation
import NIOCore
import NIOPosix

#if canImport(Glibc)
    import Glibc
#endif

/// A port of a pod, as port-forward reaches it.
struct PodPort: Sendable {
    /// The pod's address.
    let address: String
    /// A process of the pod, whose loopback interface is tried first; nil when none is known.
    let process: Int?
    let port: UInt16

    typealias Connection = NIOAsyncChannel<ByteBuffer, ByteBuffer>

    /// Connects as a kubelet does: to the pod's own loopback interface, and where this process may not go there, to the pod's address.
    func connect() async throws -> Connection {
        let bootstrap = ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connectTimeout(.seconds(10))
            .channelOption(.allowRemoteHalfClosure, value: true)
            .channelOption(.socketOption(.tcp_nodelay), value: 1)
        if let socket = try await loopback() {
            return try await bootstrap.withConnectedSocket(socket, channelInitializer: Self.wrap)
        }
        return try await bootstrap.connect(host: address, port: Int(port), channelInitializer: Self.wrap)
    }

    private static let wrap: @Sendable (any Channel) -> EventLoopFuture<Connection> = { channel in
        channel.eventLoop.makeCompletedFuture {
            try Connection(wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: true))
        }
    }

    /// A connected socket in the pod's network namespace; nil when there is no way into it.
    /// - Throws: `IOError` when the namespace can be entered and nobody listens.
    private func loopback() async throws -> CInt? {
        guard let process, geteuid() == 0 else { return nil }
        let (path, port) = ("/proc/\(process)/ns/net", port)
        return try await withCheckedThrowingContinuation { continuation in
            // Entering a namespace is a thread's affair: this one is thrown away afterwards.
            Thread.detachNewThread { continuation.resume(with: Result { try Self.loopback(in: path, port) }) }
        }
    }

    private static func loopback(in path: String, _ port: UInt16) throws -> CInt? {
        let namespace = open(path, O_RDONLY | O_CLOEXEC)
        guard namespace >= 0 else { return nil }
        defer { close(namespace) }
        guard setns(namespace, network_namespace) == 0 else { return nil }
        let socket = socket(AF_INET, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        guard socket >= 0 else { throw IOError(errnoCode: errno, reason: "socket") }
        var patience = timeval(tv_sec: 10, tv_usec: 0)
        setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_port = port.bigEndian
        name.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let result = withUnsafePointer(to: &name) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else {
            let code = errno
            close(socket)
            throw IOError(errnoCode: code, reason: "connect")
        }
        return socket
    }
}
