import Foundation
import Kubernetes
import NIOCore

/// The client's channel protocol, `v2.channels.neu.ro`: the first byte of a binary message is its channel (monitoring.md 11.4).
enum ClientFrames {
    enum Input: Equatable {
        case stdin(ByteBuffer)
        case resize(columns: Int, rows: Int)
        /// Nothing that asks for something.
        case other
    }

    static func stdout(_ bytes: ByteBuffer) -> ByteBuffer { frame(1, bytes) }
    static func stderr(_ bytes: ByteBuffer) -> ByteBuffer { frame(2, bytes) }

    /// How the process ended; the last frame of a session.
    static func status(_ status: Status) -> ByteBuffer {
        var text = #"{"exit_code": \#(status.exitCode ?? 1)"#
        if status.exitCode != 0, let message = status.message, !message.isEmpty { text += #", "message": \#(ASCIIJSON.string(message))"# }
        return frame(3, ByteBuffer(string: text + "}"))
    }

    static func status(exitCode: Int) -> ByteBuffer { frame(3, ByteBuffer(string: #"{"exit_code": \#(exitCode)}"#)) }

    static func input(_ message: ByteBuffer) -> Input {
        var message = message
        switch message.readInteger(as: UInt8.self) {
        case 0: return .stdin(message)
        case 4:
            guard let size = try? JSONDecoder().decode([String: Int].self, from: Data(message.readableBytesView)) else { return .other }
            let sizes = Dictionary(size.map { ($0.key.lowercased(), $0.value) }) { first, _ in first }
            guard let width = sizes["width"], let height = sizes["height"], (0...65535).contains(width), (0...65535).contains(height)
            else { return .other }
            return .resize(columns: width, rows: height)
        default: return .other
        }
    }

    private static func frame(_ channel: UInt8, _ payload: ByteBuffer) -> ByteBuffer {
        var frame = ByteBufferAllocator().buffer(capacity: payload.readableBytes + 1)
        frame.writeInteger(channel)
        frame.writeImmutableBuffer(payload)
        return frame
    }
}

/// JSON text of printable ASCII only, so that it can also stand in a header.
enum ASCIIJSON {
    static func string(_ text: String) -> String {
        var out = "\""
        for unit in text.utf16 {
            switch unit {
            case 0x22: out += "\\\""
            case 0x5C: out += "\\\\"
            case 0x0A: out += "\\n"
            case 0x20...0x7E: out.unicodeScalars.append(Unicode.Scalar(UInt8(unit)))
            default:
                let hex = String(unit, radix: 16)
                out += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
            }
        }
        return out + "\""
    }
}
