/// The address of a resource: `scheme:[//authority[/segment]*]`, segments percent-encoded UTF-8.
///
/// Two URIs are equal when scheme and decoded segments are; a single trailing slash does not count, the authority is compared in lower
/// case. `text` is what was received, so that answers can echo it exactly.
public struct ResourceURI: Sendable, CustomStringConvertible {
    public let scheme: ResourceScheme
    /// Authority first, then the path; decoded. Empty for a whole scheme.
    public let segments: [String]
    /// The text this was parsed from, or the canonical form of a URI made from parts.
    public let text: String

    /// A URI from decoded parts. They must not be empty, `.`, `..` or contain `/`; names of this module never do.
    public init(_ scheme: ResourceScheme, _ segments: [String] = []) {
        var segments = segments
        if let authority = segments.first { segments[0] = authority.lowercased() }
        self.scheme = scheme
        self.segments = segments
        text = Self.canonical(scheme, segments)
    }

    /// A URI from names of any kind: `ResourceURI(.job, cluster, org, project)`.
    public init(_ scheme: ResourceScheme, _ names: any PlatformName...) {
        self.init(scheme, names.flatMap { $0.text.split(separator: "/").map(String.init) })
    }

    /// The URI one or more segments below this one.
    public func appending(_ more: String...) -> ResourceURI { ResourceURI(scheme, segments + more) }

    /// The URI one or more segments below this one.
    public func appending(_ names: any PlatformName...) -> ResourceURI { ResourceURI(scheme, segments + names.map(\.text)) }

    /// `scheme:` or `scheme://authority/segment/…`, percent-encoded where a path segment needs it.
    public var canonical: String { Self.canonical(scheme, segments) }

    public var authority: String? { segments.first }

    public var description: String { text }

    /// Whether a grant on this URI reaches `other`: same scheme, and these segments are a prefix of the other's.
    public func covers(_ other: ResourceURI) -> Bool {
        scheme == other.scheme && segments.count <= other.segments.count && other.segments.starts(with: segments)
    }

    private static func canonical(_ scheme: ResourceScheme, _ segments: [String]) -> String {
        segments.isEmpty ? "\(scheme.rawValue):" : "\(scheme.rawValue)://" + segments.map(PercentCoding.encode).joined(separator: "/")
    }
}

extension ResourceURI: Hashable {
    public static func == (a: ResourceURI, b: ResourceURI) -> Bool { a.scheme == b.scheme && a.segments == b.segments }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(scheme)
        hasher.combine(segments)
    }
}

extension ResourceURI: Codable {
    /// Throws `ResourceURIError` itself, not `DecodingError`: an unknown scheme has a status of its own.
    public init(from decoder: any Decoder) throws {
        try self.init(decoder.singleValueContainer().decode(String.self))
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }
}
