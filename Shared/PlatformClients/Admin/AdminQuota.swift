import PlatformModel

/// How many jobs may run at once; nil is unlimited.
public struct Quota: Hashable, Sendable, Codable {
    public var totalRunningJobs: Int?

    public init(totalRunningJobs: Int? = nil) { self.totalRunningJobs = totalRunningJobs }

    public static let unlimited = Quota()

    enum CodingKeys: String, CodingKey { case totalRunningJobs = "total_running_jobs" }

    /// Accepts the integer and, from some calls of the client, the integer as a string. `null` is unlimited.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        if let text = try? container.decodeIfPresent(String.self, forKey: .totalRunningJobs) {
            guard let number = Int(text) else {
                throw DecodingError.dataCorruptedError(
                    forKey: .totalRunningJobs, in: container, debugDescription: "expected a whole number")
            }
            totalRunningJobs = number
        } else {
            totalRunningJobs = try container.decodeIfPresent(Int.self, forKey: .totalRunningJobs)
        }
    }
}

/// Credits that are left (nil: unlimited; may be negative) and that were spent.
public struct Balance: Hashable, Sendable, Codable {
    public var spentCredits: Money
    public var credits: Money?

    public init(spentCredits: Money = .zero, credits: Money? = nil) {
        self.spentCredits = spentCredits
        self.credits = credits
    }

    /// Whether a limited balance is used up.
    public var isExhausted: Bool { credits.map { $0 <= .zero } ?? false }

    enum CodingKeys: String, CodingKey {
        case spentCredits = "spent_credits"
        case credits
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        spentCredits = try container.decodeMoneyIfPresent(forKey: .spentCredits) ?? .zero
        credits = try container.decodeMoneyIfPresent(forKey: .credits)
    }
}
