import Foundation

/// Times on the wire: UTC, `YYYY-MM-DDTHH:MM:SS[.ffffff]+00:00`, with no or exactly six digits of fraction (the client rejects others).
public enum TimestampFormat {
    /// Writes a time, rounded to the microsecond; the fraction is left out when it is zero.
    public static func string(_ date: Date) -> String {
        let total = Int64((date.timeIntervalSince1970 * 1_000_000).rounded())
        let (seconds, micros) = (floorDivide(total, 1_000_000), total - floorDivide(total, 1_000_000) * 1_000_000)
        let days = floorDivide(seconds, 86_400)
        let second = seconds - days * 86_400
        let (year, month, day) = civil(days)
        var text = ""
        text.reserveCapacity(32)
        append(year, 4, "-", to: &text)
        append(month, 2, "-", to: &text)
        append(day, 2, "T", to: &text)
        append(second / 3600, 2, ":", to: &text)
        append(second / 60 % 60, 2, ":", to: &text)
        append(second % 60, 2, micros == 0 ? "" : ".", to: &text)
        if micros != 0 { append(micros, 6, "", to: &text) }
        text += "+00:00"
        return text
    }

    /// Reads RFC 3339 with any fraction and any offset; a time without an offset is taken as UTC. Nil for anything else.
    public static func date(_ text: String) -> Date? {
        var rest = Substring(text)
        guard let year = number(&rest, 4), take(&rest, "-"), let month = number(&rest, 2), take(&rest, "-"), let day = number(&rest, 2),
            take(&rest, "T") || take(&rest, "t") || take(&rest, " "), let hour = number(&rest, 2), take(&rest, ":"),
            let minute = number(&rest, 2), (1...12).contains(month), (1...daysIn(month, of: year)).contains(day), hour < 24, minute < 60
        else { return nil }
        var second: Int64 = 0
        var fraction = 0.0
        if take(&rest, ":") {
            guard let value = number(&rest, 2), value <= 60 else { return nil }
            second = value
            if take(&rest, ".") {
                let digits = rest.prefix { $0.isASCII && $0.isNumber }
                guard !digits.isEmpty, digits.count <= 9, let value = Double("0." + digits) else { return nil }
                fraction = value
                rest = rest.dropFirst(digits.count)
            }
        }
        guard let offset = offset(&rest), rest.isEmpty else { return nil }
        let seconds = daysFromCivil(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second - offset
        return Date(timeIntervalSince1970: Double(seconds) + fraction)
    }

    private static func offset(_ rest: inout Substring) -> Int64? {
        if rest.isEmpty { return 0 }
        if take(&rest, "Z") || take(&rest, "z") { return 0 }
        let sign: Int64 = rest.first == "-" ? -1 : 1
        guard take(&rest, "+") || take(&rest, "-"), let hours = number(&rest, 2) else { return nil }
        _ = take(&rest, ":")
        guard let minutes = number(&rest, 2), hours < 24, minutes < 60 else { return nil }
        return sign * (hours * 3600 + minutes * 60)
    }

    private static func number(_ rest: inout Substring, _ digits: Int) -> Int64? {
        let text = rest.prefix(digits)
        guard text.count == digits, text.allSatisfy({ ("0"..."9").contains($0) }) else { return nil }
        rest = rest.dropFirst(digits)
        return Int64(text)
    }

    private static func take(_ rest: inout Substring, _ character: Character) -> Bool {
        guard rest.first == character else { return false }
        rest = rest.dropFirst()
        return true
    }

    private static func append(_ value: Int64, _ width: Int, _ separator: String, to text: inout String) {
        let digits = String(value)
        for _ in 0..<max(0, width - digits.utf8.count) { text += "0" }
        text += digits
        text += separator
    }

    private static func floorDivide(_ value: Int64, _ by: Int64) -> Int64 {
        value >= 0 ? value / by : -((by - 1 - value) / by)
    }

    private static func daysIn(_ month: Int64, of year: Int64) -> Int64 {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    // Days since 1970-01-01 in the proleptic Gregorian calendar and back (Howard Hinnant, "chrono-compatible low-level date algorithms");
    // Foundation's formatters do the same fifty times slower.
    private static func daysFromCivil(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let era = floorDivide(shifted, 400)
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    private static func civil(_ days: Int64) -> (Int64, Int64, Int64) {
        let shifted = days + 719_468
        let era = floorDivide(shifted, 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthIndex = (5 * dayOfYear + 2) / 153
        let month = monthIndex < 10 ? monthIndex + 3 : monthIndex - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * monthIndex + 2) / 5 + 1)
    }
}
