/// The cookies of a request (RFC 6265 §4.2), from one `Cookie` field or several. What does not parse is passed over and passed on.
struct CookieHeader: Sendable {
    struct Pair: Sendable {
        let name: String
        /// Without the quotes and spaces around it.
        let value: String
        /// As it was received.
        let text: String
    }

    let pairs: [Pair]

    init(_ fields: [String]) {
        pairs = fields.flatMap { $0.split(separator: ";") }.compactMap { part in
            let text = part.trimmingSpaces()
            guard !text.isEmpty else { return nil }
            guard let equals = text.firstIndex(of: "=") else { return Pair(name: "", value: String(text), text: String(text)) }
            var value = text[text.index(after: equals)...].trimmingSpaces()
            if value.count >= 2, value.first == "\"", value.last == "\"" { value = value.dropFirst().dropLast() }
            return Pair(name: String(text[..<equals].trimmingSpaces()), value: String(value), text: String(text))
        }
    }

    /// Every value of a name, in order, repetitions left out.
    func values(_ name: String) -> [String] {
        var seen: Set<String> = []
        return pairs.filter { $0.name == name && seen.insert($0.value).inserted }.map(\.value)
    }

    /// Every value that is not empty.
    func tokens(_ name: String) -> [String] { values(name).filter { !$0.isEmpty } }

    /// The header without the cookies that are for this service; nil when nothing is left.
    func without(_ isOurs: (String) -> Bool) -> String? {
        let rest = pairs.filter { !isOurs($0.name) }.map(\.text)
        return rest.isEmpty ? nil : rest.joined(separator: "; ")
    }
}

extension Substring {
    fileprivate func trimmingSpaces() -> Substring {
        var text = drop { $0 == " " || $0 == "\t" }
        while text.last == " " || text.last == "\t" { text.removeLast() }
        return text
    }
}
