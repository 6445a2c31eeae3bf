#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The time of a log line, to the nanosecond.
struct LogTimestamp: Comparable, Sendable {
    let seconds: Int
    let nanoseconds: Int

    static func < (left: Self, right: Self) -> Bool { (left.seconds, left.nanoseconds) < (right.seconds, right.nanoseconds) }

    init(seconds: Int, nanoseconds: Int = 0) {
        self.seconds = seconds
        self.nanoseconds = nanoseconds
    }

    /// Reads RFC 3339 with up to nine digits of a second and any offset.
    init?(_ text: some Collection<UInt8>) {
        let bytes = Array(text)
        func number(_ range: Range<Int>) -> Int? {
            var value = 0
            for index in range {
                guard bytes.indices.contains(index), case let digit = Int(bytes[index]) - 48, 0...9 ~= digit else { return nil }
                value = value * 10 + digit
            }
            return value
        }
        func sign(_ index: Int, _ wanted: String) -> Bool { bytes.indices.contains(index) && wanted.utf8.contains(bytes[index]) }
        guard let year = number(0..<4), sign(4, "-"), let month = number(5..<7), sign(7, "-"), let day = number(8..<10),
            sign(10, "Tt"), let hour = number(11..<13), sign(13, ":"), let minute = number(14..<16), sign(16, ":"),
            let second = number(17..<19)
        else { return nil }
        var index = 19
        var fraction = 0
        if sign(index, ".") {
            var digits = 0
            index += 1
            while let digit = number(index..<index + 1) {
                if digits < 9 { fraction = fraction * 10 + digit }
                digits += 1
                index += 1
            }
            guard digits > 0 else { return nil }
            for _ in min(digits, 9)..<9 { fraction *= 10 }
        }
        var offset = 0
        if sign(index, "Zz") {
            index += 1
        } else {
            guard sign(index, "+-"), let hours = number(index + 1..<index + 3), sign(index + 3, ":"),
                let minutes = number(index + 4..<index + 6)
            else { return nil }
            offset = (hours * 60 + minutes) * 60 * (sign(index, "-") ? -1 : 1)
            index += 6
        }
        guard index == bytes.count, 1...12 ~= month, 1...31 ~= day, hour < 24, minute < 60, second < 61 else { return nil }
        var parts = tm()
        parts.tm_year = CInt(year - 1900)
        parts.tm_mon = CInt(month - 1)
        parts.tm_mday = CInt(day)
        parts.tm_hour = CInt(hour)
        parts.tm_min = CInt(minute)
        parts.tm_sec = CInt(second)
        seconds = timegm(&parts) - offset
        nanoseconds = fraction
    }

    /// As the kubelet prints it: UTC, always nine digits.
    var text: String {
        var time = time_t(seconds)
        var parts = tm()
        gmtime_r(&time, &parts)
        func padded(_ value: Int, _ width: Int) -> String {
            let digits = String(value)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        return padded(Int(parts.tm_year) + 1900, 4) + "-" + padded(Int(parts.tm_mon) + 1, 2) + "-" + padded(Int(parts.tm_mday), 2) + "T"
            + padded(Int(parts.tm_hour), 2) + ":" + padded(Int(parts.tm_min), 2) + ":" + padded(Int(parts.tm_sec), 2) + "."
            + padded(nanoseconds, 9) + "Z"
    }
}
