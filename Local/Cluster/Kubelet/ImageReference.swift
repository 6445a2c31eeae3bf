/// The name of an image, `[host[:port]/]path[:tag][@digest]`, as registries understand it.
struct ImageReference: Sendable, Equatable, CustomStringConvertible {
    struct Invalid: Error, Equatable, CustomStringConvertible {
        let description: String
    }
    let registry: String
    let repository: String
    let tag: String?
    let digest: String?

    /// The name with all that may be left out.
    var description: String { "\(registry)/\(repository)" + (tag.map { ":\($0)" } ?? "") + (digest.map { "@\($0)" } ?? "") }

    init(_ text: String) throws(Invalid) {
        var rest = text[...]
        if let at = rest.firstIndex(of: "@") {
            let digest = String(rest[rest.index(after: at)...])
            let parts = digest.split(separator: ":", omittingEmptySubsequences: false)
            guard parts.count == 2, !parts[0].isEmpty, parts[1].count >= 32, parts[1].allSatisfy({ $0.isHexDigit && !$0.isUppercase })
            else {
                throw Self.invalid(text)
            }
            self.digest = digest
            rest = rest[..<at]
        } else {
            digest = nil
        }
        var host = "docker.io"
        if let slash = rest.firstIndex(of: "/") {
            let first = rest[..<slash]
            if first.contains(".") || first.contains(":") || first == "localhost" || first.contains(where: \.isUppercase) {
                guard Self.isHost(first) else { throw Self.invalid(text) }
                host = String(first)
                rest = rest[rest.index(after: slash)...]
            }
        }
        var tag: String?
        if let colon = rest.lastIndex(of: ":"), !rest[colon...].contains("/") {
            let candidate = rest[rest.index(after: colon)...]
            guard let start = candidate.first, start.isWord, candidate.count <= 128,
                candidate.allSatisfy({ $0.isWord || $0 == "." || $0 == "-" })
            else { throw Self.invalid(text) }
            tag = String(candidate)
            rest = rest[..<colon]
        }
        self.tag = tag ?? (digest == nil ? "latest" : nil)
        if rest.contains(where: \.isUppercase), Self.isPath(Substring(rest.lowercased())) {
            throw Invalid(
                description: "couldn't parse image reference \"\(text)\": invalid reference format: repository name must be lowercase")
        }
        guard Self.isPath(rest) else { throw Self.invalid(text) }
        registry = host == "index.docker.io" ? "docker.io" : host
        repository = registry == "docker.io" && !rest.contains("/") ? "library/\(rest)" : String(rest)
    }

    private static func invalid(_ text: String) -> Invalid {
        Invalid(description: "couldn't parse image reference \"\(text)\": invalid reference format")
    }

    private static func isHost(_ text: Substring) -> Bool {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count <= 2, parts.count == 1 || (!parts[1].isEmpty && parts[1].allSatisfy(\.isASCIIDigit)) else { return false }
        return parts[0].split(separator: ".", omittingEmptySubsequences: false).allSatisfy { label in
            !label.isEmpty && label.first != "-" && label.last != "-" && label.allSatisfy { $0.isASCIILetterOrDigit || $0 == "-" }
        }
    }

    /// Lower-case words with `.`, `_`, `__` or dashes between, joined by slashes.
    private static func isPath(_ text: Substring) -> Bool {
        text.split(separator: "/", omittingEmptySubsequences: false).allSatisfy { component in
            guard let first = component.first, let last = component.last, first.isASCIILetterOrDigit, last.isASCIILetterOrDigit else {
                return false
            }
            var separators = ""
            for character in component {
                if character.isASCIILetterOrDigit {
                    guard ["", ".", "_", "__"].contains(separators) || separators.allSatisfy({ $0 == "-" }) else { return false }
                    separators = ""
                } else {
                    separators.append(character)
                }
                guard !character.isUppercase, character.isASCII, character.isASCIILetterOrDigit || ".-_".contains(character) else {
                    return false
                }
            }
            return true
        }
    }
}

extension Character {
    fileprivate var isASCIIDigit: Bool { isASCII && isNumber }
    fileprivate var isASCIILetterOrDigit: Bool { isASCII && (isLetter || isNumber) }
    fileprivate var isWord: Bool { isASCIILetterOrDigit || self == "_" }
}
