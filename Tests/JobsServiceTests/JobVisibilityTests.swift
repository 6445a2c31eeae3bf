import Identity
import PlatformModel
import Testing

@testable import JobsService

@Suite struct JobVisibilityTests {
    /// What of some jobs is visible through grants.
    private func visible(_ grants: [(Action, String)], filter: JobFilter = JobFilter()) async throws -> [String] {
        let tree = try PermissionTree(of: ResourceURI(.job), grants: grants.map { Permission(try ResourceURI($0.1), $0.0) })
        var seen: [String] = []
        try await Fixture.withStore { store in
            for (name, org, project) in [
                ("one", "acme", "proj"), ("two", "acme", "proj"), ("one", "acme", "next"), ("one", "beta", "proj"),
            ] {
                try await store.insert(Fixture.draft(name: name, org: org, project: project))
            }
            seen = try await store.list(
                filter, visibleTo: JobVisibility(tree.root, filter: filter), reverse: false, limit: 100
            ).jobs.map { "\($0.org)/\($0.project)/\($0.name ?? "")" }
        }
        return seen
    }

    @Test func scopesOfEveryDepthAreUnited() async throws {
        #expect(try await visible([]).isEmpty)
        #expect(try await visible([(.read, "job:")]).count == 4)
        #expect(try await visible([(.read, "job://test-cluster")]).count == 4)
        #expect(try await visible([(.read, "job://other-cluster")]).isEmpty)
        #expect(try await visible([(.write, "job://test-cluster/acme")]) == ["acme/proj/one", "acme/proj/two", "acme/next/one"])
        #expect(try await visible([(.read, "job://test-cluster/acme/proj")]) == ["acme/proj/one", "acme/proj/two"])
        #expect(try await visible([(.read, "job://test-cluster/acme/proj/one")]) == ["acme/proj/one"])
        #expect(
            try await visible([(.read, "job://test-cluster/acme/next"), (.read, "job://test-cluster/beta/proj/one")])
                == ["acme/next/one", "beta/proj/one"])
    }

    @Test func filtersCutTheTree() async throws {
        var filter = JobFilter()
        filter.orgs = ["beta"]
        #expect(
            try await visible([(.read, "job://test-cluster/acme"), (.read, "job://test-cluster/beta")], filter: filter) == ["beta/proj/one"]
        )
        filter.clusters = ["other"]
        #expect(try await visible([(.read, "job:")], filter: filter).isEmpty)
    }
}
