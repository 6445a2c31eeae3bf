import PlatformModel

/// URIs of things that a job uses: checked and made canonical once, so that what is checked is what is mounted (jobs-api.md 6.4, 6.5).
enum MountURI {
    /// `storage://<cluster>/<any path>`. Repeated slashes and a trailing one stay in the text.
    static func storage(_ value: OrderedJSON, cluster: String) throws(Problem) -> String {
        let parts = try split(Check.text(value), scheme: "storage", cluster: cluster)
        var segments: [String] = []
        for (index, segment) in parts.enumerated() {
            if segment == "." { continue }
            // The empty segments between repeated slashes are kept, the last one only as the trailing slash.
            if segment.isEmpty, index == parts.count - 1, segments.isEmpty { continue }
            segments.append(segment)
        }
        let path = segments.map { PercentCoding.encode($0) }.joined(separator: "/")
        return segments.isEmpty ? "storage://\(cluster)" : "storage://\(cluster)/\(path)"
    }

    /// `secret://…` or `disk://…`: an owner path and the name of the thing.
    static func owned(_ value: OrderedJSON, scheme: ResourceScheme, cluster: String) throws(Problem) -> ResourceURI {
        let segments = try split(Check.text(value), scheme: scheme.rawValue, cluster: cluster).filter { $0 != "." && !$0.isEmpty }
        guard segments.count >= 2 else { throw .message("Invalid URI path: Wrong number of path items") }
        return ResourceURI(scheme, [cluster] + segments)
    }

    /// The decoded segments after the cluster.
    private static func split(_ text: String, scheme: String, cluster: String) throws(Problem) -> [String] {
        let colon = text.firstIndex(of: ":")
        let got = colon.map { text[..<$0] } ?? ""
        guard got == scheme else { throw .message("Invalid URI scheme: '\(got)' != '\(scheme)'") }
        if text.contains("#") { throw .message("Fragment part is not allowed in URI") }
        if text.contains("?") { throw .message("Query part is not allowed in URI") }
        var rest = colon.map { text[text.index(after: $0)...] } ?? ""
        var authority: Substring = ""
        if rest.hasPrefix("//") {
            rest = rest.dropFirst(2)
            authority = rest.prefix { $0 != "/" }
            rest = rest[authority.endIndex...]
        }
        guard authority == cluster else { throw .message("Invalid URI cluster: '\(authority)' != '\(cluster)'") }
        guard let decoded = PercentCoding.decode(rest), !decoded.contains("\0") else { throw .message("Invalid path: '\(rest)'") }
        // An escaped slash is a slash: decoding comes first, so that no spelling of `..` passes.
        let segments = decoded.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard !segments.contains("..") else { throw .message("Invalid path: '\(decoded)'") }
        return segments.first?.isEmpty == true ? Array(segments.dropFirst()) : segments
    }
}
