import Foundation
import Logging

/// Logs one JSON object a line: `time`, `level`, `logger`, `message` and the metadata as further fields, with secrets scrubbed.
public struct JSONLogHandler: LogHandler {
    public var logLevel: Logger.Level
    public var metadata: Logger.Metadata = [:]
    private let label: String
    private let write: @Sendable (String, Logger.Level) -> Void

    /// A handler that writes to standard output: errors before the call returns, the rest within some milliseconds and at exit.
    public init(label: String, level: Logger.Level) {
        self.init(label: label, level: level, sink: { StandardOutput.shared.write($0, urgent: $1 >= .error) })
    }

    /// A handler that hands its lines, with their line break, to `write`.
    public init(label: String, level: Logger.Level, write: @escaping @Sendable (String) -> Void) {
        self.init(label: label, level: level, sink: { line, _ in write(line) })
    }

    private init(label: String, level: Logger.Level, sink: @escaping @Sendable (String, Logger.Level) -> Void) {
        self.label = label
        logLevel = level
        write = sink
    }

    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    public func log(event: LogEvent) {
        var fields = metadata
        if let more = event.metadata { fields.merge(more) { _, new in new } }
        var line = "{\"time\":\"\(TimestampFormat.string(Date()))\",\"level\":\"\(event.level.rawValue)\",\"logger\":"
        JSONLogHandler.append(label, to: &line)
        line += ",\"message\":"
        JSONLogHandler.append(Scrubber.scrub(event.message.description), to: &line)
        for (key, value) in fields.sorted(by: { $0.key < $1.key }) {
            line += ","
            JSONLogHandler.append(JSONLogHandler.reserved.contains(key) ? key + "_" : key, to: &line)
            line += ":"
            JSONLogHandler.append(value, to: &line)
        }
        line += "}\n"
        write(line, event.level)
    }

    private static let reserved: Set = ["time", "level", "logger", "message"]

    private static func append(_ value: Logger.Metadata.Value, to line: inout String) {
        switch value {
        case .string(let text): append(Scrubber.scrub(text), to: &line)
        case .stringConvertible(let number as any BinaryInteger): line += String(describing: number)
        case .stringConvertible(let value): append(Scrubber.scrub(value.description), to: &line)
        case .array(let values):
            line += "["
            for (index, value) in values.enumerated() {
                if index > 0 { line += "," }
                append(value, to: &line)
            }
            line += "]"
        case .dictionary(let values):
            line += "{"
            for (index, (key, value)) in values.sorted(by: { $0.key < $1.key }).enumerated() {
                if index > 0 { line += "," }
                append(key, to: &line)
                line += ":"
                append(value, to: &line)
            }
            line += "}"
        }
    }

    private static func append(_ text: String, to line: inout String) {
        line += "\""
        defer { line += "\"" }
        guard text.utf8.contains(where: isSpecial) else {
            line += text
            return
        }
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": line += "\\\""
            case "\\": line += "\\\\"
            case "\n": line += "\\n"
            case "\r": line += "\\r"
            case "\t": line += "\\t"
            case _ where scalar.value < 0x20 || scalar == "\u{2028}" || scalar == "\u{2029}":
                let hex = String(scalar.value, radix: 16)
                line += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
            default: line.unicodeScalars.append(scalar)
            }
        }
    }

    /// Whether a text with this byte may hold something to escape; 0xE2 begins U+2028 and U+2029.
    private static func isSpecial(_ byte: UInt8) -> Bool {
        byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") || byte == 0xE2
    }
}
