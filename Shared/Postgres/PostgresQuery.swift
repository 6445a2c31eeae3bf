/// A statement with its parameters. In an interpolation every value is bound, never spliced:
///
///     let query: PostgresQuery = "SELECT * FROM jobs WHERE name = \(name) AND status = ANY(\(statuses))"
///
/// `\(raw: …)` splices SQL that the program itself wrote, `\(other)` splices another query with its parameters.
public struct PostgresQuery: ExpressibleByStringInterpolation, Sendable {
    enum Segment: Sendable {
        case sql(String)
        case parameter(PostgresParameter)
        /// A parameter used again, by its place among the segments' own parameters (only of `init(sql:parameters:)`).
        case shared(PostgresParameter, group: Int, index: Int)
    }

    var segments: [Segment]
    /// The statement only reads, so that a pool may repeat it when a connection breaks.
    public var isReadOnly: Bool

    public init(stringLiteral value: String) { self.init(segments: [.sql(value)]) }

    public init(stringInterpolation: StringInterpolation) { self.init(segments: stringInterpolation.segments) }

    /// A statement with `$1`, `$2`, … in its text.
    public init(sql: String, parameters: [any PostgresEncodable] = []) {
        self.init(segments: PlaceholderScanner.segments(of: sql, parameters: parameters.map(\.postgresParameter)))
    }

    init(segments: [Segment]) {
        self.segments = segments
        isReadOnly = Self.startsWithSelect(segments)
    }

    /// The same statement, marked as one that only reads.
    public var readOnly: PostgresQuery {
        var copy = self
        copy.isReadOnly = true
        return copy
    }

    public static func + (left: PostgresQuery, right: PostgresQuery) -> PostgresQuery {
        var sum = PostgresQuery(segments: left.segments + right.segments)
        sum.isReadOnly = left.isReadOnly && (right.isReadOnly || sum.isReadOnly)
        return sum
    }

    public static func += (left: inout PostgresQuery, right: PostgresQuery) { left = left + right }

    private static func startsWithSelect(_ segments: [Segment]) -> Bool {
        guard
            case .sql(let text)? = segments.first(where: { if case .sql(let text) = $0 { !text.allSatisfy(\.isWhitespace) } else { true } })
        else { return false }
        return text.drop(while: \.isWhitespace).prefix(6).lowercased() == "select"
    }
}

extension PostgresQuery {
    public struct StringInterpolation: StringInterpolationProtocol {
        var segments: [Segment] = []

        public init(literalCapacity: Int, interpolationCount: Int) { segments.reserveCapacity(interpolationCount * 2 + 1) }

        public mutating func appendLiteral(_ literal: String) {
            if !literal.isEmpty { segments.append(.sql(literal)) }
        }
        public mutating func appendInterpolation<T: PostgresEncodable>(_ value: T) { segments.append(.parameter(value.postgresParameter)) }
        /// nil binds NULL. (An overload of its own, or the compiler warns of printing an optional.)
        public mutating func appendInterpolation<T: PostgresEncodable>(_ value: T?) {
            segments.append(.parameter(value?.postgresParameter ?? .null))
        }

        /// Values with a bindable raw value: enums of the layers above, which do not know this module.
        @_disfavoredOverload
        public mutating func appendInterpolation<T: RawRepresentable>(_ value: T) where T.RawValue: PostgresEncodable {
            segments.append(.parameter(value.rawValue.postgresParameter))
        }
        @_disfavoredOverload
        public mutating func appendInterpolation<T: RawRepresentable>(_ value: T?) where T.RawValue: PostgresEncodable {
            segments.append(.parameter(value?.rawValue.postgresParameter ?? .null))
        }
        @_disfavoredOverload
        public mutating func appendInterpolation<T: RawRepresentable>(_ values: [T]) where T.RawValue == String {
            segments.append(.parameter(values.map(\.rawValue).postgresParameter))
        }

        /// SQL that the program wrote. Never a value that came from outside.
        public mutating func appendInterpolation(raw sql: String) { segments.append(.sql(sql)) }
        public mutating func appendInterpolation(_ query: PostgresQuery) { segments.append(contentsOf: query.segments) }
    }
}

extension PostgresQuery {
    /// Text with `$n` and the parameters in their order, as the server takes them.
    func rendered() throws -> (sql: String, parameters: [String?]) {
        var sql = ""
        var parameters: [String?] = []
        var places: [[Int]: Int] = [:]
        func bind(_ parameter: PostgresParameter) throws {
            parameters.append(try parameter.text())
            sql += "$\(parameters.count)"
        }
        for segment in segments {
            switch segment {
            case .sql(let text): sql += text
            case .parameter(let parameter): try bind(parameter)
            case .shared(let parameter, let group, let index):
                if let place = places[[group, index]] {
                    sql += "$\(place)"
                } else {
                    try bind(parameter)
                    places[[group, index]] = parameters.count
                }
            }
        }
        if sql.utf8.contains(0) { throw PostgresError.invalidParameter("the statement holds a NUL character") }
        return (sql, parameters)
    }
}
