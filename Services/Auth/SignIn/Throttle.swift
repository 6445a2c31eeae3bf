import Foundation
import Postgres

/// Slows down guessing: attempts are counted by account and by source address before anything is compared, and after some of them each
/// next one has to wait twice as long, up to a bound. Accounts are counted whether they exist or not.
struct Throttle: Sendable {
    /// What an attempt is counted under.
    enum Key: Sendable {
        case account(String)
        case source(String)
        /// Clients and codes at the token endpoint, by source.
        case tokens(String)

        fileprivate var text: String {
            switch self {
            case .account(let login):
                "account:" + OpaqueToken.digest(login.trimmingCharacters(in: .whitespaces).lowercased())
            case .source(let address): "source:" + Self.network(address)
            case .tokens(let address): "tokens:" + Self.network(address)
            }
        }

        /// Failed attempts without a wait.
        fileprivate var free: Int {
            switch self {
            case .account: 5
            case .source: 30
            case .tokens: 60
            }
        }

        /// Of IPv6 the /64, which one customer has to himself.
        private static func network(_ address: String) -> String {
            guard let bytes = AddressRange.bytes(address), bytes.count == 16 else { return address }
            return bytes.prefix(8).map { String($0, radix: 16) }.joined(separator: ".")
        }
    }

    /// The seconds of the first wait; each further failure doubles it.
    private static let firstWait = 15.0
    private static let longestWait = 900.0

    let pool: PostgresPool

    /// Counts an attempt. Seconds to wait when it must not be made.
    func begin(_ keys: [Key]) async throws -> Int? {
        let texts = keys.map(\.text)
        let free = Dictionary(zip(texts, keys.map(\.free))) { first, _ in first }
        return try await pool.transaction { connection in
            try await connection.execute(
                "INSERT INTO sign_in_attempts (key) SELECT unnest(\(texts.sorted())::text[]) ON CONFLICT DO NOTHING")
            let rows = try await connection.query(
                """
                SELECT key, failures, last_at < now() - interval '1 hour' AS forgotten,
                    ceil(extract(epoch FROM blocked_until - clock_timestamp()))::int AS wait
                FROM sign_in_attempts WHERE key = ANY(\(texts)) ORDER BY key FOR UPDATE
                """)
            let wait = try rows.compactMap { try $0.get("wait", as: Int?.self) }.max() ?? 0
            if wait > 0 { return wait }
            for row in rows {
                let key: String = try row.get("key")
                let failures = try row.get("forgotten") ? 1 : row.get("failures", as: Int.self) + 1
                let over = Double(failures - (free[key] ?? 0))
                let pause: Double? = over < 0 ? nil : min(Self.longestWait, Self.firstWait * pow(2, min(over, 16)))
                try await connection.execute(
                    """
                    UPDATE sign_in_attempts SET failures = \(failures), last_at = clock_timestamp(),
                        blocked_until = clock_timestamp() + make_interval(secs => \(pause)::float8)
                    WHERE key = \(key)
                    """)
            }
            return nil
        }
    }

    /// The attempt was a good one: it does not count, and an account's earlier failures are forgotten.
    func succeed(_ keys: [Key]) async throws {
        for key in keys {
            switch key {
            case .account: try await pool.execute("DELETE FROM sign_in_attempts WHERE key = \(key.text)")
            case .source, .tokens:
                try await pool.execute(
                    """
                    UPDATE sign_in_attempts SET failures = greatest(failures - 1, 0),
                        blocked_until = CASE WHEN failures - 1 < \(key.free) THEN NULL ELSE blocked_until END
                    WHERE key = \(key.text)
                    """)
            }
        }
    }
}
