/// Why a text is not a resource URI.
public enum ResourceURIError: Error, Hashable, CustomStringConvertible {
    /// Answered with 400.
    case malformed(String, reason: String)
    /// Answered with 422.
    case unknownScheme(String)

    public var description: String {
        switch self {
        case .malformed(let uri, let reason): "Malformed URI \(uri): \(reason)"
        case .unknownScheme(let scheme): "Unknown resource type: \(scheme)"
        }
    }
}

extension ResourceURI {
    /// Parses `scheme ":" [ "//" [ authority [ "/" segment ]* ] ]`.
    ///
    /// Refused: user info, port, query, fragment, a path without authority, empty segments (but one trailing slash), `.` and `..`,
    /// segments that decode to something with `/`, and escapes that are not UTF-8.
    public init(_ text: String) throws(ResourceURIError) {
        func malformed(_ reason: String) -> ResourceURIError { .malformed(text, reason: reason) }
        guard let colon = text.firstIndex(of: ":") else { throw malformed("the scheme is missing") }
        let schemeText = text[..<colon].lowercased()
        guard !schemeText.isEmpty else { throw malformed("the scheme is missing") }
        var rest = text[text.index(after: colon)...]
        var segments: [String] = []
        if rest.hasPrefix("//") {
            rest = rest.dropFirst(2)
            if !rest.isEmpty { segments = try Self.parseSegments(rest, malformed) }
        } else if !rest.isEmpty {
            throw malformed("the authority is missing although a path is present")
        }
        guard let scheme = ResourceScheme(rawValue: schemeText) else { throw .unknownScheme(schemeText) }
        self.init(scheme: scheme, segments: segments, text: text)
    }

    private init(scheme: ResourceScheme, segments: [String], text: String) {
        self.scheme = scheme
        self.segments = segments
        self.text = text
    }

    private static func parseSegments(
        _ rest: Substring, _ malformed: (String) -> ResourceURIError
    ) throws(ResourceURIError) -> [String] {
        if rest.contains(where: { $0 == "?" || $0 == "#" }) { throw malformed("a query or fragment is not allowed") }
        var parts = rest.split(separator: "/", omittingEmptySubsequences: false)
        if parts.count > 1, parts.last?.isEmpty == true { parts.removeLast() }
        guard let authority = parts.first, !authority.isEmpty else {
            throw malformed("the authority is missing although a path is present")
        }
        if authority.contains(where: { $0 == "@" || $0 == ":" }) { throw malformed("user info and port are not allowed") }
        var segments: [String] = []
        segments.reserveCapacity(parts.count)
        for part in parts {
            guard let decoded = PercentCoding.decode(part) else { throw malformed("an escape sequence is not valid UTF-8") }
            if decoded.isEmpty { throw malformed("a segment is empty") }
            if decoded == "." || decoded == ".." { throw malformed("relative segments are not allowed") }
            if decoded.utf8.contains(UInt8(ascii: "/")) { throw malformed("a segment contains a slash") }
            if decoded.utf8.contains(where: { $0 < 0x20 || $0 == 0x7f }) { throw malformed("a segment contains a control character") }
            segments.append(decoded)
        }
        segments[0] = segments[0].lowercased()
        return segments
    }
}
