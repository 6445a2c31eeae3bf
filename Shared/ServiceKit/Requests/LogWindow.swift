import Foundation

/// Which part of a log that is read newest first is asked for: `since` (a time), `before` (an entry's id: what the last page told as `next`)
/// and `limit` (1 to 1,000 entries, 100 unless told).
public struct LogWindow: Sendable {
    public static let largest = 1_000

    public let since: Date?
    public let before: Int64?
    public let limit: Int

    /// - Throws: 400 naming the parameter.
    public init(_ query: QueryItems) throws {
        since = try query.date("since")
        before = try query.int("before").map { Int64($0) }
        limit = try query.int("limit") ?? 100
        guard (1...Self.largest).contains(limit) else { throw PlatformError.badRequest("limit: expected 1 to \(Self.largest)") }
    }

    /// The answer to this question: `{"items": […], "next": 123}`.
    public func page<Entry>(_ items: [Entry]) -> LogPage<Entry> where Entry.ID == Int64 {
        LogPage(items: items, next: items.count == limit ? items.last?.id : nil)
    }
}

/// A page of a log, newest first.
public struct LogPage<Entry: Encodable & Identifiable & Sendable>: Encodable, Sendable where Entry.ID == Int64 {
    public let items: [Entry]
    /// What to ask with as `before` for the next page; absent at the end.
    public let next: Int64?
}
