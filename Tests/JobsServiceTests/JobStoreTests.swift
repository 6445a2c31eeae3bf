import Foundation
import Logging
import PlatformModel
import Postgres
import TestSupport
import Testing

@testable import JobsService

@Suite struct JobStoreTests {
    @Test func aRecordComesBackAsItWasStored() async throws {
        try await Fixture.withStore { store in
            var draft = Fixture.draft(name: "train", tags: ["a", "b c"], spec: Fixture.spec(passConfig: true, schedulerEnabled: true))
            draft.maxRunTimeMinutes = 7
            draft.notes = ["key": "value ' \" \\"]
            let stored = try await store.insert(draft)
            #expect(stored.version == 1)
            #expect(try await store.job(draft.id) == stored)
            #expect(try await store.newest(named: "train", owner: "alice") == stored)
            #expect(try await store.newest(named: "train", owner: "bob") == nil)
            let change = try await store.apply(
                [.reported(.init(.running)), .materialized(true), .noted(key: "uid", value: "1")], to: stored.id)
            #expect(try await store.job(draft.id) == change.record)
            #expect(change.record.version == 2 && change.record.notes["uid"] == "1")
        }
    }

    @Test func aNameBelongsToOneActiveJobOfAProject() async throws {
        try await Fixture.withStore { store in
            let first = try await store.insert(Fixture.draft(name: "train"))
            let error = await #expect(throws: JobStoreError.self) {
                try await store.insert(Fixture.draft(name: "train", owner: "alice/service-accounts/ci"))
            }
            guard case .nameTaken(let holder)? = error else {
                Issue.record("\(String(describing: error))")
                return
            }
            #expect(holder == first.id)
            try await store.insert(Fixture.draft(name: "other"))
            try await store.insert(Fixture.draft(name: "train", project: "proj-two"))
            try await store.apply([.cancelled(reason: nil)], to: first.id)
            try await store.insert(Fixture.draft(name: "train"))
        }
    }

    @Test func aHostNameLeadsToOneJobEvenIfHashesCollide() async throws {
        try await Fixture.withStore { store in
            try await store.insert(Fixture.draft(name: "train", org: "abc", project: "def"))
            // The same text without separator, so the same hash.
            let error = await #expect(throws: JobStoreError.self) {
                try await store.insert(Fixture.draft(name: "train", org: "ab", project: "cdef"))
            }
            // The other project's job is not named.
            if case .nameTaken(let holder)? = error { #expect(holder == nil) } else { Issue.record("\(String(describing: error))") }
        }
    }

    @Test func ofManyCreationsWithOneNameOneWins() async throws {
        try await Fixture.withStore { store in
            let made = try await withThrowingTaskGroup(of: Bool.self) { group in
                for _ in 0..<12 {
                    group.addTask {
                        do {
                            try await store.insert(Fixture.draft(name: "train"))
                            return true
                        } catch JobStoreError.nameTaken {
                            return false
                        }
                    }
                }
                return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            #expect(made == 1)
        }
    }

    @Test func parallelCreationsDoNotOvershootAQuota() async throws {
        try await Fixture.withStore { store in
            let quotas = [JobQuota(scope: .user("alice"), limit: 3), JobQuota(scope: .org("acme"), limit: 5)]
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<10 { group.addTask { _ = try? await store.insert(Fixture.draft(), quotas: quotas) } }
                try await group.waitForAll()
            }
            #expect(try await store.countActive(cluster: Fixture.cluster, owner: "alice") == 3)
            for _ in 0..<2 { try await store.insert(Fixture.draft(owner: "carol"), quotas: [quotas[1]]) }
            await #expect(throws: JobStoreError.self) { try await store.insert(Fixture.draft(owner: "carol"), quotas: [quotas[1]]) }
        }
    }

    @Test func parallelChangesAreAllKept() async throws {
        try await Fixture.withStore { store in
            let job = try await store.insert(Fixture.draft())
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<6 { group.addTask { try await store.apply([.runTimeExtended(minutes: 10)], to: job.id) } }
                try await group.waitForAll()
            }
            #expect(try await store.job(job.id)?.maxRunTimeMinutes == 60)
        }
    }

    @Test func aCancelIsNotLostAgainstACompetingReport() async throws {
        try await Fixture.withStore { store in
            for _ in 0..<20 {
                let job = try await store.insert(Fixture.draft())
                async let cancel = store.apply([.cancelled(reason: "UserRequested")], to: job.id)
                async let report = try? store.apply([.reported(.init(.running)), .materialized(true)], to: job.id)
                _ = try await (cancel, report)
                #expect(try await store.job(job.id)?.status == .cancelled)
            }
        }
    }

    @Test func onlyTheLeaderOfThePresentEpochWrites() async throws {
        try await Fixture.withStore { store in
            let job = try await store.insert(Fixture.draft())
            let (first, second, other) = try await store.pool.withConnection { connection in
                let leases = JobLeases(connection: connection)
                let first = try #require(try await leases.acquire(cluster: Fixture.cluster, holder: "a"))
                #expect(try await leases.acquire(cluster: Fixture.cluster, holder: "b") == nil)
                #expect(try await leases.renew(first))
                try await leases.release(first)
                let second = try #require(try await leases.acquire(cluster: Fixture.cluster, holder: "b"))
                #expect(try await !leases.renew(first))
                let other = try #require(try await leases.acquire(cluster: "other-cluster", holder: "a"))
                return (first, second, other)
            }
            #expect(second.epoch == first.epoch + 1)
            for lost in [first, other] {
                let error = await #expect(throws: JobStoreError.self) {
                    try await store.apply([.reported(.init(.running))], to: job.id, under: lost)
                }
                if lost == first, case .leaseLost? = error { continue }
                #expect(lost == other)
            }
            #expect(try await store.job(job.id)?.version == 1)
            #expect(try await store.apply([.reported(.init(.running))], to: job.id, under: second).written)
        }
    }

    @Test func everyChangeIsAnnounced() async throws {
        try await TestDatabase.with(migrations: Migrations.all) { database in
            let logger = Logger(label: "test")
            let configuration = try PostgresConfiguration(url: database.url)
            let listener = try await PostgresConnection.connect(configuration, logger: logger)
            var notices = try await listener.notifications(on: [JobStore.changesChannel]).makeAsyncIterator()
            let store = JobStore(pool: PostgresPool(configuration, logger: logger), logger: logger)
            let job = try await store.insert(Fixture.draft())
            try await store.apply([.cancelled(reason: nil)], to: job.id)
            try await store.apply([.cancelled(reason: nil)], to: job.id)
            for version in 1...2 {
                let notice = try #require(try await notices.next())
                let change = try JSONDecoder().decode(JobChangeNotice.self, from: Data(notice.payload.utf8))
                #expect(change.id == job.id && change.cluster == Fixture.cluster && change.version == version)
            }
            await listener.close()
        }
    }

    @Test func theControllerSeesWhatIsNotOverOrNotGone() async throws {
        try await Fixture.withStore { store in
            var jobs: [JobRecord] = []
            for _ in 0..<4 { jobs.append(try await store.insert(Fixture.draft())) }
            try await store.apply([.materialized(true), .reported(.init(.succeeded))], to: jobs[1].id)
            try await store.apply([.reported(.init(.failed))], to: jobs[2].id)
            #expect(try await store.inWork(cluster: Fixture.cluster).map(\.id) == [jobs[0].id, jobs[1].id, jobs[3].id])
            #expect(try await store.inWork(cluster: "other").isEmpty)
            #expect(try await store.forgettable(olderThan: .zero, limit: 10) == [jobs[2].id])
            #expect(try await store.forgettable(olderThan: .seconds(3600), limit: 10).isEmpty)
        }
    }

    @Test func aGrantThatWasNotTakenBackIsFoundAgain() async throws {
        try await Fixture.withStore { store in
            let job = try await store.insert(Fixture.draft(spec: Fixture.spec(passConfig: true)))
            try await store.insert(Fixture.draft())
            #expect(try await store.withLeftGrants(limit: 10).isEmpty)
            try await store.apply([.cancelled(reason: nil)], to: job.id)
            #expect(try await store.withLeftGrants(limit: 10).map(\.id) == [job.id])
            try await store.apply([.noted(key: JobEffects.revokedNote, value: "true")], to: job.id)
            #expect(try await store.withLeftGrants(limit: 10).isEmpty)
        }
    }

    @Test func aRowOfAnotherReleaseIsRead() async throws {
        try await Fixture.withStore { store in
            let job = try await store.insert(Fixture.draft())
            try await store.pool.execute(
                """
                UPDATE jobs SET spec = '{"container": {"image": "x", "resources": {"cpu": 1, "memory": 33554432}}, "later": 1}'
                WHERE id = \(job.id.text)
                """)
            let spec = try #require(try await store.job(job.id)?.spec)
            #expect(spec == JobSpec(container: JobContainer(image: "x", resources: JobResources(cpu: 1, memory: 33_554_432))))
        }
    }

    @Test func aRowThatCannotBeReadSpoilsNoList() async throws {
        try await Fixture.withStore { store in
            var ids: [JobID] = []
            for _ in 0..<5 { ids.append(try await store.insert(Fixture.draft()).id) }
            try await store.pool.execute("UPDATE jobs SET history = '[]' WHERE id = \(ids[1].text)")
            var seen: [JobID] = []
            var cursor: JobListCursor?
            repeat {
                let batch = try await store.list(JobFilter(), visibleTo: .all, reverse: false, limit: 2, after: cursor)
                seen += batch.jobs.map(\.id)
                cursor = batch.next
            } while cursor != nil
            #expect(seen == [ids[0], ids[2], ids[3], ids[4]])
        }
    }
}
