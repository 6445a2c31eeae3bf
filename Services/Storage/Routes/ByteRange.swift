/// One range of a file that a reader asks for (RFC 9110 §14.1.2): `bytes=5-8`, `bytes=5-`, `bytes=-4`.
enum ByteRange {
    /// The bytes that are meant; nil when there are none of them, or the header cannot be read.
    static func range(_ header: String, of size: Int64) -> Range<Int64>? {
        guard let equals = header.firstIndex(of: "="), header[..<equals] == "bytes" else { return nil }
        let ends = header[header.index(after: equals)...].split(separator: "-", omittingEmptySubsequences: false)
        guard ends.count == 2, size > 0 else { return nil }
        if ends[0].isEmpty {
            guard let count = DecimalNumber.read(ends[1]), count > 0 else { return nil }
            return max(0, size - count)..<size
        }
        guard let first = DecimalNumber.read(ends[0]), first < size else { return nil }
        if ends[1].isEmpty { return first..<size }
        guard let last = DecimalNumber.read(ends[1]), last >= first else { return nil }
        return first..<min(last, size - 1) + 1
    }
}

/// Where the bytes of an upload belong (RFC 9110 §14.4): `bytes 5-8/12` or `bytes 5-8/*`. How long the whole is does not matter.
struct ContentRange: Sendable, Equatable {
    let first: Int64
    let count: Int64

    /// nil for another form, for numbers beyond what a file can have, and for a range that ends before it begins.
    init?(_ header: String) {
        let words = header.split(separator: " ", omittingEmptySubsequences: false)
        guard words.count == 2, words[0] == "bytes" else { return nil }
        let parts = words[1].split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, parts[1] == "*" || DecimalNumber.read(parts[1]) != nil else { return nil }
        let ends = parts[0].split(separator: "-", omittingEmptySubsequences: false)
        guard ends.count == 2, let first = DecimalNumber.read(ends[0]), let last = DecimalNumber.read(ends[1]), first <= last,
            last < .max
        else { return nil }
        self.first = first
        count = last - first + 1
    }
}

enum DecimalNumber {
    /// Digits alone, within 63 bits.
    static func read(_ text: some StringProtocol) -> Int64? {
        guard !text.isEmpty, text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else { return nil }
        return Int64(text)
    }
}
