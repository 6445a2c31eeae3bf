/// The alphabets that the name types share.
enum NameRules {
    static func isLowerOrDigit(_ byte: UInt8) -> Bool { isLower(byte) || isDigit(byte) }

    static func isLower(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "a") && byte <= UInt8(ascii: "z") }

    static func isDigit(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") }

    /// `[a-z0-9](-?[a-z0-9])*` of the given length: users, clusters, organizations, projects.
    static func dashed(_ text: String, length: ClosedRange<Int>) -> String? {
        let bytes = Array(text.utf8)
        if bytes.isEmpty { return "it is empty" }
        if bytes.count < length.lowerBound { return "it is shorter than \(length.lowerBound) characters" }
        if bytes.count > length.upperBound { return "it is longer than \(length.upperBound) characters" }
        var afterDash = true
        for byte in bytes {
            if byte == UInt8(ascii: "-") {
                if afterDash { return dashRule }
                afterDash = true
            } else if isLowerOrDigit(byte) {
                afterDash = false
            } else {
                return dashRule
            }
        }
        return afterDash ? dashRule : nil
    }

    private static let dashRule = "only lower-case letters and digits are allowed, with single dashes between them"

    /// One segment of a principal name: `[a-z0-9]([a-z0-9._-]*[a-z0-9])?`, 1 to 63 characters.
    static func principalSegment(_ segment: Substring) -> String? {
        let bytes = Array(segment.utf8)
        guard let first = bytes.first, let last = bytes.last else { return "it has an empty segment" }
        if bytes.count > 63 { return "a segment is longer than 63 characters" }
        if !isLowerOrDigit(first) || !isLowerOrDigit(last) { return "a segment must begin and end with a lower-case letter or digit" }
        let inner: (UInt8) -> Bool = {
            isLowerOrDigit($0) || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: "-")
        }
        return bytes.allSatisfy(inner) ? nil : "only lower-case letters, digits, dots, dashes and underscores are allowed in a segment"
    }
}
