/// Roles of users in an organization, weakest first.
public enum OrgRole: String, Codable, Hashable, Sendable, CaseIterable {
    case user, manager, admin
}

/// Roles of users in a cluster, weakest first.
public enum ClusterRole: String, Codable, Hashable, Sendable, CaseIterable {
    case member, user, manager, admin
}

/// Roles of users in a project, weakest first.
public enum ProjectRole: String, Codable, Hashable, Sendable, CaseIterable {
    case reader, writer, manager, admin
}
