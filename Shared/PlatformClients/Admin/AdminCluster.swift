import Foundation
import PlatformModel

/// A cluster as admin-api knows it. Also the body of `POST clusters` and `PUT clusters/{c}`.
public struct AdminCluster: Hashable, Sendable, Codable {
    public var name: ClusterName
    public var defaultRole: ClusterRole
    public var defaultQuota: Quota?
    public var defaultCredits: Money?
    public var maintenance: Bool

    public init(
        name: ClusterName, defaultRole: ClusterRole = .user, defaultQuota: Quota? = nil, defaultCredits: Money? = nil,
        maintenance: Bool = false
    ) {
        self.name = name
        self.defaultRole = defaultRole
        self.defaultQuota = defaultQuota
        self.defaultCredits = defaultCredits
        self.maintenance = maintenance
    }

    enum CodingKeys: String, CodingKey {
        case name, maintenance
        case defaultRole = "default_role"
        case defaultQuota = "default_quota"
        case defaultCredits = "default_credits"
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        name = try container.decode(ClusterName.self, forKey: .name)
        defaultRole = try container.decodeIfPresent(ClusterRole.self, forKey: .defaultRole) ?? .user
        defaultQuota = try container.decodeIfPresent(Quota.self, forKey: .defaultQuota)
        defaultCredits = try container.decodeMoneyIfPresent(forKey: .defaultCredits)
        maintenance = try container.decodeIfPresent(Bool.self, forKey: .maintenance) ?? false
    }
}

/// The presence of an organization in a cluster. Also the body of `POST clusters/{c}/orgs` and of its `PUT`.
public struct OrgCluster: Hashable, Sendable, Codable {
    public var clusterName: ClusterName?
    public var orgName: OrgName
    public var quota: Quota?
    public var balance: Balance?
    public var defaultQuota: Quota?
    public var defaultCredits: Money?
    public var defaultRole: ClusterRole
    /// Bytes.
    public var storageSize: Int64?
    public var maintenance: Bool

    public init(
        clusterName: ClusterName? = nil, orgName: OrgName, quota: Quota? = nil, balance: Balance? = nil, defaultQuota: Quota? = nil,
        defaultCredits: Money? = nil, defaultRole: ClusterRole = .user, storageSize: Int64? = nil, maintenance: Bool = false
    ) {
        self.clusterName = clusterName
        self.orgName = orgName
        self.quota = quota
        self.balance = balance
        self.defaultQuota = defaultQuota
        self.defaultCredits = defaultCredits
        self.defaultRole = defaultRole
        self.storageSize = storageSize
        self.maintenance = maintenance
    }

    enum CodingKeys: String, CodingKey {
        case quota, balance, maintenance
        case clusterName = "cluster_name"
        case orgName = "org_name"
        case defaultQuota = "default_quota"
        case defaultCredits = "default_credits"
        case defaultRole = "default_role"
        case storageSize = "storage_size"
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        clusterName = try container.decodeIfPresent(ClusterName.self, forKey: .clusterName)
        orgName = try container.decode(OrgName.self, forKey: .orgName)
        quota = try container.decodeIfPresent(Quota.self, forKey: .quota)
        balance = try container.decodeIfPresent(Balance.self, forKey: .balance)
        defaultQuota = try container.decodeIfPresent(Quota.self, forKey: .defaultQuota)
        defaultCredits = try container.decodeMoneyIfPresent(forKey: .defaultCredits)
        defaultRole = try container.decodeIfPresent(ClusterRole.self, forKey: .defaultRole) ?? .user
        storageSize = try container.decodeBytesIfPresent(forKey: .storageSize)
        maintenance = try container.decodeIfPresent(Bool.self, forKey: .maintenance) ?? false
    }
}

extension KeyedDecodingContainer {
    /// A number of bytes. The client multiplies twice: what is larger than 64 bits hold is as good as no bound, not an error.
    fileprivate func decodeBytesIfPresent(forKey key: Key) throws -> Int64? {
        if let bytes = try? decodeIfPresent(Int64.self, forKey: key) { return bytes }
        return try decodeIfPresent(Decimal.self, forKey: key).map { Int64(clamping: NSDecimalNumber(decimal: $0)) }
    }
}

extension Int64 {
    fileprivate init(clamping number: NSDecimalNumber) {
        let largest = NSDecimalNumber(value: Int64.max)
        self = number.compare(largest) == .orderedAscending ? number.int64Value : .max
    }
}

/// The membership of a user in a cluster, on behalf of an organization unless `orgName` is nil.
public struct ClusterUser: Hashable, Sendable, Codable {
    public var userName: String?
    public var clusterName: ClusterName?
    /// Absent in listings for callers who may see names only.
    public var role: ClusterRole?
    public var orgName: OrgName?
    public var quota: Quota?
    public var balance: Balance?
    public var userInfo: UserInfo?

    public init(
        userName: String? = nil, clusterName: ClusterName? = nil, role: ClusterRole? = nil, orgName: OrgName? = nil, quota: Quota? = nil,
        balance: Balance? = nil, userInfo: UserInfo? = nil
    ) {
        self.userName = userName
        self.clusterName = clusterName
        self.role = role
        self.orgName = orgName
        self.quota = quota
        self.balance = balance
        self.userInfo = userInfo
    }

    enum CodingKeys: String, CodingKey {
        case role, quota, balance
        case userName = "user_name"
        case clusterName = "cluster_name"
        case orgName = "org_name"
        case userInfo = "user_info"
    }
}
