import Logging
import PlatformClients
import PlatformModel
import ServiceKit

/// Ends what a removed project still runs (jobs-api.md 17.5). Finished jobs stay on record.
struct ProjectJobs: Sendable {
    let store: JobStore
    let effects: JobEffects
    let logger: Logger

    /// - Throws: when a job could not be ended; the others are, and this may be repeated.
    func cancel(_ removal: ProjectRemoval) async throws {
        // Every job belongs to an organization.
        guard let org = removal.org else { return }
        var failure: (any Error)?
        for id in try await store.active(cluster: removal.cluster.text, org: org.text, project: removal.project.text) {
            do {
                await effects.carryOut(try await store.apply([.cancelled(reason: nil)], to: id))
            } catch JobStoreError.noSuchJob {
                // Gone by itself.
            } catch {
                try Task.checkCancellation()
                logger.warning("A job of a removed project could not be cancelled", metadata: ["job": "\(id)", "error": "\(error)"])
                failure = error
            }
        }
        if let failure { throw failure }
    }
}

extension JobStore {
    /// Jobs of a project that have not ended.
    func active(cluster: String, org: String, project: String) async throws -> [JobID] {
        try await pool.query(
            """
            SELECT id FROM jobs WHERE status IN ('pending', 'suspended', 'running') AND cluster_name = \(cluster) AND org_name = \(org)
                AND project_name = \(project) ORDER BY created_at, id
            """
        ).map { JobID(checked: try $0.get("id")) }
    }
}
