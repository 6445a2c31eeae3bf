import Hummingbird
import Identity
import Logging
import Postgres
import ServiceKit
import ServiceLifecycle
import Synchronization

/// The signing keys, as the secret holds them now. A key that is put in front of the others is published at once and signs once every
/// replica and every verifier has had time to read it; a key that is taken out of the secret verifies no more.
final class KeyRing: Sendable {
    struct Ring: Sendable {
        let signer: TokenSigner
        let authenticator: PlatformAuthenticator
        fileprivate let pem: String
    }

    private let ring: Mutex<Ring>
    private let context: ServiceContext
    private let pool: PostgresPool
    private let delay: Int

    init(_ context: ServiceContext, pool: PostgresPool, delay: Int) async throws {
        self.context = context
        self.pool = pool
        self.delay = delay
        ring = Mutex(try await Self.ring(context, pool, delay))
    }

    var signer: TokenSigner { ring.withLock { $0.signer } }
    var authenticator: PlatformAuthenticator { ring.withLock { $0.authenticator } }

    /// Reads the secret again; what cannot be used is told to the log, and the keys stay as they were.
    func reload() async {
        do {
            let next = try await Self.ring(context, pool, delay)
            let before = ring.withLock { ring in
                defer { if ring.pem != next.pem || ring.signer.keyID != next.signer.keyID { ring = next } }
                return ring
            }
            guard before.pem != next.pem || before.signer.keyID != next.signer.keyID else { return }
            context.logger.notice(
                "The signing keys changed",
                metadata: ["signs": "\(next.signer.keyID)", "published": "\(next.signer.publicKeys.keys.map(\.kid))"])
        } catch is CancellationError {
            return
        } catch {
            context.logger.error("The signing keys could not be read again and stay as they are", metadata: ["error": "\(error)"])
        }
    }

    private static func ring(_ context: ServiceContext, _ pool: PostgresPool, _ delay: Int) async throws -> Ring {
        let pem: String
        let all: TokenSigner
        do {
            pem = try context.settings.secret("auth.signing-keys").value
            all = try await TokenSigner(pem: pem)
        } catch let error as SigningKeyError {
            throw SettingError("The secret ORRERY_AUTH_SIGNING_KEYS cannot be used: \(error).")
        }
        let ids = all.publicKeys.keys.map(\.kid)
        try await pool.execute("INSERT INTO signing_keys (id) SELECT unnest(\(ids)::text[]) ON CONFLICT DO NOTHING")
        let rows = try await pool.query(
            """
            SELECT id, first_seen_at <= now() - make_interval(secs => \(delay)) AS ready FROM signing_keys
            WHERE id = ANY(\(ids)) ORDER BY first_seen_at, array_position(\(ids)::text[], id)
            """)
        let ready = Set(try rows.filter { try $0.get("ready") }.map { try $0.get("id", as: String.self) })
        // The first that is old enough; on a new platform none is, and nobody knows another yet.
        let signing = try ids.first(where: ready.contains) ?? rows.first?.get("id", as: String.self) ?? all.keyID
        let signer = signing == all.keyID ? all : try all.signing(with: signing)
        return Ring(
            signer: signer, authenticator: PlatformAuthenticator(verifier: TokenVerifier(keys: signer.publicKeys, clock: context.clock)),
            pem: pem)
    }
}

/// Verifies callers with the keys of the moment.
struct KeyRingAuthenticator: Authenticator {
    let keys: KeyRing

    func caller(_ request: Request, logger: Logger) async throws -> Caller? {
        try await keys.authenticator.caller(request, logger: logger)
    }
}

/// Looks for changed keys.
struct KeyKeeper: Service {
    let keys: KeyRing
    let interval: Duration

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                try? await Task.sleep(for: interval)
                await keys.reload()
            }
        }
    }
}
