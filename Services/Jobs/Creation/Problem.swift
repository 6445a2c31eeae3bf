/// What is wrong with a request body, in the rendering that clients and tests of the protocol know (jobs-api.md 2.5).
indirect enum Problem: Error, Hashable, Sendable {
    case message(String)
    /// Of an object, by field, or of a list, by index.
    case members([Member])
    /// None of several alternatives fits.
    case alternatives([Problem])

    struct Member: Hashable, Sendable {
        enum Key: Hashable, Sendable {
            case field(String)
            case index(Int)
        }
        let key: Key
        let problem: Problem

        static func field(_ name: String, _ problem: Problem) -> Member { Member(key: .field(name), problem: problem) }
    }
}

extension Problem: CustomStringConvertible {
    var description: String {
        switch self {
        case .message(let text): text
        case .members(let members): Self.mapping(members)
        case .alternatives(let problems):
            Self.mapping(problems.enumerated().map { Member(key: .index($0.offset), problem: $0.element) })
        }
    }

    private static func mapping(_ members: [Member]) -> String {
        let parts = members.map { member in
            let key =
                switch member.key {
                case .field(let name): quoted(name)
                case .index(let index): String(index)
                }
            return switch member.problem {
            case .message(let text): "\(key): DataError(\(quoted(text)))"
            case .members, .alternatives:
                // An alternative's text is a text again, quoted because it holds apostrophes.
                if case .alternatives = member.problem {
                    "\(key): DataError(\"\(member.problem)\")"
                } else {
                    "\(key): DataError(\(member.problem))"
                }
            }
        }
        return "{" + parts.joined(separator: ", ") + "}"
    }

    private static func quoted(_ text: String) -> String {
        text.contains("'") ? "\"\(text)\"" : "'\(text)'"
    }
}
