import Foundation

/// The query of a request: names and values decoded once, `+` read as a space, order and repetitions kept.
public struct QueryItems: Sendable {
    /// Every item in order; an item without `=` has an empty value.
    public let items: [(name: String, value: String)]

    /// Reads a raw query string.
    /// - Throws: ``PlatformError`` 400 when an escape is broken or is not UTF-8.
    public init(_ query: String?) throws {
        items = try (query ?? "").split(separator: "&").map { part in
            let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = PercentCoding.decode(pair[0], plusIsSpace: true),
                let value = PercentCoding.decode(pair.count > 1 ? pair[1] : "", plusIsSpace: true)
            else { throw PlatformError.badRequest("The query has a broken percent escape.") }
            return (name, value)
        }
    }

    init() { items = [] }

    /// The first value of a name.
    public func first(_ name: String) -> String? { items.first { $0.name == name }?.value }

    /// Every value of a name, in order.
    public func all(_ name: String) -> [String] { items.filter { $0.name == name }.map(\.value) }

    /// The first value.
    /// - Throws: 400 naming the parameter when it is absent or empty.
    public func required(_ name: String) throws -> String {
        guard let value = first(name), !value.isEmpty else { throw PlatformError.badRequest("\(name): is required in the query") }
        return value
    }

    /// A flag; nil when absent. `true`, `1`, `yes`, `on`, an empty value and their opposites.
    /// - Throws: 400 naming the parameter for anything else.
    public func bool(_ name: String) throws -> Bool? {
        guard let value = first(name) else { return nil }
        guard let flag = value.isEmpty ? true : Bool(flag: value) else { throw PlatformError.badRequest("\(name): expected true or false") }
        return flag
    }

    /// A whole number; nil when absent.
    /// - Throws: 400 naming the parameter.
    public func int(_ name: String) throws -> Int? {
        guard let value = first(name) else { return nil }
        guard let number = Int(value) else { throw PlatformError.badRequest("\(name): expected a whole number") }
        return number
    }

    /// A time as ``TimestampFormat`` reads it, or seconds since 1970; nil when absent.
    /// - Throws: 400 naming the parameter.
    public func date(_ name: String) throws -> Date? {
        guard let value = first(name) else { return nil }
        // An unescaped `+00:00` arrives with a space in place of its sign.
        let text = value.contains("T") ? value.replacingOccurrences(of: " ", with: "+") : value
        if let date = TimestampFormat.date(text) { return date }
        if let seconds = Double(value), seconds.isFinite { return Date(timeIntervalSince1970: seconds) }
        throw PlatformError.badRequest("\(name): expected a time such as 2026-01-31T12:00:00+00:00")
    }
}
