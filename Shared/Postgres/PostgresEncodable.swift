import Foundation

/// A value that can be bound to a statement. Values travel as text, and the server reads them as the type that their place asks for: a
/// String fits a `uuid` or `jsonb` column, an Int a `numeric` one. Where nothing tells the type (`SELECT $1`), cast: `\(value)::int`.
public protocol PostgresEncodable: Sendable {
    var postgresParameter: PostgresParameter { get }
}

/// A bound value in the server's text form.
public struct PostgresParameter: Sendable, Equatable {
    enum Value: Sendable, Equatable {
        case null, text(String)
        case invalid(String)
    }
    let value: Value

    public static let null = PostgresParameter(value: .null)
    public static func text(_ text: String) -> PostgresParameter {
        // libpq takes C strings, so a NUL would silently cut the value.
        text.utf8.contains(0) ? .invalid("a text holds a NUL character") : PostgresParameter(value: .text(text))
    }
    /// A value that cannot be sent: the statement fails with `PostgresError.invalidParameter` before it reaches the server.
    public static func invalid(_ reason: String) -> PostgresParameter { PostgresParameter(value: .invalid(reason)) }

    func text() throws -> String? {
        switch value {
        case .null: nil
        case .text(let text): text
        case .invalid(let reason): throw PostgresError.invalidParameter(reason)
        }
    }
}

extension PostgresParameter: PostgresEncodable {
    public var postgresParameter: PostgresParameter { self }
}
extension String: PostgresEncodable {
    public var postgresParameter: PostgresParameter { .text(self) }
}
extension Substring: PostgresEncodable {
    public var postgresParameter: PostgresParameter { .text(String(self)) }
}
extension Int: PostgresEncodable {
    public var postgresParameter: PostgresParameter { .text(String(self)) }
}
extension Int64: PostgresEncodable {
    public var postgresParameter: PostgresParameter { .text(String(self)) }
}
extension Int32: PostgresEncodable {
    public var postgresParameter: PostgresParameter { .text(String(self)) }
}
extension Bool: PostgresEncodable {
    public var postgresParameter: PostgresParameter { .text(self ? "t" : "f") }
}
extension Double: PostgresEncodable {
    public var postgresParameter: PostgresParameter {
        if isNaN { return .text("NaN") }
        return .text(isInfinite ? (self < 0 ? "-Infinity" : "Infinity") : description)
    }
}
extension Decimal: PostgresEncodable {
    public var postgresParameter: PostgresParameter { .text(isNaN ? "NaN" : description) }
}
extension UUID: PostgresEncodable {
    public var postgresParameter: PostgresParameter { .text(uuidString.lowercased()) }
}
extension Date: PostgresEncodable {
    /// UTC with microseconds, the resolution of `timestamptz`.
    public var postgresParameter: PostgresParameter { .text(PostgresTime.format(self)) }
}
extension Array: PostgresEncodable where Element: PostgresArrayElement {
    public var postgresParameter: PostgresParameter { Element.parameter(of: self) }
}
extension Optional: PostgresEncodable where Wrapped: PostgresEncodable {
    public var postgresParameter: PostgresParameter { self?.postgresParameter ?? .null }
}
extension PostgresEncodable where Self: RawRepresentable, RawValue: PostgresEncodable {
    public var postgresParameter: PostgresParameter { rawValue.postgresParameter }
}

/// What an array may hold: bytes make a `bytea`, everything else a one-dimensional array.
public protocol PostgresArrayElement: Sendable {
    static func parameter(of array: [Self]) -> PostgresParameter
    static func array(from cell: PostgresCell) throws -> [Self]
}

/// A value sent as `json`/`jsonb`. Dates inside are ISO 8601 in UTC.
public struct PostgresJSON: PostgresEncodable {
    public let postgresParameter: PostgresParameter

    public init<T: Encodable>(_ value: T) {
        do {
            postgresParameter = .text(String(decoding: try PostgresTime.jsonEncoder.encode(value), as: UTF8.self))
        } catch {
            postgresParameter = .invalid("a value cannot be written as JSON: \(error)")
        }
    }
}
