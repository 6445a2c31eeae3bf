import AsyncHTTPClient
import PlatformClients
import PlatformModel
import ServiceKit

/// A project has a folder from its first day on, and so has its organization: whoever asks for one that is missing gets it made, if the project is one
/// that the asker knows.
struct ProjectFolders: Sendable {
    let cluster: ClusterName
    let http: HTTPClient
    let adminURL: String

    /// Whether a missing path is the folder of an organization or project that there is.
    func shouldExist(_ path: StoragePath, as caller: Caller) async -> Bool {
        let names = path.components
        guard (1...2).contains(names.count), let org = try? OrgName(names[0]) else { return false }
        // With the caller's own token: what he may not see is not there.
        let admin = AdminClient(http: http, baseURL: adminURL, token: Secret(caller.token))
        do {
            guard names.count == 2 else { return try await admin.orgCluster(cluster, org) != nil }
            return try await admin.project(cluster, org, ProjectName(names[1])) != nil
        } catch {
            // It is missing as long as nobody says otherwise.
            return false
        }
    }
}
