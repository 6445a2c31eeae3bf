/// What can go wrong between a caller and its database.
public enum PostgresError: Error, Sendable, Equatable {
    /// The server cannot be reached, or the connection broke. `mayHaveRun` says whether the statement may have taken effect: when false it
    /// may be repeated without thought.
    case unavailable(reason: String, mayHaveRun: Bool)
    /// Every connection of the pool stayed lent for the whole wait limit.
    case poolExhausted
    /// The statement passed its time limit and was stopped; it had no effect.
    case timedOut
    /// The server refused the statement.
    case server(PostgresServerError)
    /// A row did not hold what its reader asked for.
    case decoding(String)
    /// A parameter cannot be sent (a text with a NUL character, say).
    case invalidParameter(String)
    /// The connection string is none.
    case invalidConfiguration(String)
    /// The list of migrations, or one of them, is wrong.
    case migration(String)
    /// The connection was closed by its owner.
    case closed

    /// The SQLSTATE of a refusal by the server.
    public var sqlState: String? {
        guard case .server(let error) = self else { return nil }
        return error.sqlState
    }

    /// A unique constraint (or, with a name, that one) was hit.
    public func isUniqueViolation(_ constraint: String? = nil) -> Bool { isServer("23505", constraint) }
    /// A foreign key constraint (or, with a name, that one) was hit.
    public func isForeignKeyViolation(_ constraint: String? = nil) -> Bool { isServer("23503", constraint) }

    private func isServer(_ state: String, _ constraint: String?) -> Bool {
        guard case .server(let error) = self, error.sqlState == state else { return false }
        return constraint == nil || error.constraint == constraint
    }
}

/// A refusal by the server, field by field (PostgreSQL protocol, "Error and Notice Message Fields").
public struct PostgresServerError: Error, Sendable, Equatable {
    /// The five characters of the SQLSTATE.
    public let sqlState: String
    public let message: String
    public let detail: String?
    public let constraint: String?
    public let table: String?
    public let column: String?
}

extension PostgresServerError: CustomStringConvertible {
    public var description: String {
        "\(message) (\(sqlState))" + (detail.map { ": \($0)" } ?? "") + (constraint.map { " [constraint \($0)]" } ?? "")
    }
}
