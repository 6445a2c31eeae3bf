import Foundation
import Logging
import PlatformModel
import Postgres
import Synchronization
import Testing

@testable import JobsService

/// Who leads a cluster, against a real database.
@Suite(.timeLimit(.minutes(5))) struct ControllerLeaseTests {
    private func keeper(_ store: JobStore, _ holder: String) -> LeaseKeeper {
        LeaseKeeper(cluster: Fixture.cluster, holder: holder, configuration: store.pool.configuration, logger: store.logger)
    }

    /// Runs a keeper whose leadership lasts until cancelled, and tells when it begins and ends.
    private func leading(_ keeper: LeaseKeeper, _ events: AsyncStream<String>.Continuation) async {
        await keeper.run { leadership in
            events.yield("\(keeper.holder) leads \(leadership.lease.epoch)")
            defer { events.yield("\(keeper.holder) stops") }
            try await Task.sleep(for: .seconds(3600))
        }
    }

    @Test func oneLeadsAndHandsOver() async throws {
        try await Fixture.withStore { store in
            let (events, told) = AsyncStream.makeStream(of: String.self)
            var heard = events.makeAsyncIterator()
            let first = Task { await leading(keeper(store, "a"), told) }
            #expect(await heard.next() == "a leads 1")
            let second = Task { await leading(keeper(store, "b"), told) }
            first.cancel()
            await first.value
            // Given back, so nobody waits for it to run out.
            #expect(await heard.next() == "a stops")
            #expect(await heard.next() == "b leads 2")
            second.cancel()
            await second.value
        }
    }

    @Test func aBrokenConnectionCostsNoLeadership() async throws {
        try await Fixture.withStore { store in
            let (events, told) = AsyncStream.makeStream(of: String.self)
            var heard = events.makeAsyncIterator()
            let task = Task { await leading(keeper(store, "a"), told) }
            #expect(await heard.next() == "a leads 1")
            let before = try await expiry(store)
            try await store.pool.execute(
                """
                SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                WHERE datname = current_database() AND pid <> pg_backend_pid() AND query LIKE '%leases%'
                """)
            while try await expiry(store) == before { try await Task.sleep(for: .milliseconds(50)) }
            #expect(try await store.pool.query("SELECT epoch FROM leases").first?.get("epoch", as: Int.self) == 1)
            task.cancel()
            await task.value
            #expect(await heard.next() == "a stops")
        }
    }

    @Test func aLeaderThatSleptStopsAndWritesNothing() async throws {
        try await Fixture.withStore { store in
            let job = try await store.insert(Fixture.draft())
            let old = JobLease(cluster: Fixture.cluster, holder: "a", epoch: 1)
            try await store.pool.execute(
                "INSERT INTO leases VALUES (\(Fixture.cluster), 'a', 1, clock_timestamp() + interval '1 second')")
            try await store.apply([.reported(.init(.running))], to: job.id, under: old)
            let (events, told) = AsyncStream.makeStream(of: String.self)
            var heard = events.makeAsyncIterator()
            let task = Task { await leading(keeper(store, "b"), told) }
            #expect(await heard.next() == "b leads 2")
            await #expect(throws: JobStoreError.self) { try await store.apply([.reported(.init(.failed))], to: job.id, under: old) }
            #expect(try await store.job(job.id)?.status == .running)
            // By its own clock, without asking the database.
            let slept = Leadership(lease: old, renewedAt: .now - LeaseKeeper.trust)
            #expect(throws: LeaseKeeper.Lost.self) { try slept.check() }
            await #expect(throws: LeaseKeeper.Lost.self) { try await slept.watch() }
            task.cancel()
            await task.value
        }
    }

    @Test func aStolenLeaseEndsTheBody() async throws {
        try await Fixture.withStore { store in
            let (events, told) = AsyncStream.makeStream(of: String.self)
            var heard = events.makeAsyncIterator()
            let task = Task { await leading(keeper(store, "a"), told) }
            #expect(await heard.next() == "a leads 1")
            try await store.pool.execute(
                "UPDATE leases SET holder = 'b', epoch = 2, expires_at = clock_timestamp() + interval '1 hour'")
            #expect(await heard.next() == "a stops")
            // Others' leases are not given back.
            #expect(try await store.pool.query("SELECT holder FROM leases").first?.get("holder", as: String.self) == "b")
            task.cancel()
            await task.value
        }
    }

    private func expiry(_ store: JobStore) async throws -> Date? {
        try await store.pool.query("SELECT expires_at FROM leases").first?.get("expires_at")
    }
}
