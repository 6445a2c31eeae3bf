/// The spelling of the Prometheus text format.
enum PrometheusText {
    /// A metric or label name: other characters than letters, digits, `_` and `:` become `_`.
    static func name(_ text: String) -> String {
        let name = String(text.map { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_" || $0 == ":") ? $0 : "_" })
        return name.first?.isNumber == true ? "_" + name : name
    }

    /// The labels without braces, in the order of their names, so that equal sets are equal texts.
    static func labels(_ dimensions: [(String, String)]) -> String {
        dimensions.sorted { $0.0 < $1.0 }.map { "\(name($0.0))=\"\(escape($0.1))\"" }.joined(separator: ",")
    }

    static func braces(_ labels: String, le: String? = nil) -> String {
        let all = le.map { labels.isEmpty ? "le=\"\($0)\"" : labels + ",le=\"\($0)\"" } ?? labels
        return all.isEmpty ? "" : "{\(all)}"
    }

    static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value > 0 ? "+Inf" : "-Inf" }
        if value == value.rounded(), abs(value) < 1e15 { return String(Int64(value)) }
        return String(value)
    }

    private static func escape(_ value: String) -> String {
        value.reduce(into: "") { text, character in
            switch character {
            case "\\": text += "\\\\"
            case "\"": text += "\\\""
            case "\n": text += "\\n"
            default: text.append(character)
            }
        }
    }
}
