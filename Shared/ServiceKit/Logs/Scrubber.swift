import Foundation

/// Takes secrets out of a text before it is logged: bearer and basic credentials, JSON Web Tokens, passwords in URLs, and the query
/// parameters and JSON fields that carry tokens.
enum Scrubber {
    /// The text with every secret replaced by `***`.
    static func scrub(_ text: String) -> String {
        guard isSuspicious(text) else { return text }
        var result = text
        for (pattern, replacement) in patterns {
            result = pattern.stringByReplacingMatches(
                in: result, range: NSRange(result.startIndex..., in: result), withTemplate: replacement)
        }
        return result
    }

    /// A cheap look at the bytes that spares most texts the patterns: an assignment to a name that ends as those of secrets do, a URL, a quoted
    /// field, or the beginnings of `eyJ`, `bearer` and `basic`.
    private static func isSuspicious(_ text: String) -> Bool {
        var last: (UInt8, UInt8) = (0, 0)
        for byte in text.utf8 {
            if byte == UInt8(ascii: ":") || byte == UInt8(ascii: "\"") { return true }
            if byte == UInt8(ascii: "="), endsSuspiciously(last) { return true }
            let small = byte | 0x20
            switch (last.0, last.1, small) {
            case (UInt8(ascii: "e"), UInt8(ascii: "y"), UInt8(ascii: "j")), (UInt8(ascii: "e"), UInt8(ascii: "a"), UInt8(ascii: "r")),
                (UInt8(ascii: "a"), UInt8(ascii: "s"), UInt8(ascii: "i")):
                return true
            default: last = (last.1, small)
            }
        }
        return false
    }

    /// The last two letters of the names that the patterns know.
    private static let endings = Set(
        ["en", "et", "rd", "re", "al", "ey", "de", "te"].map { $0.utf8.reduce(UInt16(0)) { $0 << 8 | UInt16($1) } })

    private static func endsSuspiciously(_ last: (UInt8, UInt8)) -> Bool { endings.contains(UInt16(last.0) << 8 | UInt16(last.1)) }

    private static let patterns: [(NSRegularExpression, String)] = [
        (#"(?i)\b(bearer|basic)[ ]+[A-Za-z0-9._~+/=-]+"#, "$1 ***"),
        (#"(?i)(bearer\.apolo\.us-)[A-Za-z0-9._~-]+"#, "$1***"),
        (#"eyJ[A-Za-z0-9_-]{5,}(\.[A-Za-z0-9_-]*)+"#, "***"),
        (#"(?i)([a-z][a-z0-9+.-]*://[^\s:/@]*):[^\s/@]+@"#, "$1:***@"),
        (
            #"(?i)([?&;\s"']|^)([a-z0-9_-]*(?:token|secret|password|signature|credential|private[_-]?key|api[_-]?key)"#
                + #"|code|state|ticket|rd)=[^&\s"']+"#,
            "$1$2=***"
        ),
        (#"(?i)("[a-z0-9_-]*(?:token|secret|password|private_key|api_key)"\s*:\s*)"[^"]*""#, "$1\"***\""),
    ].compactMap { pattern, replacement in (try? NSRegularExpression(pattern: pattern)).map { ($0, replacement) } }
}
