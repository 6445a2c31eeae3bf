import Foundation
import PlatformModel
import ServiceKit

/// What a client asked of a job's log (monitoring.md 5.1).
struct LogOptions: Sendable, Equatable {
    /// Nil: from the job's beginning.
    var since: UTCTime?
    var timestamps = false
    /// Empty: none is wanted.
    var separator: String
    var debug = false

    static let maximumSeparator = 1024

    /// - Throws: 400 as the contract words it.
    init(_ query: QueryItems) throws {
        timestamps = try query.flag("timestamps") ?? false
        debug = try query.flag("debug") ?? false
        if let text = query.first("archive_delay") {
            // There is no archive yet; the value is only checked.
            guard let delay = Double(text.trimmingCharacters(in: .whitespaces)), !delay.isNaN else {
                throw PlatformError.badRequest("could not convert string to float: '\(text)'")
            }
        }
        separator = query.first("separator") ?? Self.randomSeparator()
        guard separator.utf8.count <= Self.maximumSeparator, separator.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7F })
        else { throw PlatformError.badRequest("The separator is too long or has control characters") }
        if let text = query.first("since") {
            guard let time = Self.time(text) else { throw PlatformError.badRequest("Unable to parse date string '\(text)'") }
            since = time
        }
    }

    init(separator: String = "") { self.separator = separator }

    /// Also takes a bare year and basic forms (`20260102T030405Z`).
    static func time(_ text: String) -> UTCTime? {
        if let time = UTCTime(text) { return time }
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        if digits.count == 4, text.count == 4 { return UTCTime(text + "-01-01") }
        guard digits.count == 8 else { return nil }
        let date = "\(digits.prefix(4))-\(digits.dropFirst(4).prefix(2))-\(digits.suffix(2))"
        let rest = text.dropFirst(8)
        guard let mark = rest.first else { return UTCTime(date) }
        guard mark == "T" || mark == " " else { return nil }
        let clock = rest.dropFirst().prefix { $0.isASCII && $0.isNumber }
        guard clock.count == 6 || clock.count == 4 else { return nil }
        let seconds = clock.count == 6 ? clock.suffix(2) : "00"
        let tail = rest.dropFirst(1 + clock.count)
        return UTCTime("\(date)T\(clock.prefix(2)):\(clock.dropFirst(2).prefix(2)):\(seconds)\(tail)")
    }

    private static func randomSeparator() -> String {
        "=== Live logs ===" + String((0..<60).map { _ in "0123456789abcdef".randomElement() ?? "0" })
    }
}

extension QueryItems {
    /// A flag by the contract's rule (3.2); nil when absent.
    func flag(_ name: String) throws -> Bool? {
        guard let value = first(name) else { return nil }
        switch value.lowercased() {
        case "1", "true": return true
        case "0", "false": return false
        default: throw PlatformError.badRequest("\"\(name)\" request parameter can be \"true\"/\"1\" or \"false\"/\"0\"")
        }
    }
}
