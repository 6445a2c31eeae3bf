import PlatformModel

/// A user; `orgs`, `clusters` and `projects` are there when asked for.
public struct AdminUser: Hashable, Sendable, Codable {
    public var name: String
    public var email: String
    public var firstName: String?
    public var lastName: String?
    public var createdAt: UTCTime?
    public var orgs: [OrgUser]?
    public var clusters: [ClusterUser]?
    public var projects: [ProjectUser]?

    public init(
        name: String, email: String, firstName: String? = nil, lastName: String? = nil, createdAt: UTCTime? = nil, orgs: [OrgUser]? = nil,
        clusters: [ClusterUser]? = nil, projects: [ProjectUser]? = nil
    ) {
        self.name = name
        self.email = email
        self.firstName = firstName
        self.lastName = lastName
        self.createdAt = createdAt
        self.orgs = orgs
        self.clusters = clusters
        self.projects = projects
    }

    enum CodingKeys: String, CodingKey {
        case name, email, orgs, clusters, projects
        case firstName = "first_name"
        case lastName = "last_name"
        case createdAt = "created_at"
    }
}

/// What memberships tell of the person, when asked with `with_user_info`.
public struct UserInfo: Hashable, Sendable, Codable {
    public var email: String
    public var firstName: String?
    public var lastName: String?
    public var createdAt: UTCTime?

    public init(email: String, firstName: String? = nil, lastName: String? = nil, createdAt: UTCTime? = nil) {
        self.email = email
        self.firstName = firstName
        self.lastName = lastName
        self.createdAt = createdAt
    }

    enum CodingKeys: String, CodingKey {
        case email
        case firstName = "first_name"
        case lastName = "last_name"
        case createdAt = "created_at"
    }
}
