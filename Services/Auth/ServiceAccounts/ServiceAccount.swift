import Foundation
import PlatformModel
import Postgres

/// A role that programs of its owner sign in as, with a token made once.
struct ServiceAccount: Sendable, Encodable {
    let id: String
    let name: String?
    let owner: String
    let role: String
    let defaultCluster: String
    let defaultOrg: String?
    let defaultProject: String
    let createdAt: Date
    /// The base64 blob that a client takes in place of a configuration; told once, when the account is made.
    var token: String?

    enum CodingKeys: String, CodingKey {
        case id, name, owner, role, token
        case defaultCluster = "default_cluster"
        case defaultOrg = "default_org"
        case defaultProject = "default_project"
        case createdAt = "created_at"
        case roleDeleted = "role_deleted"
    }

    init(_ row: PostgresRow) throws {
        id = try row.get("id")
        name = try row.get("name")
        owner = try row.get("owner")
        role = try row.get("role")
        defaultCluster = try row.get("default_cluster")
        defaultOrg = try row.get("default_org")
        defaultProject = try row.get("default_project")
        createdAt = try row.get("created_at")
    }

    /// Names and organizations that are not there are null, not absent.
    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(id, forKey: .id)
        try container.encode(name, forKey: .name)
        try container.encode(owner, forKey: .owner)
        try container.encode(role, forKey: .role)
        try container.encode(defaultCluster, forKey: .defaultCluster)
        try container.encode(defaultOrg, forKey: .defaultOrg)
        try container.encode(defaultProject, forKey: .defaultProject)
        try container.encode(createdAt, forKey: .createdAt)
        try container.encode(false, forKey: .roleDeleted)
        try container.encodeIfPresent(token, forKey: .token)
    }

    /// The reason why a name cannot be one: dot-separated parts of lower-case letters and digits with dashes inside.
    static func refusal(of name: String) -> String? {
        let good = name.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { part in
            guard let first = part.utf8.first, let last = part.utf8.last else { return false }
            return isAlphanumeric(first) && isAlphanumeric(last) && part.utf8.allSatisfy { isAlphanumeric($0) || $0 == UInt8(ascii: "-") }
        }
        return good && name.utf8.count <= 63 ? nil : "Invalid service account name '\(name)'"
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }
}

/// What a client is given in place of a configuration (auth.md 2.5).
struct PassedConfiguration: Encodable, Sendable {
    let token: String
    let cluster: String
    let url: String
    let orgName: String?
    let projectName: String

    enum CodingKeys: String, CodingKey {
        case token, cluster, url
        case orgName = "org_name"
        case projectName = "project_name"
    }
}
