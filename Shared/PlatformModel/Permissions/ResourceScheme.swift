/// The kinds of resources that permissions speak of.
public enum ResourceScheme: String, Hashable, Sendable, CaseIterable {
    case storage, image, job, blob, disk, secret, flow, app
    case cluster, org, project, role, user, token
    case systemUser = "system-user"
    case admin, vcluster, metrics, config, notifications, events, apps

    /// The schemes of what projects hold: `scheme://cluster/org/project/…`.
    public static let projectResources: [ResourceScheme] = [.job, .storage, .image, .blob, .disk, .secret, .flow, .app]
}
