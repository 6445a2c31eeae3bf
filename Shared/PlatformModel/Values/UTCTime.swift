import Foundation

/// A moment on the wire: ISO 8601 in UTC with `+00:00` and exactly 0 or 6 digits of seconds, which is what the clients parse.
public struct UTCTime: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// Microseconds since 1970-01-01T00:00:00 UTC.
    public let microseconds: Int64

    public init(microseconds: Int64) { self.microseconds = microseconds }

    /// Rounded to the microsecond.
    public init(_ date: Date) { microseconds = Int64((date.timeIntervalSince1970 * 1_000_000).rounded()) }

    public static var now: UTCTime { UTCTime(Date()) }

    public var date: Date { Date(timeIntervalSince1970: Double(microseconds) / 1_000_000) }

    /// Seconds from `earlier` to this moment.
    public func seconds(since earlier: UTCTime) -> Double { Double(microseconds - earlier.microseconds) / 1_000_000 }

    public func adding(seconds: Double) -> UTCTime { UTCTime(microseconds: microseconds + Int64((seconds * 1_000_000).rounded())) }

    public static func < (a: UTCTime, b: UTCTime) -> Bool { a.microseconds < b.microseconds }

    public var description: String {
        let (day, inDay) = microseconds.quotientAndRemainder(flooring: 86_400_000_000)
        let date = CivilDate(daysSince1970: day)
        let (second, fraction) = (inDay / 1_000_000, inDay % 1_000_000)
        func pad(_ value: Int64, _ width: Int) -> String {
            let text = String(value)
            return String(repeating: "0", count: max(0, width - text.count)) + text
        }
        let clock = "\(pad(second / 3600, 2)):\(pad(second / 60 % 60, 2)):\(pad(second % 60, 2))"
        let tail = fraction == 0 ? "" : "." + pad(fraction, 6)
        return "\(pad(date.year, 4))-\(pad(date.month, 2))-\(pad(date.day, 2))T\(clock)\(tail)+00:00"
    }
}

extension UTCTime {
    /// Parses ISO 8601: a date, `T` or a space, a time with 0 to 9 digits of fraction, and an offset (`Z`, `±HH`, `±HH:MM`, `±HHMM`).
    /// A bare date is midnight; without an offset the time is UTC. nil for anything else.
    public init?(_ text: some StringProtocol) {
        var scanner = DigitScanner(Array(text.utf8))
        guard let year = scanner.number(4), scanner.skip("-"), let month = scanner.number(2), scanner.skip("-"),
            let day = scanner.number(2), (1...12).contains(month), (1...CivilDate.length(ofMonth: month, year: year)).contains(day)
        else { return nil }
        var total = CivilDate.days(year: year, month: month, day: day) * 86_400_000_000
        if scanner.atEnd {
            microseconds = total
            return
        }
        guard scanner.skip("T") || scanner.skip(" ") || scanner.skip("t"), let hour = scanner.number(2), hour < 24, scanner.skip(":"),
            let minute = scanner.number(2), minute < 60
        else { return nil }
        var second: Int64 = 0
        var fraction: Int64 = 0
        if scanner.skip(":") {
            guard let seconds = scanner.number(2), seconds < 60 else { return nil }
            second = seconds
            if scanner.skip(".") || scanner.skip(",") {
                guard let micros = scanner.fraction() else { return nil }
                fraction = micros
            }
        }
        guard let offset = scanner.offset(), scanner.atEnd else { return nil }
        total += (hour * 3600 + minute * 60 + second - offset) * 1_000_000 + fraction
        microseconds = total
    }
}

extension UTCTime: Codable {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let time = UTCTime(text) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "'\(text)' is not an ISO 8601 time")
        }
        self = time
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
