import NIOCore
import NIOWebSocket

/// Makes messages of frames and holds the other end to RFC 6455 §5. Pure.
struct MessageAssembler {
    enum Event: Equatable {
        /// Opcode and payload in one buffer.
        case message(ByteBuffer)
        case ping(ByteBuffer)
        case pong
        case close(WebSocketClose)
    }

    struct Violation: Error, Equatable {
        let code: WebSocketCloseCode
        let reason: String
    }

    static let text: UInt8 = 1
    static let binary: UInt8 = 2

    /// A server takes masked frames only, a client unmasked ones only.
    let expectsMask: Bool
    let maxMessage: Int
    private var partial: ByteBuffer?

    init(expectsMask: Bool, maxMessage: Int) {
        self.expectsMask = expectsMask
        self.maxMessage = maxMessage
    }

    mutating func receive(_ frame: WebSocketFrame) throws(Violation) -> Event? {
        guard frame.reservedBits.isEmpty else { throw Violation(code: .protocolError, reason: "reserved bits without an extension") }
        guard (frame.maskKey != nil) == expectsMask else {
            throw Violation(code: .protocolError, reason: expectsMask ? "frame without a mask" : "masked frame")
        }
        switch frame.opcode {
        case .text, .binary:
            guard partial == nil else { throw Violation(code: .protocolError, reason: "message within a message") }
            var message = ByteBuffer()
            message.reserveCapacity(1 + frame.length)
            message.writeInteger(frame.opcode == .text ? Self.text : Self.binary)
            return try add(frame, to: message)
        case .continuation:
            guard let message = partial else { throw Violation(code: .protocolError, reason: "continuation of nothing") }
            partial = nil
            return try add(frame, to: message)
        case .ping: return .ping(frame.unmaskedData)
        case .pong: return .pong
        case .connectionClose: return .close(try Self.close(frame.unmaskedData))
        default: throw Violation(code: .protocolError, reason: "unknown opcode")
        }
    }

    private mutating func add(_ frame: WebSocketFrame, to message: consuming ByteBuffer) throws(Violation) -> Event? {
        var message = message
        guard message.readableBytes - 1 + frame.length <= maxMessage else {
            throw Violation(code: .messageTooBig, reason: "message over \(maxMessage) bytes")
        }
        var payload = frame.data
        let start = message.writerIndex
        message.writeBuffer(&payload)
        if let key = frame.maskKey {
            let whole = message.readerIndex
            message.moveReaderIndex(to: start)
            message.webSocketUnmask(key)
            message.moveReaderIndex(to: whole)
        }
        guard frame.fin else {
            partial = message
            return nil
        }
        if message.getInteger(at: message.readerIndex, as: UInt8.self) == Self.text, !message.readableBytesView.dropFirst().isUTF8 {
            throw Violation(code: .invalidPayload, reason: "text is not UTF-8")
        }
        return .message(message)
    }

    private static func close(_ data: ByteBuffer) throws(Violation) -> WebSocketClose {
        var data = data
        guard data.readableBytes > 0 else { return WebSocketClose(code: nil) }
        guard let number = data.readInteger(as: UInt16.self), WebSocketCloseCode(rawValue: number).mayBeSent else {
            throw Violation(code: .protocolError, reason: "bad close code")
        }
        guard data.readableBytesView.isUTF8 else { throw Violation(code: .invalidPayload, reason: "close reason is not UTF-8") }
        return WebSocketClose(code: WebSocketCloseCode(rawValue: number), reason: String(buffer: data))
    }
}

extension Collection<UInt8> where SubSequence: Collection<UInt8> {
    var isUTF8: Bool {
        withContiguousStorageIfAvailable { String(validating: $0, as: UTF8.self) != nil }
            ?? (String(validating: self, as: UTF8.self) != nil)
    }
}
