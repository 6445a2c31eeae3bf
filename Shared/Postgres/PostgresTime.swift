import Foundation

/// `timestamptz` as text, by arithmetic: the formatters of Foundation round to milliseconds.
enum PostgresTime {
    private static let epochOfDate = 978_307_200  // 2001-01-01 in Unix time

    /// `2026-11-21T05:45:07.123456+00:00`; no fraction when it is zero.
    static func format(_ date: Date) -> String {
        let micros = Int((date.timeIntervalSinceReferenceDate * 1_000_000).rounded()) + epochOfDate * 1_000_000
        let (seconds, fraction) = divide(micros, 1_000_000)
        let (days, time) = divide(seconds, 86_400)
        let (year, month, day) = civil(days)
        let clock = [time / 3600, time / 60 % 60, time % 60].map { pad($0, 2) }.joined(separator: ":")
        return "\(pad(year, 4))-\(pad(month, 2))-\(pad(day, 2))T\(clock)\(fraction == 0 ? "" : "." + pad(fraction, 6))+00:00"
    }

    /// Reads `date`, `timestamp` (as UTC) and `timestamptz` in ISO style, and ISO 8601 with `T` and `Z`.
    static func parse(_ text: String) -> Date? {
        var scanner = Scanner(bytes: Array(text.utf8))
        guard let year = scanner.digits(4), scanner.skip("-"), let month = scanner.digits(2), scanner.skip("-"),
            let day = scanner.digits(2),
            (1...12).contains(month), (1...31).contains(day)
        else { return nil }
        var micros = days(year, month, day) * 86_400_000_000
        if scanner.skip(" ") || scanner.skip("T") {
            guard let hour = scanner.digits(2), scanner.skip(":"), let minute = scanner.digits(2) else { return nil }
            micros += (hour * 3600 + minute * 60) * 1_000_000
            if scanner.skip(":") {
                guard let second = scanner.digits(2) else { return nil }
                micros += second * 1_000_000
            }
            if scanner.skip(".") { micros += scanner.fraction() }
            guard let offset = scanner.offset() else { return nil }
            micros -= offset * 1_000_000
        }
        guard scanner.isAtEnd else { return nil }
        return Date(timeIntervalSinceReferenceDate: Double(micros - epochOfDate * 1_000_000) / 1_000_000)
    }

    private static func pad(_ number: Int, _ width: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, width - text.count)) + text
    }

    private static func divide(_ a: Int, _ b: Int) -> (Int, Int) {
        let rest = ((a % b) + b) % b
        return ((a - rest) / b, rest)
    }

    // Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
    private static func days(_ year: Int, _ month: Int, _ day: Int) -> Int {
        let year = month <= 2 ? year - 1 : year
        let (era, yearOfEra) = divide(year, 400)
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    private static func civil(_ days: Int) -> (Int, Int, Int) {
        let (era, day) = divide(days + 719_468, 146_097)
        let yearOfEra = (day - day / 1460 + day / 36_524 - day / 146_096) / 365
        let dayOfYear = day - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        let month = shifted < 10 ? shifted + 3 : shifted - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shifted + 2) / 5 + 1)
    }

    private struct Scanner {
        let bytes: [UInt8]
        var at = 0

        var isAtEnd: Bool { at == bytes.count }

        mutating func skip(_ character: Unicode.Scalar) -> Bool {
            guard at < bytes.count, bytes[at] == UInt8(ascii: character) else { return false }
            at += 1
            return true
        }

        mutating func digits(_ count: Int) -> Int? {
            guard at + count <= bytes.count else { return nil }
            var value = 0
            for byte in bytes[at..<(at + count)] {
                guard (0x30...0x39).contains(byte) else { return nil }
                value = value * 10 + Int(byte - 0x30)
            }
            at += count
            return value
        }

        mutating func fraction() -> Int {
            var value = 0
            var places = 0
            while at < bytes.count, let digit = digits(1) {
                if places < 6 {
                    value = value * 10 + digit
                    places += 1
                }
            }
            while places < 6 {
                value *= 10
                places += 1
            }
            return value
        }

        mutating func offset() -> Int? {
            if isAtEnd || skip("Z") { return 0 }
            let isWest = skip("-")
            guard isWest || skip("+"), let hours = digits(2) else { return nil }
            var seconds = hours * 3600
            for unit in [60, 1] where !isAtEnd {
                _ = skip(":")
                guard let part = digits(2) else { return nil }
                seconds += part * unit
            }
            return isWest ? -seconds : seconds
        }
    }
}

// MARK: - JSON columns

extension PostgresTime {
    static let jsonEncoder: JSONEncoder = {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.withoutEscapingSlashes]
        encoder.dateEncodingStrategy = .custom { date, encoder in
            var container = encoder.singleValueContainer()
            try container.encode(format(date))
        }
        return encoder
    }()

    static let jsonDecoder: JSONDecoder = {
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .custom { decoder in
            let text = try decoder.singleValueContainer().decode(String.self)
            guard let date = parse(text) else {
                throw DecodingError.dataCorrupted(.init(codingPath: decoder.codingPath, debugDescription: "no time: \(text)"))
            }
            return date
        }
        return decoder
    }()

    static func decodeJSON<T: Decodable>(_ type: T.Type, from text: String, column: String) throws -> T {
        do {
            return try jsonDecoder.decode(T.self, from: Data(text.utf8))
        } catch {
            throw PostgresError.decoding("\(column): \(error)")
        }
    }
}
