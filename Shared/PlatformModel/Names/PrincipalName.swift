/// The name of anything that holds grants: a user, role, service account, service or cluster. Segments are separated by `/`.
///
/// In URL paths the separator is `:`, because one path segment must hold the whole name.
public struct PrincipalName: PlatformName {
    public static let kind = "name"
    public let text: String

    public init(checked text: String) { self.text = text }

    public static func refusal(of text: String) -> String? {
        if text.isEmpty { return "it is empty" }
        if text.utf8.count > 255 { return "it is longer than 255 characters" }
        for segment in text.split(separator: "/", omittingEmptySubsequences: false) {
            if let reason = NameRules.principalSegment(segment) { return reason }
        }
        return nil
    }

    /// Parses the form used in URL paths (`alice:roles:x`); real slashes are accepted as well.
    public init(pathForm: String) throws(NameError) {
        try self.init(String(pathForm.map { $0 == ":" ? "/" : $0 }))
    }

    /// The form used in URL paths: every `/` is a `:`.
    public var pathForm: String { String(text.map { $0 == "/" ? ":" : $0 }) }

    public var segments: [Substring] { text.split(separator: "/") }

    /// The part before the first `/`: the account that quotas, memberships and credits belong to.
    public var base: PrincipalName { PrincipalName(checked: String(text.prefix { $0 != "/" })) }

    /// True for a name with a `/`.
    public var isSubrole: Bool { text.contains("/") }

    /// The principal of the services inside a cluster: `cluster/<name>`.
    ///
    /// Not the bare name: clusters and organizations may share that, and it is but the base below which their roles are named. Whoever
    /// could act as the base would rule the roles below it, so nobody is ever given a token for it.
    public init(servicesOf cluster: ClusterName) throws(NameError) { try self.init("\(Self.clusters)/\(cluster)") }

    /// The cluster whose services this principal is, nil for any other: the reverse of ``init(servicesOf:)``.
    public var servedCluster: ClusterName? {
        let segments = segments
        guard segments.count == 2, segments[0] == Self.clusters else { return nil }
        return try? ClusterName(String(segments[1]))
    }

    private static let clusters = "cluster"

    /// `user://<name>`
    public var userURI: ResourceURI { ResourceURI(.user, text.split(separator: "/").map(String.init)) }

    /// `role://<name>`
    public var roleURI: ResourceURI { ResourceURI(.role, text.split(separator: "/").map(String.init)) }
}
