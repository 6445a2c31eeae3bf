import PlatformClients
import PlatformModel
import ServiceKit

/// Finds single jobs for a caller: by id or by the caller's own name for it, with the permission that the operation needs. One indexed read
/// and one question to auth-api, which also says whether the token still stands.
struct JobAccess: Sendable {
    let store: JobStore
    let auth: AuthClient

    func job(_ idOrName: String, for caller: Caller, action: Action) async throws -> JobRecord {
        guard let job = try await find(idOrName, owner: caller.name) else {
            try await auth.verify(caller)
            throw PlatformError.noSuchJob(idOrName)
        }
        try await auth.require([job.uris.map { Permission($0, action) }], as: caller)
        return job
    }

    /// For what looks after the cluster: only by id, and whoever asks must manage all jobs of the cluster.
    func jobForClusterManager(_ id: String, caller: Caller) async throws -> JobRecord {
        guard let parsed = try? JobID(id), let job = try await store.job(parsed) else {
            try await auth.verify(caller)
            throw PlatformError.noSuchJob(id)
        }
        try await auth.require(Permission(ResourceURI(.job, [job.cluster]), .manage), as: caller)
        return job
    }

    private func find(_ text: String, owner: String) async throws -> JobRecord? {
        // No job has a name that begins like an id.
        if let id = try? JobID(text) { return try await store.job(id) }
        if JobID.looksLikeID(text) { return nil }
        return try await store.newest(named: text, owner: owner)
    }
}
