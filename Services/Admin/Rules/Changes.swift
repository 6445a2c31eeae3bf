import Crypto
import Foundation
import PlatformClients
import PlatformModel
import ServiceKit

/// The body of a quota PATCH: `{"quota": {…}}` or `{"additional_quota": {"total_running_jobs": n}}`.
struct QuotaChange: Codable, Sendable {
    let quota: Quota?
    let additional: Int?

    private enum CodingKeys: String, CodingKey {
        case quota
        case additional = "additional_quota"
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let delta = try container.decodeIfPresent(Quota.self, forKey: .additional)
        guard container.contains(.quota) != (delta != nil) else {
            throw PlatformError.badRequest("Either quota or additional_quota is required")
        }
        quota = try container.decodeIfPresent(Quota.self, forKey: .quota)
        additional = delta.map { $0.totalRunningJobs ?? 0 }
    }
}

/// The body of a balance PATCH: `{"credits": amount or null}` or `{"additional_credits": amount}`.
struct BalanceChange: Codable, Sendable {
    /// Outer nil: not to be set; inner nil: unlimited.
    let credits: Money??
    let additional: Money?

    init(credits: Money?) {
        self.credits = .some(credits)
        additional = nil
    }

    private enum CodingKeys: String, CodingKey {
        case credits
        case additional = "additional_credits"
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        additional = try container.decodeMoneyIfPresent(forKey: .additional)
        guard container.contains(.credits) != (additional != nil) else {
            throw PlatformError.badRequest("Either credits or additional_credits is required")
        }
        credits = container.contains(.credits) ? .some(try container.decodeMoneyIfPresent(forKey: .credits)) : .none
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        if let credits { try container.encode(credits, forKey: .credits) }
        try container.encodeIfPresent(additional, forKey: .additional)
    }
}

/// A key that lets a caller repeat a change of numbers without repeating its effect.
struct IdempotencyKey: Sendable {
    let caller: String
    /// Method and path.
    let route: String
    let key: String
    let bodyHash: String

    init?(_ key: String?, caller: Caller, route: String, body: some Encodable) throws {
        guard let key, !key.isEmpty else { return nil }
        guard key.utf8.count <= 255 else { throw PlatformError.badRequest("idempotency_key: is longer than 255 characters") }
        self.caller = caller.name
        self.route = route
        self.key = key
        bodyHash = SHA256.hash(data: try PlatformJSON.encoder().encode(body)).map { String($0, radix: 16) }.joined(separator: ".")
    }

    /// True when the change must be made: there is no key, or it is new. Belongs into the transaction of the change.
    /// - Throws: 409 when the key was used for something else.
    static func isNew(_ key: IdempotencyKey?, on db: some Database) async throws -> Bool {
        guard let key else { return true }
        let inserted = try await db.execute(
            """
            INSERT INTO idempotency_keys (caller, route, key, body_hash) VALUES (\(key.caller), \(key.route), \(key.key), \(key.bodyHash))
            ON CONFLICT DO NOTHING
            """)
        if inserted == 1 { return true }
        let stored = try await db.query(
            "SELECT body_hash FROM idempotency_keys WHERE caller = \(key.caller) AND route = \(key.route) AND key = \(key.key)")
        guard try stored.first?.get("body_hash", as: String.self) == key.bodyHash else {
            throw PlatformError.conflict("The idempotency key was used for another change")
        }
        return false
    }

    /// Forgets keys that are older, a bounded batch at a time; true when nothing is left to forget.
    static func sweep(olderThan days: Int, on db: some Database) async throws -> Bool {
        try await db.execute(
            """
            DELETE FROM idempotency_keys WHERE (caller, route, key) IN (
                SELECT caller, route, key FROM idempotency_keys WHERE created_at < now() - make_interval(days => \(days)) LIMIT 5000)
            """) < 5_000
    }
}
