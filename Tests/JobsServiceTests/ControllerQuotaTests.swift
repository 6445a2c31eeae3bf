import PlatformModel
import Testing

@testable import JobsService

@Suite struct ControllerQuotaTests {
    private func waiting(_ owner: String = "alice") -> JobRecord {
        var spec = Fixture.spec()
        spec.waitsForQuota = true
        return Fixture.draft(owner: owner, spec: spec)
    }

    @Test func placesAreGivenToTheOldest() async throws {
        try await Fixture.withStore { store in
            let gate = QuotaGate(store: store) { _ in .init(user: 2) }
            let runs = try await store.insert(Fixture.draft(owner: "alice/service-accounts/ci"))
            try await store.apply([.materialized(true)], to: runs.id)
            let first = try await store.insert(waiting())
            let second = try await store.insert(waiting())
            let other = try await store.insert(waiting("bob"))
            for (job, admitted) in [(first, true), (second, false), (other, true)] {
                let answer = try await gate.admits(job)
                #expect(answer == admitted)
            }
            // A place that becomes free goes to the next.
            try await store.apply([.materialized(true)], to: first.id)
            try await store.apply([.cancelled(reason: nil), .materialized(false)], to: runs.id)
            #expect(try await gate.admits(second))
        }
    }

    @Test func theOrgHasALimitToo() async throws {
        try await Fixture.withStore { store in
            let gate = QuotaGate(store: store) { _ in .init(org: 1) }
            let job = try await store.insert(waiting())
            let before = try await gate.admits(job)
            let runs = try await store.insert(Fixture.draft(owner: "bob"))
            try await store.apply([.materialized(true)], to: runs.id)
            let after = try await gate.admits(job)
            #expect(before && !after)
            // Who did not ask to wait was counted at creation.
            #expect(try await gate.admits(runs))
        }
    }
}
