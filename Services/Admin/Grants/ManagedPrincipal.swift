import PlatformModel

/// A principal whose grants this service keeps in step with the memberships.
///
/// Users hold roles; roles hold permissions. Each membership of a user in a cluster has a role of its own, which holds the user's whole
/// permission set there, projects included.
enum ManagedPrincipal: Hashable, Sendable {
    /// The principal below which roles of a cluster or an organization are named.
    case base(String)
    /// `{c}/{o}/manager` and `{c}/{o}/admin`.
    case clusterManager(ClusterName, OrgName)
    case clusterAdmin(ClusterName, OrgName)
    /// `{o}/user`, `{o}/manager`, `{o}/admin`.
    case orgUser(OrgName)
    case orgManager(OrgName)
    case orgAdmin(OrgName)
    /// `{c}/{o}/users/{u}`, or `{c}/users/{u}` for a direct member.
    case clusterUser(ClusterName, OrgName?, UserName)
    case user(UserName)

    /// The principal's name. Parts longer than a segment may be were refused when they were created.
    var name: PrincipalName {
        get throws {
            switch self {
            case .base(let name): try PrincipalName(name)
            case .clusterManager(let cluster, let org): try PrincipalName("\(cluster)/\(org)/manager")
            case .clusterAdmin(let cluster, let org): try PrincipalName("\(cluster)/\(org)/admin")
            case .orgUser(let org): try PrincipalName("\(org)/user")
            case .orgManager(let org): try PrincipalName("\(org)/manager")
            case .orgAdmin(let org): try PrincipalName("\(org)/admin")
            case .clusterUser(let cluster, let org?, let user): try PrincipalName("\(cluster)/\(org)/users/\(user)")
            case .clusterUser(let cluster, nil, let user): try PrincipalName("\(cluster)/users/\(user)")
            case .user(let user): user.principal
            }
        }
    }

    /// Whatever holds a role comes after the role: a grant of a role that does not exist yet would be lost.
    var rank: Int {
        switch self {
        case .base: 0
        case .clusterManager: 1
        case .clusterAdmin: 2
        case .orgUser: 3
        case .orgManager: 4
        case .orgAdmin: 5
        case .clusterUser: 6
        case .user: 7
        }
    }

    var kind: String {
        switch self {
        case .base: "base"
        case .clusterManager: "cluster-manager"
        case .clusterAdmin: "cluster-admin"
        case .orgUser: "org-user"
        case .orgManager: "org-manager"
        case .orgAdmin: "org-admin"
        case .clusterUser: "cluster-user"
        case .user: "user"
        }
    }

    var parts: (cluster: String?, org: String?, user: String?) {
        switch self {
        case .base(let name): (name, nil, nil)
        case .clusterManager(let cluster, let org), .clusterAdmin(let cluster, let org): (cluster.text, org.text, nil)
        case .orgUser(let org), .orgManager(let org), .orgAdmin(let org): (nil, org.text, nil)
        case .clusterUser(let cluster, let org, let user): (cluster.text, org?.text, user.text)
        case .user(let user): (nil, nil, user.text)
        }
    }

    /// From the columns of the outbox; nil for a kind that this release does not know.
    init?(kind: String, cluster: String?, org: String?, user: String?) throws {
        let cluster = cluster ?? ""
        switch kind {
        case "base": self = .base(cluster)
        case "cluster-manager": self = .clusterManager(try ClusterName(cluster), try OrgName(org ?? ""))
        case "cluster-admin": self = .clusterAdmin(try ClusterName(cluster), try OrgName(org ?? ""))
        case "org-user": self = .orgUser(try OrgName(org ?? ""))
        case "org-manager": self = .orgManager(try OrgName(org ?? ""))
        case "org-admin": self = .orgAdmin(try OrgName(org ?? ""))
        case "cluster-user": self = .clusterUser(try ClusterName(cluster), try org.map { try OrgName($0) }, try UserName(user ?? ""))
        case "user": self = .user(try UserName(user ?? ""))
        default: return nil
        }
    }

    /// The roles that are there for every organization.
    static func roles(of org: OrgName) -> [ManagedPrincipal] { [.base(org.text), .orgUser(org), .orgManager(org), .orgAdmin(org)] }

    /// The roles that are there for every organization in a cluster.
    static func roles(of org: OrgName, in cluster: ClusterName) -> [ManagedPrincipal] {
        [.base(cluster.text), .clusterManager(cluster, org), .clusterAdmin(cluster, org)]
    }
}
