import Foundation
public import NIOCore
import WebSocket

/// An open exec or attach: the channels of one WebSocket (`v5.channel.k8s.io`, `v4.channel.k8s.io`). Outputs are read by one task.
public struct PodSession: Sendable {
    let socket: WebSocketSession
    /// The subprotocol that the server chose.
    public let subprotocol: String

    /// What the process writes, ending after `.ended`. To be iterated once.
    public var outputs: PodOutputs { PodOutputs(inbound: socket.inbound) }

    /// Sends input to the process; returns when the socket took it.
    public func write(_ bytes: ByteBuffer) async throws { try await send(.stdin, bytes) }

    /// Tells the process its terminal's size, in characters.
    public func resize(columns: Int, rows: Int) async throws {
        try await send(.resize, ByteBuffer(string: #"{"Width":\#(columns),"Height":\#(rows)}"#))
    }

    /// Ends the input. Only v5 can say so; with v4 this does nothing, and input ends with the session.
    public func closeInput() async throws {
        guard subprotocol == PodChannel.v5 else { return }
        try await send(.close, ByteBuffer(bytes: [PodChannel.stdin.rawValue]))
    }

    private func send(_ channel: PodChannel, _ payload: ByteBuffer) async throws {
        var frame = ByteBufferAllocator().buffer(capacity: payload.readableBytes + 1)
        frame.writeInteger(channel.rawValue)
        frame.writeImmutableBuffer(payload)
        do {
            try await socket.send(.binary(frame))
        } catch let error as WebSocketError {
            throw KubernetesError.unavailable(reason: "\(error)", mayHaveRun: true)
        }
    }
}

/// One piece of what a process wrote, or how it ended.
public enum PodOutput: Sendable, Equatable {
    /// May be empty: servers send an empty piece first, to say that the session stands.
    case stdout(ByteBuffer)
    case stderr(ByteBuffer)
    /// The process, or the session, ended with this. See `Status.exitCode`.
    case ended(Status)
}

/// The outputs of a session. Ends without `.ended` when the server closed the session without a verdict.
public struct PodOutputs: AsyncSequence, Sendable {
    public typealias Element = PodOutput
    let inbound: WebSocketInbound

    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(base: inbound.makeAsyncIterator()) }

    public struct AsyncIterator: AsyncIteratorProtocol {
        var base: WebSocketInbound.AsyncIterator
        private var ended = false

        init(base: WebSocketInbound.AsyncIterator) { self.base = base }

        /// - Throws: `KubernetesError.unavailable` when the connection broke.
        public mutating func next() async throws -> PodOutput? {
            while !ended {
                let message: WebSocketMessage?
                do {
                    message = try await base.next()
                } catch let error as WebSocketError {
                    throw KubernetesError.unavailable(reason: "\(error)", mayHaveRun: true)
                }
                guard let message else { return nil }
                guard case .binary(let frame) = message, let output = PodChannel.output(frame) else { continue }
                if case .ended = output { ended = true }
                return output
            }
            return nil
        }
    }
}

/// The first byte of each message (`k8s.io/kubelet/pkg/cri/streaming/remotecommand`).
enum PodChannel: UInt8 {
    case stdin = 0
    case stdout = 1
    case stderr = 2
    case error = 3
    case resize = 4
    /// v5: the payload is the channel to close.
    case close = 255

    static let v5 = "v5.channel.k8s.io"
    static let v4 = "v4.channel.k8s.io"

    static func output(_ frame: ByteBuffer) -> PodOutput? {
        var frame = frame
        switch frame.readInteger(as: UInt8.self).flatMap(PodChannel.init(rawValue:)) {
        case .stdout: return .stdout(frame)
        case .stderr: return .stderr(frame)
        case .error where frame.readableBytes > 0: return .ended(status(frame))
        default: return nil
        }
    }

    /// v4 and v5 send a Status; anything else is the text of a failure.
    private static func status(_ payload: ByteBuffer) -> Status {
        let data = Data(buffer: payload)
        if let status = try? KubernetesCoding.decoder().decode(Status.self, from: data) { return status }
        return Status(code: 500, reason: "InternalError", message: String(decoding: data, as: UTF8.self))
    }
}

extension Status {
    /// The exit status of a process that ended in an exec session: 0 for success, the `ExitCode` cause of a `NonZeroExitCode`, nil when
    /// the failure was not the process's (`InternalError`).
    public var exitCode: Int? {
        if status?.lowercased() == "success" || status == nil { return 0 }
        return details?.causes?.first { $0.reason == "ExitCode" }?.message.flatMap(Int.init)
    }
}
