import Crypto

/// A Lua script, known to Redis by the SHA-1 of its source (EVALSHA). Keep one value a script: the digest is computed once.
public struct RedisScript: Sendable {
    public let source: String
    /// Lower-case hexadecimal SHA-1.
    public let sha: String

    public init(_ source: String) {
        self.source = source
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        for byte in Insecure.SHA1.hash(data: Array(source.utf8)) {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        sha = String(decoding: text, as: UTF8.self)
    }
}
