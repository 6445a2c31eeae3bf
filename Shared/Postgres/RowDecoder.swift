import Foundation

/// Reads a row as a `Decodable` type: a keyed container whose keys are columns.
struct RowDecoder: Decoder {
    let row: PostgresRow
    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedDecodingContainer<Key> { KeyedDecodingContainer(Columns<Key>(row: row)) }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer { throw PostgresError.decoding("a row is no list") }

    /// A row of one column is also a single value.
    func singleValueContainer() throws -> any SingleValueDecodingContainer {
        guard let name = row.columns.first, row.columns.count == 1 else { throw PostgresError.decoding("the row has several columns") }
        return CellDecoder(cell: try row.cell(name))
    }

    private struct Columns<Key: CodingKey>: KeyedDecodingContainerProtocol {
        let row: PostgresRow
        var codingPath: [any CodingKey] { [] }
        var allKeys: [Key] { row.columns.compactMap { Key(stringValue: $0) } }

        func contains(_ key: Key) -> Bool { name(of: key) != nil }

        func decodeNil(forKey key: Key) throws -> Bool { try cell(key).text == nil }

        func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T { try CellDecoder.value(T.self, from: try cell(key)) }

        func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type, forKey key: Key) throws -> KeyedDecodingContainer<Nested> {
            throw PostgresError.decoding("\(key.stringValue): columns are not nested; use a JSON column")
        }

        func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
            throw PostgresError.decoding("\(key.stringValue): columns are not nested; use an array or JSON column")
        }

        func superDecoder() throws -> any Decoder { RowDecoder(row: row) }

        func superDecoder(forKey key: Key) throws -> any Decoder { CellDecoder(cell: try cell(key)) }

        private func cell(_ key: Key) throws -> PostgresCell { try row.cell(name(of: key) ?? key.stringValue) }

        private func name(of key: Key) -> String? {
            let name = key.stringValue
            if row.result.places[name] != nil { return name }
            let snake = Self.snakeCase(name)
            return row.result.places[snake] == nil ? nil : snake
        }

        private static func snakeCase(_ name: String) -> String {
            var words = ""
            var wasLower = false
            for character in name {
                if character.isUppercase && wasLower { words.append("_") }
                wasLower = character.isLowercase || character.isNumber
                words.append(contentsOf: character.lowercased())
            }
            return words
        }
    }
}

/// Reads one cell as a `Decodable` type that is no column type itself: an enum by its raw value, or JSON.
struct CellDecoder: Decoder, SingleValueDecodingContainer {
    let cell: PostgresCell
    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    static func value<T: Decodable>(_ type: T.Type, from cell: PostgresCell) throws -> T {
        if !cell.isJSON, let native = T.self as? any PostgresDecodable.Type, let value = try native.init(postgres: cell) as? T {
            return value
        }
        return cell.isJSON
            ? try PostgresTime.decodeJSON(T.self, from: cell.text ?? "null", column: cell.column) : try T(from: CellDecoder(cell: cell))
    }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> { throw cell.mismatch("JSON object") }
    func unkeyedContainer() throws -> any UnkeyedDecodingContainer { throw cell.mismatch("JSON list") }
    func singleValueContainer() -> any SingleValueDecodingContainer { self }

    func decodeNil() -> Bool { cell.text == nil }
    func decode(_ type: Bool.Type) throws -> Bool { try Bool(postgres: cell) }
    func decode(_ type: String.Type) throws -> String { try String(postgres: cell) }
    func decode(_ type: Double.Type) throws -> Double { try Double(postgres: cell) }
    func decode(_ type: Int.Type) throws -> Int { try Int(postgres: cell) }
    func decode<T: Decodable>(_ type: T.Type) throws -> T {
        if let integer = T.self as? any FixedWidthInteger.Type {
            guard let value = integer.init(try cell.required(), radix: 10) as? T else { throw cell.mismatch("\(T.self)") }
            return value
        }
        return try Self.value(T.self, from: cell)
    }
}
