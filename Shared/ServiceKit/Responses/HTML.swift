/// Markup. What is interpolated into it is escaped, unless it is markup itself.
public struct HTML: ExpressibleByStringInterpolation, Sendable {
    public let text: String

    public init(stringLiteral value: String) { text = value }
    public init(stringInterpolation: StringInterpolation) { text = stringInterpolation.text }
    /// What is markup already and comes from the source alone: a script, say.
    public init(markup: String) { text = markup }

    public static func joined(_ parts: some Sequence<HTML>) -> HTML { HTML(markup: parts.map(\.text).joined()) }

    /// For text and for attributes in double quotes.
    public static func escape(_ text: some StringProtocol) -> String {
        var escaped = ""
        escaped.reserveCapacity(text.utf8.count)
        for character in text.unicodeScalars {
            switch character {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            case "'": escaped += "&#39;"
            default: escaped.unicodeScalars.append(character)
            }
        }
        return escaped
    }

    /// A whole page in English, whose heading is its title.
    /// - Parameters:
    ///   - head: what its head holds beside: the style, say.
    ///   - above: what stands in front of the heading.
    ///   - end: what follows after all that is seen: a script, say.
    public static func document(title: String, of site: String? = nil, head: HTML, above: HTML = "", body: HTML, end: HTML = "") -> HTML {
        """
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="robots" content="noindex">
        <title>\(title)\(site.map { " – \($0)" as HTML })</title>
        \(head)
        </head>
        <body>
        <main>
        \(above)<h1>\(title)</h1>
        \(body)
        </main>
        \(end)</body>
        </html>

        """
    }

    public struct StringInterpolation: StringInterpolationProtocol {
        var text = ""

        public init(literalCapacity: Int, interpolationCount: Int) { text.reserveCapacity(literalCapacity + interpolationCount * 16) }
        public mutating func appendLiteral(_ literal: String) { text += literal }
        public mutating func appendInterpolation(_ value: some StringProtocol) { text += HTML.escape(value) }
        public mutating func appendInterpolation(_ value: Int) { text += String(value) }
        public mutating func appendInterpolation(_ value: HTML) { text += value.text }
        public mutating func appendInterpolation(_ value: HTML?) { text += value?.text ?? "" }
    }
}
