import PlatformModel

/// A project.
public struct Project: Hashable, Sendable, Codable {
    public var name: ProjectName
    public var clusterName: ClusterName
    public var orgName: OrgName?
    /// New members of the organization are added to it.
    public var isDefault: Bool
    public var defaultRole: ProjectRole
    public var hasVirtualKube: Bool

    public init(
        name: ProjectName, clusterName: ClusterName, orgName: OrgName?, isDefault: Bool = false, defaultRole: ProjectRole = .writer,
        hasVirtualKube: Bool = false
    ) {
        self.name = name
        self.clusterName = clusterName
        self.orgName = orgName
        self.isDefault = isDefault
        self.defaultRole = defaultRole
        self.hasVirtualKube = hasVirtualKube
    }

    enum CodingKeys: String, CodingKey {
        case name
        case clusterName = "cluster_name"
        case orgName = "org_name"
        case isDefault = "is_default"
        case defaultRole = "default_role"
        case hasVirtualKube = "has_virtual_kube"
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        name = try container.decode(ProjectName.self, forKey: .name)
        clusterName = try container.decode(ClusterName.self, forKey: .clusterName)
        orgName = try container.decodeIfPresent(OrgName.self, forKey: .orgName)
        isDefault = try container.decodeIfPresent(Bool.self, forKey: .isDefault) ?? false
        defaultRole = try container.decodeIfPresent(ProjectRole.self, forKey: .defaultRole) ?? .writer
        hasVirtualKube = try container.decodeIfPresent(Bool.self, forKey: .hasVirtualKube) ?? false
    }

    /// `org_name` is always written.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(name, forKey: .name)
        try container.encode(clusterName, forKey: .clusterName)
        try container.encode(orgName, forKey: .orgName)
        try container.encode(isDefault, forKey: .isDefault)
        try container.encode(defaultRole, forKey: .defaultRole)
        try container.encode(hasVirtualKube, forKey: .hasVirtualKube)
    }
}

/// The body of `POST …/projects`.
public struct CreateProjectRequest: Hashable, Sendable, Codable {
    public var name: ProjectName
    public var isDefault: Bool?
    public var defaultRole: ProjectRole?
    public var hasVirtualKube: Bool?

    public init(name: ProjectName, isDefault: Bool? = nil, defaultRole: ProjectRole? = nil, hasVirtualKube: Bool? = nil) {
        self.name = name
        self.isDefault = isDefault
        self.defaultRole = defaultRole
        self.hasVirtualKube = hasVirtualKube
    }

    enum CodingKeys: String, CodingKey {
        case name
        case isDefault = "is_default"
        case defaultRole = "default_role"
        case hasVirtualKube = "has_virtual_kube"
    }
}

/// The membership of a user in a project. `POST …/users` sends `user_name` and perhaps `role`.
public struct ProjectUser: Hashable, Sendable, Codable {
    public var projectName: ProjectName?
    public var clusterName: ClusterName?
    public var orgName: OrgName?
    public var userName: String?
    public var role: ProjectRole?
    public var userInfo: UserInfo?

    public init(
        projectName: ProjectName? = nil, clusterName: ClusterName? = nil, orgName: OrgName? = nil, userName: String? = nil,
        role: ProjectRole? = nil, userInfo: UserInfo? = nil
    ) {
        self.projectName = projectName
        self.clusterName = clusterName
        self.orgName = orgName
        self.userName = userName
        self.role = role
        self.userInfo = userInfo
    }

    enum CodingKeys: String, CodingKey {
        case role
        case projectName = "project_name"
        case clusterName = "cluster_name"
        case orgName = "org_name"
        case userName = "user_name"
        case userInfo = "user_info"
    }

    /// `org_name` is written even when there is none.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encodeIfPresent(projectName, forKey: .projectName)
        try container.encodeIfPresent(clusterName, forKey: .clusterName)
        try container.encode(orgName, forKey: .orgName)
        try container.encodeIfPresent(userName, forKey: .userName)
        try container.encodeIfPresent(role, forKey: .role)
        try container.encodeIfPresent(userInfo, forKey: .userInfo)
    }
}
