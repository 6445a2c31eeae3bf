import PlatformModel

/// The list of an organization's secrets, over those of its projects that the caller can reach.
struct AllProjects: Sendable {
    let store: SecretStore
    let reach: SecretAccess.Reach

    /// How many projects are read at a time.
    private static let width = 8

    /// By project, then by key.
    func entries(of org: OrgName) async throws -> [SecretEntry] {
        guard reach.tree.root.action > .deny else { return [] }
        let places = try await store.projects(of: org).filter { reach.touches($0.project) }.sorted { $0.project < $1.project }
        return try await withThrowingTaskGroup(of: (Int, [SecretEntry]).self) { group in
            var found: [Int: [SecretEntry]] = [:]
            for (number, place) in places.enumerated() {
                if number >= Self.width, let (done, entries) = try await group.next() { found[done] = entries }
                group.addTask { (number, try await entries(in: place)) }
            }
            for try await (done, entries) in group { found[done] = entries }
            return places.indices.flatMap { found[$0] ?? [] }
        }
    }

    private func entries(in place: SecretPlace) async throws -> [SecretEntry] {
        try await store.keys(in: place).filter { reach.reads($0, in: place.project) }.map { SecretEntry($0, in: place) }
    }
}
