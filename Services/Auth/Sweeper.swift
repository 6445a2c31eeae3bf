import Logging
import Postgres
import ServiceKit
import ServiceLifecycle

/// Clears away what has ended: sessions, codes, invitations, attempts, refresh tokens that nobody uses, and old lines of the audit log.
/// Any replica may do it at any time.
struct Sweeper: Service {
    let pool: PostgresPool
    let settings: OAuthSettings
    let audit: AuditLog
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                await sweep()
                try? await Task.sleep(for: .seconds(600))
            }
        }
    }

    func sweep() async {
        do {
            for statement in statements { while try await pool.execute(statement) >= Self.batch {} }
            while try await !audit.sweep(olderThan: settings.auditRetention) {}
        } catch is CancellationError {
            return
        } catch {
            logger.debug("What has ended could not be cleared away", metadata: ["error": "\(error)"])
        }
    }

    private static let batch = 1_000

    private var statements: [PostgresQuery] {
        // A used code is remembered for a while, so that a second use is known for what it is.
        [
            Self.delete("sessions", "hash", "expires_at < now()"),
            Self.delete("authorization_codes", "hash", "expires_at < now() - interval '1 day'"),
            Self.delete("invitations", "hash", "expires_at < now()"),
            Self.delete("brokered_sign_ins", "state", "expires_at < now()"),
            Self.delete("sign_in_attempts", "key", "last_at < now() - interval '1 day' AND coalesce(blocked_until < now(), true)"),
            Self.delete("refresh_tokens", "hash", "last_used_at < now() - make_interval(secs => \(settings.refreshIdleLifetime))"),
        ]
    }

    private static func delete(_ table: String, _ key: String, _ condition: PostgresQuery) -> PostgresQuery {
        """
        DELETE FROM \(raw: table) WHERE \(raw: key) IN (SELECT \(raw: key) FROM \(raw: table) WHERE \(condition) LIMIT \(raw: "\(batch)"))
        """
    }
}
