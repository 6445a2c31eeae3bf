import Foundation

/// Takes secrets out of a text before it is logged: bearer and basic credentials, JSON Web Tokens, passwords in URLs, and the query
/// parameters and JSON fields that carry tokens.
enum Scrubber {
    /// The text with every secret replaced by `***`.
    static func scrub(_ text: String) -> String {
        guard suspicious.contains(where: { text.range(of: $0, options: .caseInsensitive) != nil }) else { return text }
        var result = text
        for (pattern, replacement) in patterns {
            result = pattern.stringByReplacingMatches(
                in: result, range: NSRange(result.startIndex..., in: result), withTemplate: replacement)
        }
        return result
    }

    /// A path and query as it may be logged.
    static func scrub(target: String) -> String { scrub(target) }

    private static let suspicious = ["bearer", "basic ", "eyJ", "://", "token", "secret", "password", "code=", "signature", "key"]

    private static let patterns: [(NSRegularExpression, String)] = [
        (#"(?i)\b(bearer|basic)[ ]+[A-Za-z0-9._~+/=-]+"#, "$1 ***"),
        (#"(?i)(bearer\.apolo\.us-)[A-Za-z0-9._~-]+"#, "$1***"),
        (#"eyJ[A-Za-z0-9_-]{5,}(\.[A-Za-z0-9_-]*)+"#, "***"),
        (#"(?i)([a-z][a-z0-9+.-]*://[^\s:/@]*):[^\s/@]+@"#, "$1:***@"),
        (
            #"(?i)([?&;\s"']|^)([a-z0-9_-]*(?:token|secret|password|signature|credential|private[_-]?key|api[_-]?key)|code)=[^&\s"']+"#,
            "$1$2=***"
        ),
        (#"(?i)("[a-z0-9_-]*(?:token|secret|password|private_key|api_key)"\s*:\s*)"[^"]*""#, "$1\"***\""),
    ].compactMap { pattern, replacement in (try? NSRegularExpression(pattern: pattern)).map { ($0, replacement) } }
}
