import Foundation
import Kubernetes
import NIOCore
import NIOPosix
import TestSupport
import Testing
import WebSocket

@testable import LocalCluster

/// Port-forward in its three forms; the pod is an echo on this machine.
@Suite(.timeLimit(.minutes(5)))
struct PortForwardTests {
    /// Echoes; ends its side when the client has ended its own.
    private static func withEcho(_ body: @Sendable (UInt16) async throws -> Void) async throws {
        let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .bind(host: "127.0.0.1", port: 0) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(
                        wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: true))
                }
            }
        let port = UInt16(server.channel.localAddress?.port ?? 0)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try await server.executeThenClose { clients in
                    try await withThrowingDiscardingTaskGroup { group in
                        for try await client in clients {
                            group.addTask {
                                try? await client.executeThenClose { inbound, outbound in
                                    // Each piece is out before the end: NIO closes at once when both sides have ended, and drops
                                    // what waits.
                                    for try await bytes in inbound { try await client.channel.writeAndFlush(bytes) }
                                    outbound.finish()
                                    // Closing at once would take with it what is still to be written.
                                    try await client.channel.closeFuture.get()
                                }
                            }
                        }
                    }
                }
            }
            defer { group.cancelAll() }
            try await body(port)
        }
    }

    private static func url(_ service: TestService, _ query: String = "") -> String {
        service.url + "/api/v1/namespaces/n/pods/p/portforward" + query
    }

    // MARK: Channels

    @Test func eachPortHasItsPairOfChannels() async throws {
        try await Self.withEcho { port in
            let dead = UInt16(try freePort())
            try await StreamsService.with { service, place in
                let pod = try await place.pod()
                let url = Self.url(service, "?ports=\(port),\(dead)&ports=\(port)")
                try await WebSocketClient.connect(url: url, protocols: ["v4.channel.k8s.io"]) { session, _ in
                    var data: [UInt8: ByteBuffer] = [:]
                    for channel: UInt8 in [0, 2, 4] {
                        for (place, name) in [(channel, "x\(channel)")] where place != 2 {
                            try await session.send(.binary(ByteBuffer(bytes: [channel] + Array(name.utf8))))
                        }
                    }
                    let fault = "error forwarding port \(dead) to pod p_n, uid \(pod.uid): dial tcp: connection refused"
                    for try await case .binary(var message) in session.inbound {
                        guard let channel = message.readInteger(as: UInt8.self) else { continue }
                        data[channel, default: ByteBuffer()].writeBuffer(&message)
                        if data[0]?.readableBytes == 4, data[4]?.readableBytes == 4, data[3]?.readableBytes == 2 + fault.utf8.count {
                            break
                        }
                    }
                    func ported(_ port: UInt16, _ text: String) -> ByteBuffer {
                        var bytes = ByteBuffer(integer: port, endianness: .little)
                        bytes.writeString(text)
                        return bytes
                    }
                    #expect(data[0] == ported(port, "x0"))
                    #expect(data[1] == ported(port, ""))
                    #expect(data[3] == ported(dead, fault))
                    #expect(data[4] == ported(port, "x4"))
                }
            }
        }
    }

    @Test func theOlderSubprotocolIsPreferred() {
        #expect(PortForwardRoutes.format(["v5.channel.k8s.io", "v4.channel.k8s.io"])?.name == "v4.channel.k8s.io")
        #expect(PortForwardRoutes.format(["v5.channel.k8s.io"])?.version == .fifth)
        #expect(PortForwardRoutes.format([])?.version == .fourth)
    }

    @Test func aChannelCanBeClosed() async throws {
        try await Self.withEcho { port in
            try await StreamsService.with { service, place in
                try await place.pod()
                let messages = try await WebSocketClient.connect(
                    url: Self.url(service, "?ports=\(port)"), protocols: ["v5.channel.k8s.io"]
                ) { session, _ in
                    try await session.send(.binary(ByteBuffer(bytes: [0] + Array("all".utf8))))
                    try await session.send(.binary(ByteBuffer(bytes: [255, 0])))
                    var messages: [WebSocketMessage] = []
                    for try await message in session.inbound { messages.append(message) }
                    return messages
                }
                #expect(messages.dropFirst(2) == [.binary(ByteBuffer(string: "\0all")), .binary(ByteBuffer(bytes: [255, 0]))])
            }
        }
    }

    // MARK: The tunnel

    /// What kubectl does: SPDY/3.1 in a WebSocket.
    private final class Tunnel {
        let session: WebSocketSession
        private var messages: WebSocketInbound.AsyncIterator
        private let encoder: SPDYEncoder
        private var decoder: SPDYDecoder
        private(set) var data: [UInt32: ByteBuffer] = [:]
        private(set) var ended: Set<UInt32> = []
        private(set) var replied: Set<UInt32> = []
        private(set) var resets: [UInt32: SPDYFrame.ResetStatus] = [:]
        private(set) var pings: [UInt32] = []
        private(set) var granted: [UInt32: Int] = [:]
        private var next: UInt32 = 1

        init(_ session: WebSocketSession) throws {
            self.session = session
            messages = session.inbound.makeAsyncIterator()
            encoder = try SPDYEncoder()
            decoder = try SPDYDecoder()
        }

        func send(_ frame: SPDYFrame) async throws { try await session.send(try encoder.encode(frame)) }

        /// Opens an error and a data stream.
        func open(_ port: UInt16, _ request: Int) async throws -> (error: UInt32, data: UInt32) {
            defer { next += 4 }
            for (id, type) in [(next, "error"), (next + 2, "data")] {
                try await send(
                    .open(
                        stream: id, headers: ["streamtype": [type], "port": [String(port)], "requestid": [String(request)]],
                        isLast: false, isOneWay: false))
            }
            try await send(.data(stream: next, bytes: ByteBuffer(), isLast: true))
            return (next, next + 2)
        }

        /// Reads until a condition is fulfilled.
        func read(until isDone: () -> Bool) async throws {
            while !isDone() {
                while let frame = try decoder.next() {
                    switch frame {
                    case .data(let id, let bytes, let isLast):
                        data[id, default: ByteBuffer()].writeImmutableBuffer(bytes)
                        if isLast { ended.insert(id) }
                    case .reply(let id, _, _): replied.insert(id)
                    case .reset(let id, let status): resets[id] = status
                    case .ping(let id): pings.append(id)
                    case .window(let id, let more): granted[id, default: 0] += Int(more)
                    default: break
                    }
                }
                if isDone() { return }
                guard case .binary(let bytes)? = try await messages.next() else { throw WebSocketError.closed }
                decoder.append(bytes)
            }
        }
    }

    private static func withTunnel(_ body: @escaping @Sendable (Tunnel, UInt16) async throws -> Void) async throws {
        try await withEcho { port in
            try await StreamsService.with { service, place in
                try await place.pod()
                try await WebSocketClient.connect(url: url(service), protocols: [TunnelForward.subprotocol]) { session, negotiated in
                    #expect(negotiated == "SPDY/3.1+portforward.k8s.io")
                    try await body(try Tunnel(session), port)
                }
            }
        }
    }

    @Test func severalConnectionsAtOnce() async throws {
        try await Self.withTunnel { tunnel, port in
            let first = try await tunnel.open(port, 0)
            let second = try await tunnel.open(port, 1)
            try await tunnel.send(.ping(9))
            try await tunnel.send(.data(stream: second.data, bytes: ByteBuffer(string: "two"), isLast: false))
            try await tunnel.send(.data(stream: first.data, bytes: ByteBuffer(string: "one"), isLast: true))
            try await tunnel.read { tunnel.ended.isSuperset(of: [first.data, first.error]) && tunnel.data[second.data] != nil }
            #expect(tunnel.data[first.data] == ByteBuffer(string: "one"))
            #expect(tunnel.data[first.error]?.readableBytes == 0)
            #expect(tunnel.data[second.data] == ByteBuffer(string: "two"))
            #expect(tunnel.replied == [first.error, first.data, second.error, second.data])
            #expect(tunnel.pings == [9])
            #expect(!tunnel.ended.contains(second.data))
            // The second goes on, and ends when the client gives it up.
            try await tunnel.send(.data(stream: second.data, bytes: ByteBuffer(string: "!"), isLast: false))
            try await tunnel.read { tunnel.data[second.data]?.readableBytes == 4 }
            try await tunnel.send(.reset(stream: second.data, status: .cancel))
            try await tunnel.read { tunnel.ended.contains(second.error) }
        }
    }

    @Test func muchDataBothWays() async throws {
        let big = ByteBuffer(bytes: (0..<1_000_000).map { UInt8(truncatingIfNeeded: $0 &* 17 >> 5) })
        try await Self.withTunnel { tunnel, port in
            // A client that minds windows as Kubernetes' do not: neither end waits for the other's grant.
            let pair = try await tunnel.open(port, 0)
            let (session, encoder) = (tunnel.session, try SPDYEncoder())
            async let sent: Void = {
                var rest = big
                while let part = rest.readSlice(length: min(32_768, rest.readableBytes)), part.readableBytes > 0 {
                    try await session.send(
                        SPDYEncoder.encodeBare(.data(stream: pair.data, bytes: part, isLast: rest.readableBytes == 0)))
                }
            }()
            _ = encoder
            try await tunnel.read { tunnel.ended.contains(pair.data) }
            try await sent
            #expect(tunnel.data[pair.data] == big)
            // Whoever does mind them was granted all of it again.
            #expect(tunnel.granted[pair.data] ?? 0 > 900_000 && tunnel.granted[0] ?? 0 > 900_000)
        }
    }

    @Test func aClientsWindowIsMinded() async throws {
        try await Self.withTunnel { tunnel, port in
            try await tunnel.send(.settings([SPDYFrame.initialWindowSetting: 1000]))
            let pair = try await tunnel.open(port, 0)
            try await tunnel.send(.data(stream: pair.data, bytes: ByteBuffer(repeating: 1, count: 3000), isLast: true))
            try await tunnel.read { tunnel.data[pair.data]?.readableBytes == 1000 }
            // Its answer comes behind everything that the other end had to say.
            try await tunnel.send(.ping(1))
            try await tunnel.read { !tunnel.pings.isEmpty }
            #expect(tunnel.data[pair.data]?.readableBytes == 1000)
            try await tunnel.send(.window(stream: pair.data, more: 5000))
            try await tunnel.read { tunnel.ended.contains(pair.data) }
            #expect(tunnel.data[pair.data]?.readableBytes == 3000)
        }
    }

    @Test func whatGoesWrongIsToldOnTheErrorStream() async throws {
        let dead = UInt16(try freePort())
        try await Self.withTunnel { tunnel, _ in
            let pair = try await tunnel.open(dead, 0)
            try await tunnel.read { tunnel.ended.isSuperset(of: [pair.data, pair.error]) }
            let text = String(buffer: tunnel.data[pair.error] ?? ByteBuffer())
            #expect(text.hasPrefix("error forwarding port \(dead) to pod p_n, uid ") && text.hasSuffix("connection refused"))
            // A stream that says nothing sensible, and a number that was used.
            try await tunnel.send(.open(stream: 101, headers: ["streamtype": ["data"], "port": ["x"]], isLast: false, isOneWay: false))
            try await tunnel.send(.open(stream: 101, headers: ["port": ["1"]], isLast: false, isOneWay: false))
            try await tunnel.send(.open(stream: 102, headers: [:], isLast: false, isOneWay: false))
            try await tunnel.read { tunnel.resets.count == 2 }
            #expect(tunnel.resets[102] == .protocolError)
        }
    }

    @Test func refusals() async throws {
        try await StreamsService.with { service, place in
            try await place.pod("p") { $0[path: "status", "phase"] = "Succeeded" }
            try await place.pod("q")
            for (path, protocols, code) in [
                ("p/portforward?ports=1", ["v4.channel.k8s.io"], 500), ("q/portforward", ["v4.channel.k8s.io"], 400),
                ("q/portforward?ports=0", ["v4.channel.k8s.io"], 400), ("q/portforward?ports=1", ["other"], 400),
            ] {
                await #expect {
                    try await WebSocketClient.connect(
                        url: service.url + "/api/v1/namespaces/n/pods/" + path, protocols: protocols
                    ) { _, _ in }
                } throws: {
                    ($0 as? WebSocketHandshakeRefused)?.status == code
                }
            }
        }
    }
}
