/// Splits a stored entrypoint or command into arguments by POSIX shell word rules, without comments, expansion or operators (jobs-api.md 6.6).
enum ShellWords {
    struct InvalidFormat: Error, Hashable, CustomStringConvertible {
        var description: String { "invalid command format" }
    }

    /// nil and the empty text are no words.
    static func split(_ text: String?) throws(InvalidFormat) -> [String] {
        var words: [String] = []
        var word: String?
        var rest = (text ?? "").unicodeScalars[...]
        while let scalar = rest.popFirst() {
            switch scalar {
            case " ", "\t", "\r", "\n":
                if let finished = word { words.append(finished) }
                word = nil
            case "\\":
                guard let escaped = rest.popFirst() else { throw InvalidFormat() }
                word = (word ?? "") + String(escaped)
            case "'":
                guard let end = rest.firstIndex(of: "'") else { throw InvalidFormat() }
                word = (word ?? "") + String(rest[..<end])
                rest = rest[rest.index(after: end)...]
            case "\"":
                word = (word ?? "") + (try doubleQuoted(&rest))
            default:
                word = (word ?? "") + String(scalar)
            }
        }
        if let finished = word { words.append(finished) }
        return words
    }

    /// Up to the closing quote; a backslash escapes only `"` and `\`.
    private static func doubleQuoted(_ rest: inout Substring.UnicodeScalarView) throws(InvalidFormat) -> String {
        var text = String.UnicodeScalarView()
        while let scalar = rest.popFirst() {
            switch scalar {
            case "\"": return String(text)
            case "\\":
                guard let escaped = rest.popFirst() else { throw InvalidFormat() }
                if escaped != "\"" && escaped != "\\" { text.append(scalar) }
                text.append(escaped)
            default: text.append(scalar)
            }
        }
        throw InvalidFormat()
    }
}
