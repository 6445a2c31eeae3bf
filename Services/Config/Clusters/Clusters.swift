import Logging
import PlatformModel
import ServiceKit

/// Creates, changes and removes the configurations of clusters, and writes down who did.
struct Clusters: Sendable {
    let store: ClusterStore
    let tokens: ClusterTokens
    /// The DNS zone below which a new cluster's addresses lie.
    let domain: String
    let publicURL: String
    let logger: Logger

    /// The body of `POST clusters`; old callers hand over the cluster's service token.
    struct Creation: Decodable, Sendable {
        let name: ClusterName
        let token: String?
    }

    /// Longer names make DNS labels that do not fit.
    private static let longestName = 40
    /// Words that are parts of routes, URIs and role names.
    private static let reserved: Set = ["users", "orgs", "new", "manager", "admin", "cluster", "access"]

    static func unknown(_ name: ClusterName) -> PlatformError { .notFound("Cluster '\(name)' does not exist") }

    /// A blank cluster with every section filled by the conventions (config.md 16.2).
    func create(_ creation: Creation, by caller: Caller) async throws -> ClusterDocument {
        let name = creation.name
        guard name.text.utf8.count <= Self.longestName else {
            throw PlatformError.badRequest("name: must not be longer than \(Self.longestName) characters")
        }
        guard !Self.reserved.contains(name.text) else { throw PlatformError.badRequest("name: '\(name)' is reserved") }
        var document = ClusterDocument(blank: name, dnsName: "\(name).\(domain)")
        document.orchestrator.jobScheduleScaleUpTimeout = 900
        document.energy.schedules = [.wholeWeek]
        if let token = creation.token {
            document.credentials = .object(["neuro": .object(["url": .string(publicURL), "token": .string(token)])])
        }
        guard try await store.insert(document) else { throw PlatformError.badRequest("Cluster '\(name)' already exists") }
        audit("create", name, generation: 1, by: caller)
        // auth-api being away is no reason to refuse: the loop repeats it.
        if creation.token == nil { await tokens.attempt(name) }
        document.credentials = nil
        return document
    }

    /// - Throws: 404, 409 for a cluster that is being removed, and what `change` throws.
    func change(
        _ name: ClusterName, by caller: Caller, _ change: @escaping @Sendable (inout ClusterDocument) throws -> Void
    ) async throws -> StoredCluster {
        let changed = try await store.update(name) { document in
            guard ![.destroying, .destroyed].contains(document.status) else {
                throw PlatformError.conflict("Cluster '\(name)' is being removed")
            }
            let before = document
            try change(&document)
            document.orchestrator.computeAvailablePools()
            try ClusterRules.check(document, changedFrom: before)
        }
        guard let (before, after) = changed else { throw Self.unknown(name) }
        let sections = try before.sections(differingFrom: after.whole())
        if !sections.isEmpty { audit("change", name, generation: after.generation, sections, by: caller) }
        return after
    }

    /// The cluster's tokens end with it; when auth-api does not answer, neither does (503, to be repeated).
    func delete(_ name: ClusterName, by caller: Caller) async throws {
        guard try await store.delete(name, revoke: { try await tokens.revoke(name) }) else { throw Self.unknown(name) }
        audit("delete", name, generation: nil, by: caller)
    }

    /// Names what changed and never to what: it may be secret.
    private func audit(_ event: String, _ name: ClusterName, generation: Int64?, _ sections: [String] = [], by caller: Caller) {
        logger.notice(
            "audit",
            metadata: [
                "event": "\(event)", "actor": "\(caller.name)", "cluster": "\(name)", "generation": "\(generation.map { "\($0)" } ?? "")",
                "sections": .array(sections.map { "\($0)" }),
            ])
    }
}

extension EnergySection.Schedule {
    /// What clients would make up if there were no schedule `default`.
    static let wholeWeek = EnergySection.Schedule(
        name: "default", periods: (1...7).map { .init(weekday: $0, startTime: "00:00", endTime: EnergySection.Period.endOfDay) })
}
