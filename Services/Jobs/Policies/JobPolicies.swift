import Logging
import PlatformClients
import PlatformModel
import ServiceLifecycle

/// What the platform decides about jobs by itself, once every interval (jobs-api.md 17). Each policy only applies events that change nothing
/// when repeated, so any number of replicas may run it; a policy that fails is logged and does not keep the others from their turn.
struct JobPolicies: Service {
    let store: JobStore
    let clusters: ClusterRegistry
    let effects: JobEffects
    let admin: AdminClient
    let interval: Duration
    /// Age after which finished jobs are marked for dropping.
    let retention: Duration
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                let start = ContinuousClock.now
                await runOnce()
                // From start to start; a round that took longer is followed at once.
                try? await Task.sleep(until: start + interval, clock: .continuous)
            }
        }
    }

    func runOnce() async {
        await attempt("run-time limit") { try await endOverdueJobs() }
        await attempt("credits") { try await CreditPolicy(policies: self).run() }
        await attempt("removed clusters") { try await failJobsOfRemovedClusters() }
        await attempt("retention") { try await markForgettableJobs() }
        await attempt("revocation") { try await revokeLeftGrants() }
    }

    private func attempt(_ name: String, _ policy: () async throws -> Void) async {
        do {
            try await policy()
        } catch is CancellationError {
            return
        } catch {
            logger.warning("A policy failed this round", metadata: ["policy": "\(name)", "error": "\(error)"])
        }
    }

    /// Applies events to one job; another job's turn does not depend on it.
    func apply(_ events: [JobEvent], to id: JobID) async {
        do {
            await effects.carryOut(try await store.apply(events, to: id))
        } catch {
            logger.warning("A policy could not change a job", metadata: ["job": "\(id)", "error": "\(error)"])
        }
    }
}

extension JobPolicies {
    private func endOverdueJobs() async throws {
        for job in try await store.overdue() {
            await apply([.cancelled(reason: JobStatusReason.lifeSpanEnded)], to: job.id)
        }
    }

    /// Jobs of clusters that config-api no longer knows; not of clusters it merely did not answer for.
    private func failJobsOfRemovedClusters() async throws {
        let known = try await clusters.all()
        for name in try await store.clustersInWork() where known[name] == nil {
            guard await clusters.isGone(name) else { continue }
            for job in try await store.inWork(cluster: name) {
                let failed: [JobEvent] =
                    job.isFinished ? [] : [.reported(JobStatusReport(.failed, reason: JobStatusReason.clusterNotFound))]
                await apply(failed + [.materialized(false)], to: job.id)
            }
        }
    }

    private func markForgettableJobs() async throws {
        for id in try await store.forgettable(olderThan: retention, limit: 100) { await apply([.dropped], to: id) }
    }

    /// Grants of ended jobs whose revocation did not get through.
    private func revokeLeftGrants() async throws {
        for job in try await store.withLeftGrants(limit: 100) { await effects.revokePassConfig(of: job) }
    }
}
