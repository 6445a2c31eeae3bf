import Logging
import PlatformClients
import PlatformModel
import Postgres
import ServiceKit

/// What the parts of the domain share: the store, auth-api, and the way grants follow memberships.
struct Directory: Sendable {
    let pool: PostgresPool
    let auth: AuthClient
    let outbox: GrantOutbox
    /// The clusters that a new organization joins by itself.
    let defaultClusters: [ClusterName]
    /// How much one account may make in an hour.
    var limits = CreationLimits()
    /// Where clusters have their second record, if this platform has a config-api.
    var config: ConfigLink?
    /// How long a request waits for the name of a removed project to become free.
    var namePatience = Duration.seconds(5)

    /// What platform operators and the control plane's services hold.
    static let operates = Permission(ResourceURI(.cluster), .manage)

    /// Makes a change and answers once auth-api has what follows from it. `body` returns its value and the principals concerned.
    ///
    /// A change that exists already (409) is answered the same way: a repeat after a lost answer finds its grants in force.
    func change<T: Sendable>(
        touching known: [ManagedPrincipal] = [], _ body: @Sendable (PostgresConnection) async throws -> (T, [ManagedPrincipal])
    ) async throws -> T {
        do {
            let (value, principals) = try await transaction { connection in
                let (value, principals) = try await body(connection)
                try await GrantOutbox.note(principals, on: connection)
                return (value, principals)
            }
            try await outbox.flush(principals + known)
            return value
        } catch let error as PlatformError where error.status == .conflict {
            try await outbox.flush(known)
            throw error
        }
    }

    /// A change that no grant follows from.
    func transaction<T: Sendable>(_ body: @Sendable (PostgresConnection) async throws -> T) async throws -> T {
        try await inBounds { try await pool.transaction(body) }
    }

    /// Waits, within a bound, for something to end that ends by itself.
    func waitWhile(_ isPending: () async throws -> Bool) async throws {
        let deadline = ContinuousClock.now + namePatience
        while try await isPending(), ContinuousClock.now < deadline { try await Task.sleep(for: .milliseconds(100)) }
    }

    /// The user behind a caller: service accounts act for their owner. nil for services and clusters, which are nobody's members.
    func user(of caller: Caller, on db: some Database) async throws -> UserName? {
        guard let base = try? PrincipalName(caller.name).base, let name = try? UserName(base.text) else { return nil }
        return try await UserQueries.user(name.text, on: db) == nil ? nil : name
    }
}

/// The answers for what is not there.
enum Missing {
    static func user(_ name: some CustomStringConvertible) -> PlatformError { .notFound("User '\(name)' not found") }
    static func cluster(_ name: ClusterName) -> PlatformError { .notFound("Cluster '\(name)' not found") }
    static func org(_ name: OrgName) -> PlatformError { .notFound("Organization '\(name)' not found") }
    static func org(_ org: OrgName, in cluster: ClusterName) -> PlatformError {
        .notFound("Org '\(org)' not found in cluster '\(cluster)'")
    }
    static func project(_ name: ProjectName) -> PlatformError { .notFound("Project '\(name)' not found") }
    static func user(_ name: String, in org: OrgName) -> PlatformError { .notFound("User '\(name)' not found in org '\(org)'") }
    static func user(_ name: String, in cluster: ClusterName, _ org: OrgName?) -> PlatformError {
        .notFound("User '\(org.map { "\($0)/" } ?? "")\(name)' not found in cluster '\(cluster)'")
    }
}
