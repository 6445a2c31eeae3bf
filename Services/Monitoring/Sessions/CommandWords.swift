/// Splits a shell-quoted command line into words as POSIX shells do, without expansion or operators.
enum CommandWords {
    /// Nil for an unclosed quote or a backslash at the end.
    static func split(_ text: String) -> [String]? {
        var words: [String] = []
        var word: String?
        var rest = text.unicodeScalars[...]
        while let scalar = rest.popFirst() {
            switch scalar {
            case " ", "\t", "\r", "\n":
                if let finished = word { words.append(finished) }
                word = nil
            case "\\":
                guard let escaped = rest.popFirst() else { return nil }
                word = (word ?? "") + String(escaped)
            case "'":
                guard let end = rest.firstIndex(of: "'") else { return nil }
                word = (word ?? "") + String(rest[..<end])
                rest = rest[rest.index(after: end)...]
            case "\"":
                guard let quoted = doubleQuoted(&rest) else { return nil }
                word = (word ?? "") + quoted
            default: word = (word ?? "") + String(scalar)
            }
        }
        if let finished = word { words.append(finished) }
        return words
    }

    private static func doubleQuoted(_ rest: inout Substring.UnicodeScalarView) -> String? {
        var text = String.UnicodeScalarView()
        while let scalar = rest.popFirst() {
            switch scalar {
            case "\"": return String(text)
            case "\\":
                guard let escaped = rest.popFirst() else { return nil }
                if escaped != "\"" && escaped != "\\" { text.append(scalar) }
                text.append(escaped)
            default: text.append(scalar)
            }
        }
        return nil
    }
}
