import NIOSSL

/// Where Redis is and how long it may take.
public struct RedisConfiguration: Sendable {
    public var host: String
    public var port: Int
    /// Nil for a server without access lists; then `password` alone is sent.
    public var user: String?
    public var password: String?
    public var database: Int
    /// Set for `rediss://`; the default trusts the system's certificate authorities and checks the host name.
    public var tls: TLSConfiguration?
    /// How long a command waits for a connection while Redis is away.
    public var waitLimit: Duration = .seconds(12)
    /// How long a sent command may remain unanswered. The connection is given up then, since a later answer could not be told apart.
    public var commandTimeout: Duration = .seconds(5)
    /// How long one attempt to connect may take, name look-up and TLS included.
    public var connectTimeout: Duration = .seconds(3)
    /// How long the connection may be silent before it is asked for a sign of life.
    public var heartbeat: Duration = .seconds(15)

    /// `redis[s]://[[user]:password@]host[:port][/database]`, the form registered with IANA.
    /// - Throws: ``RedisError/invalidConfiguration(_:)`` naming what is wrong, without the password.
    public init(url: String) throws {
        let parts = try RedisURL(url)
        (host, port, user, password, database) = (parts.host, parts.port, parts.user, parts.password, parts.database)
        tls = parts.secure ? .makeClientConfiguration() : nil
    }
}

struct RedisURL {
    var secure = false
    var host = ""
    var port = 6379
    var user: String?
    var password: String?
    var database = 0

    init(_ text: String) throws {
        guard let scheme = text.firstRange(of: "://") else {
            throw RedisError.invalidConfiguration("a Redis URL starts with redis:// or rediss://")
        }
        switch text[..<scheme.lowerBound].lowercased() {
        case "redis": secure = false
        case "rediss": secure = true
        default: throw RedisError.invalidConfiguration("a Redis URL starts with redis:// or rediss://")
        }
        var rest = text[scheme.upperBound...]
        if let end = rest.firstIndex(where: { $0 == "?" || $0 == "#" }) { rest = rest[..<end] }
        if let at = rest.lastIndex(of: "@") {
            try readCredentials(rest[..<at])
            rest = rest[rest.index(after: at)...]
        }
        if let slash = rest.firstIndex(of: "/") {
            try readDatabase(rest[rest.index(after: slash)...])
            rest = rest[..<slash]
        }
        try readAddress(rest)
    }

    private mutating func readCredentials(_ text: Substring) throws {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard let name = decoded(parts[0]), let secret = parts.count == 2 ? decoded(parts[1]) : "" else {
            throw RedisError.invalidConfiguration("the credentials of the Redis URL are not properly percent-encoded")
        }
        // A single word is the password, as in `redis://secret@host`.
        user = parts.count == 2 && !name.isEmpty ? name : nil
        password = parts.count == 2 ? secret : name
        if password?.isEmpty == true { password = nil }
    }

    private mutating func readDatabase(_ text: Substring) throws {
        guard !text.isEmpty else { return }
        guard let number = Int(text), number >= 0 else {
            throw RedisError.invalidConfiguration("the path of a Redis URL is a database number")
        }
        database = number
    }

    private mutating func readAddress(_ text: Substring) throws {
        var text = text
        if text.first == "[" {
            guard let close = text.firstIndex(of: "]") else { throw RedisError.invalidConfiguration("the Redis URL has an unclosed [") }
            host = String(text[text.index(after: text.startIndex)..<close])
            text = text[text.index(after: close)...]
        } else {
            let end = text.firstIndex(of: ":") ?? text.endIndex
            host = String(text[..<end])
            text = text[end...]
        }
        guard !host.isEmpty else { throw RedisError.invalidConfiguration("the Redis URL has no host") }
        guard !text.isEmpty else { return }
        guard text.first == ":", let number = Int(text.dropFirst()), (1...65_535).contains(number) else {
            throw RedisError.invalidConfiguration("the port of the Redis URL is not a number from 1 to 65535")
        }
        port = number
    }

    private func decoded(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var input = text.utf8.makeIterator()
        while let byte = input.next() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = input.next(), let low = input.next(),
                let value = UInt8(String(decoding: [high, low], as: UTF8.self), radix: 16)
            else { return nil }
            bytes.append(value)
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
