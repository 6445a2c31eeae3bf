/// A route's path: literal segments, `{name}` for one segment, `{name...}` for one or more (names with raw or encoded slashes), and at its end
/// `{name*}` for whatever comes after the slash, as it was sent.
struct PathTemplate: Sendable {
    enum Segment: Sendable, Equatable {
        case literal(String)
        case one(String)
        case many(String)
        case rest(String)
    }

    let segments: [Segment]

    /// Reads a template. A template is written by us, so a bad one stops the process at start.
    init(_ text: String) {
        precondition(
            text == "/" || (text.hasPrefix("/") && !text.hasSuffix("/")), "A route starts with a slash and ends without one: \(text)")
        segments = text.dropFirst().split(separator: "/", omittingEmptySubsequences: false).map { part in
            guard part.hasPrefix("{"), part.hasSuffix("}") else {
                precondition(!part.contains { $0 == "{" || $0 == "}" }, "A parameter is a whole segment: \(text)")
                return .literal(String(part))
            }
            let name = part.dropFirst().dropLast()
            if name.hasSuffix("*") { return .rest(String(name.dropLast())) }
            return name.hasSuffix("...") ? .many(String(name.dropLast(3))) : .one(String(name))
        }
        let inner = segments.dropLast()
        precondition(!inner.contains { if case .rest = $0 { true } else { false } }, "The rest of a path ends its route: \(text)")
    }

    /// The names of the parameters, in order.
    var names: [String] {
        segments.compactMap { segment in
            switch segment {
            case .literal: nil
            case .one(let name), .many(let name), .rest(let name): name
            }
        }
    }
}
