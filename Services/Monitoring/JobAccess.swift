import Identity
import PlatformClients
import PlatformModel
import ServiceKit

/// Finds a job and checks what the caller may do with it.
struct JobAccess: Sendable {
    let cluster: String
    let jobs: JobsClient
    let auth: AuthClient

    /// The job, for a caller who holds the action on its id or on its name.
    /// - Throws: 400 for an unknown job, 403 `{"missing": […]}`, 401 when the token no longer stands.
    func job(_ id: String, _ action: Action, as caller: Caller) async throws -> JobResponse {
        guard let job = try await find(id) else {
            // Only a caller whose token stands learns that there is no such job.
            try await auth.verify(caller)
            throw Self.unknown(id)
        }
        let uri = try ResourceURI(job.uri)
        var alternatives = [Permission(uri, action)]
        if let name = job.name { alternatives.append(Permission(ResourceURI(uri.scheme, uri.segments.dropLast() + [name]), action)) }
        try await auth.require([alternatives], as: caller)
        return job
    }

    /// Whether the job has ended for good or is not known any more; nil when jobs-api does not answer.
    func isFinished(_ id: String) async -> Bool? {
        do {
            guard let job = try await find(id) else { return true }
            return job.status.isFinished
        } catch {
            return nil
        }
    }

    /// The job by its id, with this service's own token; nil when there is none of that id in this cluster.
    private func find(_ id: String) async throws -> JobResponse? {
        guard JobID.refusal(of: id) == nil else { return nil }
        do {
            let job = try await jobs.job(id)
            return job?.clusterName == cluster ? job : nil
        } catch ClientError.status(_, 400, _) {
            return nil
        }
    }

    /// In the words that clients of this service know: the body with which jobs-api answers for an unknown job, as a text.
    static func unknown(_ id: String) -> PlatformError {
        PlatformError.badRequest(#"{"error": \#(ASCIIJSON.string("no such job \(id)"))}"#)
    }
}
