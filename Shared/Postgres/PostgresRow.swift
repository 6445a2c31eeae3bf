import Foundation

/// One row of an answer. Rows share the answer's memory, which is freed with the last of them.
public struct PostgresRow: Sendable {
    let result: ResultHandle
    let index: Int32

    /// The names of the columns, in order.
    public var columns: [String] { result.columns }

    /// - Throws: `PostgresError.decoding` when there is no such column, or it holds something else.
    public func get<T: PostgresDecodable>(_ column: String, as type: T.Type = T.self) throws -> T { try T(postgres: cell(column)) }

    /// Values with a readable raw value: enums of the layers above, which do not know this module.
    @_disfavoredOverload
    public func get<T: RawRepresentable>(_ column: String, as type: T.Type = T.self) throws -> T where T.RawValue: PostgresDecodable {
        let cell = try cell(column)
        guard let value = T(rawValue: try T.RawValue(postgres: cell)) else { throw cell.mismatch("\(T.self)") }
        return value
    }

    @_disfavoredOverload
    public func get<T: RawRepresentable>(_ column: String, as type: T?.Type = T?.self) throws -> T? where T.RawValue: PostgresDecodable {
        let cell = try cell(column)
        guard cell.text != nil else { return nil }
        guard let value = T(rawValue: try T.RawValue(postgres: cell)) else { throw cell.mismatch("\(T.self)") }
        return value
    }

    /// A `json`/`jsonb` (or text) column as a value.
    public func json<T: Decodable>(_ column: String, as type: T.Type = T.self) throws -> T {
        let cell = try cell(column)
        // A NULL reads as JSON's null, so that an optional type gets nil.
        return try PostgresTime.decodeJSON(T.self, from: cell.text ?? "null", column: column)
    }

    /// The row as a value: each key reads the column of its name, or of its name in snake case (`createdAt` reads `created_at`); JSON
    /// columns read any `Decodable`.
    public func decode<T: Decodable>(_ type: T.Type = T.self) throws -> T { try T(from: RowDecoder(row: self)) }

    /// The value of a column by its name.
    public func cell(_ column: String) throws -> PostgresCell {
        guard let place = result.places[column] else { throw PostgresError.decoding("there is no column \(column)") }
        return result.cell(row: index, column: place)
    }
}
