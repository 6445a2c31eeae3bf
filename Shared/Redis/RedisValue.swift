/// A reply of Redis (RESP2).
public enum RedisValue: Sendable, Hashable {
    case null
    case string([UInt8])
    case status(String)
    case integer(Int64)
    case array([RedisValue])
    /// A refusal inside a pipeline or an array; a single command throws ``RedisError/server(_:)`` instead.
    case error(String)

    /// The text of a string or status, nil for anything else. Bytes that are not UTF-8 are replaced.
    public var string: String? {
        switch self {
        case .string(let bytes): String(decoding: bytes, as: UTF8.self)
        case .status(let text): text
        default: nil
        }
    }

    /// The number of an integer reply, or of a string that is a decimal number.
    public var int: Int? {
        switch self {
        case .integer(let number): Int(exactly: number)
        case .string, .status: string.flatMap { Int($0) }
        default: nil
        }
    }

    /// The raw bytes of a string reply.
    public var bytes: [UInt8]? {
        if case .string(let bytes) = self { return bytes }
        return nil
    }

    /// The elements of an array reply.
    public var array: [RedisValue]? {
        if case .array(let values) = self { return values }
        return nil
    }

    public var isNull: Bool { self == .null }
}
