import Foundation

/// A value that can be read from a cell.
public protocol PostgresDecodable {
    /// - Throws: `PostgresError.decoding` when the cell holds something else.
    init(postgres cell: PostgresCell) throws
}

/// One value of a row in the server's text form.
public struct PostgresCell: Sendable {
    /// The column's name, for messages.
    public let column: String
    /// The object id of the column's type.
    public let type: UInt32
    /// The text; nil for NULL.
    public let text: String?

    /// `json` or `jsonb`.
    public var isJSON: Bool { type == 114 || type == 3802 }

    /// The text of a value that must not be NULL.
    public func required() throws -> String {
        guard let text else { throw PostgresError.decoding("\(column) is null") }
        return text
    }

    public func mismatch(_ expected: String) -> PostgresError {
        .decoding("\(column) holds no \(expected)" + (text == nil ? " but null" : ""))
    }

    func parse<T>(_ expected: String, _ body: (String) -> T?) throws -> T {
        guard let value = body(try required()) else { throw mismatch(expected) }
        return value
    }
}

extension PostgresCell: PostgresDecodable {
    public init(postgres cell: PostgresCell) { self = cell }
}
extension String: PostgresDecodable {
    public init(postgres cell: PostgresCell) throws { self = try cell.required() }
}
extension Int: PostgresDecodable {
    public init(postgres cell: PostgresCell) throws { self = try cell.parse("integer") { Int($0) } }
}
extension Int64: PostgresDecodable {
    public init(postgres cell: PostgresCell) throws { self = try cell.parse("integer") { Int64($0) } }
}
extension Int32: PostgresDecodable {
    public init(postgres cell: PostgresCell) throws { self = try cell.parse("32-bit integer") { Int32($0) } }
}
extension Bool: PostgresDecodable {
    public init(postgres cell: PostgresCell) throws {
        self = try cell.parse("boolean") { $0 == "t" || $0 == "true" ? true : $0 == "f" || $0 == "false" ? false : nil }
    }
}
extension Double: PostgresDecodable {
    public init(postgres cell: PostgresCell) throws { self = try cell.parse("number") { Double($0) } }
}
extension Decimal: PostgresDecodable {
    public init(postgres cell: PostgresCell) throws {
        self = try cell.parse("number") { Decimal(string: $0, locale: Locale(identifier: "en_US_POSIX")) }
    }
}
extension UUID: PostgresDecodable {
    public init(postgres cell: PostgresCell) throws { self = try cell.parse("UUID") { UUID(uuidString: $0) } }
}
extension Date: PostgresDecodable {
    public init(postgres cell: PostgresCell) throws { self = try cell.parse("time") { PostgresTime.parse($0) } }
}
extension Array: PostgresDecodable where Element: PostgresArrayElement {
    public init(postgres cell: PostgresCell) throws { self = try Element.array(from: cell) }
}
extension Optional: PostgresDecodable where Wrapped: PostgresDecodable {
    public init(postgres cell: PostgresCell) throws { self = cell.text == nil ? nil : try Wrapped(postgres: cell) }
}
extension PostgresDecodable where Self: RawRepresentable, RawValue: PostgresDecodable {
    public init(postgres cell: PostgresCell) throws {
        guard let value = Self(rawValue: try RawValue(postgres: cell)) else { throw cell.mismatch("\(Self.self)") }
        self = value
    }
}
