import Logging
import PlatformClients
import PlatformModel
import Postgres
import ServiceKit

/// Keeps config-api's record of a cluster in step with this one: a new cluster gets a blank document there (and with it the token of its
/// services), a removed one loses it.
///
/// What changed is noted in its transaction. The request tries once; whatever config-api did not take is tried again in the background.
struct ConfigLink: Sendable {
    let pool: PostgresPool
    let config: ConfigClient
    let logger: Logger
    /// How long a request waits for config-api.
    var patience = Duration.seconds(3)

    static func note(_ cluster: ClusterName, on db: some Database) async throws {
        try await db.execute("INSERT INTO config_outbox (cluster_name) VALUES (\(cluster.text))")
    }

    /// Refuses the name of a cluster that config-api still has: whoever makes a cluster manages its document, its addresses and its
    /// Kubernetes. Operators may name what they made there first.
    func checkFree(_ cluster: ClusterName, for isOperator: Bool) async throws {
        await tell(of: cluster)
        guard try await pool.query("SELECT 1 FROM config_outbox WHERE cluster_name = \(cluster.text)").isEmpty else {
            throw PlatformError.unavailable("The former cluster '\(cluster)' is still being removed; try again in a while.")
        }
        guard !isOperator else { return }
        let isKnown: Bool
        do {
            isKnown = try await withTimeout(patience) { try await config.cluster(cluster) } != nil
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            logger.warning("config-api was not asked for a name", metadata: ["cluster": "\(cluster)", "error": "\(error)"])
            throw PlatformError.unavailable("Whether the name '\(cluster)' is free is not known at the moment; try again in a while.")
        }
        guard !isKnown else { throw PlatformError.conflict("Cluster '\(cluster)' already exists") }
    }

    /// Tells config-api of one cluster. It may be away: the cluster is there without it.
    func tell(of cluster: ClusterName) async {
        do {
            try await withTimeout(patience) { try await apply(cluster) }
        } catch {
            logger.warning("config-api will hear of a cluster later", metadata: ["cluster": "\(cluster)", "error": "\(error)"])
        }
    }

    /// Tells config-api of whatever is noted. A cluster that fails is met again the next time; the others are told of before the error.
    func sweep() async throws {
        var failure: (any Error)?
        for row in try await pool.query("SELECT DISTINCT cluster_name FROM config_outbox ORDER BY cluster_name LIMIT 100") {
            do {
                try await apply(try row.name("cluster_name"))
            } catch is CancellationError {
                throw CancellationError()
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
    }

    private func apply(_ cluster: ClusterName) async throws {
        try await pool.transaction { db in
            _ = try await db.query("SELECT pg_advisory_xact_lock(hashtextextended(\("config " + cluster.text), 0))")
            let ids = try await db.query("SELECT id FROM config_outbox WHERE cluster_name = \(cluster.text)").map {
                try $0.get("id", as: Int.self)
            }
            guard !ids.isEmpty else { return }
            do {
                if try await ClusterQueries.cluster(cluster, on: db) != nil {
                    try await config.createCluster(cluster)
                } else {
                    try await config.deleteCluster(cluster)
                }
            } catch let error as ClientError where error.code.map([400, 409, 422].contains) ?? false {
                // What it will never take.
                logger.error("config-api refuses a cluster", metadata: ["cluster": "\(cluster)", "error": "\(error)"])
            }
            try await db.execute("DELETE FROM config_outbox WHERE id = ANY(\(ids))")
        }
    }
}
