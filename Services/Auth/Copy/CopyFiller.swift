import Foundation
import Logging
import Redis
import ServiceLifecycle
import Synchronization

/// Fills in what the copy lacks, beside the checks and never in their way: what checks asked for first, and after a new generation
/// everything there is, in batches of a bounded number of grants. Until a record is there, Postgres answers for its principal.
final class CopyFiller: Service {
    /// Grants that are read from Postgres at once; a principal that has more is a batch by itself.
    static let batch = 4_000
    /// Grants that Redis is given in one command.
    static let part = 1_000
    /// Names that may wait; what is in excess is asked for again, or found by the walk.
    private static let capacity = 20_000

    private struct State {
        var wanted: [String] = []
        var waiting: Set<String> = []
        /// The generation that is known to have been walked through.
        var walked = ""
        var isBusy = false
    }

    private let copy: AccessCopy
    private let closures: ClosureStore
    /// Not the connection of the checks, which would queue behind what is written here.
    private let redis: RedisClient
    private let logger: Logger
    private let state = Mutex(State())
    private let wakes: AsyncStream<Void>
    private let wake: AsyncStream<Void>.Continuation
    /// Names this process among those that walk.
    private let id = UUID().uuidString

    init(copy: AccessCopy, closures: ClosureStore, redis: RedisClient, logger: Logger) {
        self.copy = copy
        self.closures = closures
        self.redis = redis
        self.logger = logger
        (wakes, wake) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    }

    /// Whether the copy has all that it should have, as far as this process knows.
    var isIdle: Bool { state.withLock { !$0.isBusy && $0.wanted.isEmpty && $0.walked == copy.trust?.generation } }

    /// Asks for records; they come soon, unless they exist already.
    func want(_ names: [String]) {
        guard !names.isEmpty else { return }
        state.withLock { state in
            for name in names where state.wanted.count < Self.capacity && state.waiting.insert(name).inserted { state.wanted.append(name) }
        }
        wake.yield()
    }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            await withTaskGroup(of: Void.self) { group in
                group.addTask {
                    // A new generation, or a walk that another process has given up.
                    while !Task.isCancelled {
                        self.wake.yield()
                        try? await Task.sleep(for: .milliseconds(500))
                    }
                    self.wake.finish()
                }
                for await _ in self.wakes { await self.work() }
                group.cancelAll()
            }
        }
    }

    /// Does what there is to do now.
    func work() async {
        state.withLock { $0.isBusy = true }
        defer { state.withLock { $0.isBusy = false } }
        do {
            while !Task.isCancelled, let trust = copy.trust {
                let names = next()
                if names.isEmpty {
                    guard try await walk(trust) else { return }
                } else {
                    try await fill(names, trust)
                }
            }
        } catch is CancellationError {
            return
        } catch {
            // Whoever needs a record asks for it again, and the walk goes on where it was.
            logger.debug("The copy of permissions could not be filled", metadata: ["error": "\(error)"])
        }
    }

    private func next() -> [String] {
        state.withLock { state in
            let names = Array(state.wanted.prefix(200))
            state.wanted.removeFirst(names.count)
            state.waiting.subtract(names)
            return names
        }
    }

    // MARK: everything

    /// One step of the walk through all principals, which processes share; false when there is nothing to do for this one.
    private func walk(_ trust: Trust) async throws -> Bool {
        guard state.withLock({ $0.walked != trust.generation }) else { return false }
        let (walker, cursor) = (key(trust, "walker"), key(trust, "cursor"))
        let replies = try await redis.pipeline([
            ["SET", .init(walker), .init(id), "NX", "PX", 10_000], ["MGET", .init(walker), .init(cursor)],
        ])
        guard let found = replies[1].array, found.count == 2 else { return false }
        let last = found[1].string ?? ""
        // Names begin with a letter or a digit.
        if last == "~" {
            state.withLock { $0.walked = trust.generation }
            logger.notice("The copy of permissions in Redis is whole", metadata: ["generation": "\(trust.short)"])
            return false
        }
        guard found[0].string == id else { return false }
        let names = try await closures.principals(after: last, limit: 200)
        try await fill(names, trust)
        _ = try await redis.pipeline([
            ["SET", .init(cursor), .init(names.last ?? "~"), "EX", .init(AccessScripts.recordLifetime)],
            ["SET", .init(walker), .init(id), "PX", 10_000],
        ])
        return true
    }

    private func key(_ trust: Trust, _ rest: String) -> String { "\(copy.prefix)\(trust.short):\(rest):" }

    // MARK: some

    /// Fills in those of these records that are not there.
    private func fill(_ names: [String], _ trust: Trust) async throws {
        guard !names.isEmpty else { return }
        let found = try await redis.pipeline(names.map { ["EXISTS", .init("\(copy.prefix)\(trust.short):\($0)")] })
        let missing = zip(names, found).filter { $1.int != 1 }.map(\.0)
        guard !missing.isEmpty else { return }
        let counts = try await closures.counts(of: missing)
        var (batch, size) = ([String](), 0)
        for name in missing {
            let count = counts[name] ?? 0
            if !batch.isEmpty, size + count > Self.batch {
                try await store(batch, trust)
                (batch, size) = ([], 0)
            }
            batch.append(name)
            size += count
        }
        try await store(batch, trust)
    }

    private func store(_ names: [String], _ trust: Trust) async throws {
        guard copy.trust == trust else { return }
        let start = ContinuousClock.now
        let leases = try await lease(names, trust)
        let records = try await closures.records(of: names, whole: true)
        for record in records { try await store(record, leases[record.name] ?? "") }
        // Members hold what their roles hold: a check of one needs all of them.
        want(Array(Set(records.flatMap(\.roles)).subtracting(names)))
        // Others want Postgres and Redis too.
        try await Task.sleep(for: (ContinuousClock.now - start) / 4)
    }

    /// Announces that these names are about to be read from Postgres. Whatever is published meanwhile voids the lease.
    func lease(_ names: [String], _ trust: Trust) async throws -> [String: String] {
        let leases = Dictionary(names.map { ($0, UUID().uuidString) }) { first, _ in first }
        _ = try await redis.pipeline(
            leases.map { name, lease in ["SET", .init("\(copy.prefix)\(trust.short):lease:\(name)"), .init(lease), "PX", 60_000] })
        return leases
    }

    /// Stores a record that was read under this lease. A large one is laid down beside in parts first, then put in place at once.
    func store(_ record: AccessRecord, _ lease: String) async throws {
        var (aside, grants) = ("", record.grants[...])
        if grants.count > Self.part {
            aside = "\(copy.prefix)part:\(UUID().uuidString)"
            while !grants.isEmpty {
                let part = record.body(grants.prefix(Self.part))
                grants = grants.dropFirst(Self.part)
                _ = try await redis.pipeline([["HSET", .init(aside)] + part, ["EXPIRE", .init(aside), 60]])
            }
        }
        var arguments: [RedisArgument] = [.init(copy.prefix), .init(record.name), .init(lease), .init(record.version)]
        arguments += record.head
        arguments += [.init(aside), .init(record.grants.count)]
        arguments += record.body(grants)
        _ = try await redis.evaluate(AccessScripts.fill, keys: [copy.generationKey], arguments: arguments)
    }
}
