import PlatformModel

/// An organization. `POST orgs` sends `name` and `user_default_credits`.
public struct Org: Hashable, Sendable, Codable {
    public var name: OrgName
    public var balance: Balance?
    /// The balance of new members; nil is unlimited.
    public var userDefaultCredits: Money?
    public var notificationIntervals: NotificationIntervals?

    public init(
        name: OrgName, balance: Balance? = nil, userDefaultCredits: Money? = nil, notificationIntervals: NotificationIntervals? = nil
    ) {
        self.name = name
        self.balance = balance
        self.userDefaultCredits = userDefaultCredits
        self.notificationIntervals = notificationIntervals
    }

    enum CodingKeys: String, CodingKey {
        case name, balance
        case userDefaultCredits = "user_default_credits"
        case notificationIntervals = "notification_intervals"
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        name = try container.decode(OrgName.self, forKey: .name)
        balance = try container.decodeIfPresent(Balance.self, forKey: .balance)
        userDefaultCredits = try container.decodeMoneyIfPresent(forKey: .userDefaultCredits)
        notificationIntervals = try container.decodeIfPresent(NotificationIntervals.self, forKey: .notificationIntervals)
    }
}

/// When the management of an organization is told of its balance. Exactly these three keys, each a list or null.
public struct NotificationIntervals: Hashable, Sendable, Codable {
    /// Seconds until the balance will reach zero at the present rate.
    public var balanceProjectionSeconds: [Int]?
    /// Credits.
    public var balanceAmount: [Int]?
    /// Seconds after the balance ran out.
    public var balanceDepletionSeconds: [Int]?

    public init(balanceProjectionSeconds: [Int]? = nil, balanceAmount: [Int]? = nil, balanceDepletionSeconds: [Int]? = nil) {
        self.balanceProjectionSeconds = balanceProjectionSeconds
        self.balanceAmount = balanceAmount
        self.balanceDepletionSeconds = balanceDepletionSeconds
    }

    enum CodingKeys: String, CodingKey {
        case balanceProjectionSeconds = "balance_projection_seconds"
        case balanceAmount = "balance_amount"
        case balanceDepletionSeconds = "balance_depletion_seconds"
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(balanceProjectionSeconds, forKey: .balanceProjectionSeconds)
        try container.encode(balanceAmount, forKey: .balanceAmount)
        try container.encode(balanceDepletionSeconds, forKey: .balanceDepletionSeconds)
    }
}

/// The membership of a user in an organization. `POST orgs/{o}/users` sends `user_name`, `role` and perhaps `balance`.
public struct OrgUser: Hashable, Sendable, Codable {
    public var userName: String?
    public var orgName: OrgName?
    public var role: OrgRole
    public var balance: Balance?
    public var userInfo: UserInfo?

    public init(
        userName: String? = nil, orgName: OrgName? = nil, role: OrgRole, balance: Balance? = nil, userInfo: UserInfo? = nil
    ) {
        self.userName = userName
        self.orgName = orgName
        self.role = role
        self.balance = balance
        self.userInfo = userInfo
    }

    enum CodingKeys: String, CodingKey {
        case role, balance
        case userName = "user_name"
        case orgName = "org_name"
        case userInfo = "user_info"
    }
}
