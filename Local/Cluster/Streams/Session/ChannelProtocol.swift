import Foundation
import NIOCore
import WebSocket

/// A subprotocol of Kubernetes' streams over WebSocket: each message is one channel's number and bytes.
struct ChannelProtocol: Sendable, Equatable {
    enum Version: Int, Sendable {
        /// The end is told as text, and only if it is a failure.
        case first = 1
        /// The end is told as a Status.
        case fourth = 4
        /// A channel can be closed.
        case fifth = 5
    }

    /// What is negotiated; nil for a client that offers nothing.
    let name: String?
    let version: Version
    /// Text messages: the channel's digit, then Base64.
    let isBase64: Bool

    static let remoteCommand: [ChannelProtocol] = [
        .init(name: "v5.channel.k8s.io", version: .fifth, isBase64: false),
        .init(name: "v4.channel.k8s.io", version: .fourth, isBase64: false),
        .init(name: "v4.base64.channel.k8s.io", version: .fourth, isBase64: true),
        .init(name: "channel.k8s.io", version: .first, isBase64: false),
        .init(name: "base64.channel.k8s.io", version: .first, isBase64: true),
    ]
    static let portForward = remoteCommand.filter { $0.version != .first }

    /// The first offer that is known; for a client that offers nothing the oldest form, without a name.
    static func choose(_ offered: [String], of known: [ChannelProtocol]) -> ChannelProtocol? {
        if offered.isEmpty {
            let oldest = known.contains { $0.version == .first } ? Version.first : .fourth
            return ChannelProtocol(name: nil, version: oldest, isBase64: false)
        }
        return offered.lazy.compactMap { name in known.first { $0.name == name } }.first
    }

    func message(_ channel: UInt8, _ bytes: ByteBuffer) -> WebSocketMessage {
        if isBase64 {
            return .text(String(channel) + Data(bytes.readableBytesView).base64EncodedString())
        }
        var message = ByteBuffer()
        message.reserveCapacity(1 + bytes.readableBytes)
        message.writeInteger(channel)
        message.writeImmutableBuffer(bytes)
        return .binary(message)
    }

    /// Nil for a message that is none of this protocol.
    func read(_ message: WebSocketMessage) -> (channel: UInt8, bytes: ByteBuffer)? {
        switch message {
        case .binary(var bytes):
            guard !isBase64, let channel = bytes.readInteger(as: UInt8.self) else { return nil }
            return (channel, bytes)
        case .text(let text):
            // Browsers send text for text; what follows the channel's byte is the bytes then.
            guard isBase64 else {
                var bytes = ByteBuffer(string: text)
                return bytes.readInteger(as: UInt8.self).map { ($0, bytes) }
            }
            guard let digit = text.utf8.first, 48...57 ~= digit, let data = Data(base64Encoded: String(text.dropFirst())) else {
                return nil
            }
            return (digit - 48, ByteBuffer(bytes: data))
        }
    }
}

/// The channels of exec and attach.
enum CommandChannel {
    static let stdin: UInt8 = 0
    static let stdout: UInt8 = 1
    static let stderr: UInt8 = 2
    static let error: UInt8 = 3
    static let resize: UInt8 = 4
    /// From v5 on: the payload is the number of the channel to close.
    static let close: UInt8 = 255
}
