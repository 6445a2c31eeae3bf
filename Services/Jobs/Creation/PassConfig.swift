import Foundation
import PlatformClients
import PlatformModel
import ServiceKit

/// Gives a job the means to log in to the platform as its owner (jobs-api.md 14.11).
struct PassConfig: Sendable {
    static let variable = "NEURO_PASSED_CONFIG"

    let auth: AuthClient
    /// The public base of the API, ending in `/api/v1`.
    let url: String

    private struct Document: Encodable {
        let token: String
        let cluster: String
        let org_name: String
        let url: String
        let project_name: String
    }

    /// - Throws: 400 when the variable is taken.
    static func check(_ container: JobContainer) throws {
        if container.env[variable] != nil {
            throw PlatformError.badRequest("Cannot pass config: ENV '\(variable)' already specified")
        }
    }

    /// Grants the owner the token's URI, mints the token and puts it into the environment. Last before the insert: whoever fails after
    /// this has to `revoke`.
    func add(to job: JobRecord) async throws -> JobRecord {
        let owner = try PrincipalName(job.owner)
        try await auth.grant([Permission(job.passConfigURI, .read)], to: owner)
        let token = try await auth.issueToken(for: owner, uri: job.passConfigURI, jobID: job.id.text)
        let document = Document(token: token, cluster: job.cluster, org_name: job.org, url: url, project_name: job.project)
        var spec = job.spec
        spec.container.env[Self.variable] = try PlatformJSON.encoder().encode(document).base64EncodedString()
        spec.environmentOrder.append(Self.variable)
        return job.with(spec)
    }

    func revoke(from job: JobRecord) async throws {
        try await auth.revoke([job.passConfigURI], from: PrincipalName(job.owner))
    }
}
