import CLibpq

/// Where a database is and how patient its callers are.
public struct PostgresConfiguration: Sendable {
    /// A libpq connection string: `postgres://user:password@host:port/database?sslmode=…` or `key=value` pairs.
    public let url: String
    /// The most connections a pool opens.
    public var maximumConnections = 8
    /// How long lending a connection may wait, outages of the server included.
    public var waitLimit: Duration = .seconds(12)
    /// How long a statement may run; the server stops it then, and the client gives up a little later should the server not answer.
    public var statementTimeout: Duration = .seconds(15)
    /// How long one attempt to connect may take, name resolution included.
    public var connectTimeout: Duration = .seconds(5)
    /// How long an idle connection of a pool is kept.
    public var idleLimit: Duration = .seconds(300)
    /// Shown by `pg_stat_activity`.
    public var applicationName = "orrery"

    /// - Throws: `PostgresError.invalidConfiguration` with libpq's words when `url` is no connection string.
    public init(url: String) throws {
        self.url = url
        _ = try ConnectionString.parse(url)
    }
}

/// libpq's reading of a connection string: only the keys that were given.
enum ConnectionString {
    static func parse(_ text: String) throws -> [String: String] {
        var message: UnsafeMutablePointer<CChar>?
        guard let options = PQconninfoParse(text, &message) else {
            defer { if let message { PQfreemem(message) } }
            // libpq quotes the string, which may hold a password: only its first words are shown.
            let words = message.map { String(cString: $0) } ?? "out of memory"
            throw PostgresError.invalidConfiguration(String(words.prefix { $0 != "\"" && $0 != "\n" }))
        }
        defer { PQconninfoFree(options) }
        var found: [String: String] = [:]
        var option = options
        while let keyword = option.pointee.keyword {
            if let value = option.pointee.val { found[String(cString: keyword)] = String(cString: value) }
            option += 1
        }
        return found
    }
}
