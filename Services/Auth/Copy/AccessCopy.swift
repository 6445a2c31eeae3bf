import Foundation
import PlatformModel
import Redis
import Synchronization

/// A generation of the copy, and the connection on which it was found to be that of the server's present life.
struct Trust: Sendable, Equatable {
    let connection: Int
    /// `<short>:<incarnation>`
    let generation: String

    var short: Substring { generation.prefix { $0 != ":" } }
}

/// The copy of all grants in Redis. What is missing there is unknown; what is there is the newest that was committed and published.
final class AccessCopy: Sendable {
    enum Answer: Sendable {
        case verdicts([Verdict])
        case unknown([String])
        case otherGeneration
    }

    let redis: RedisClient
    private let prefix: String
    private let state = Mutex<Trust?>(nil)
    /// Yields whenever trust was lost.
    let losses: AsyncStream<Void>
    private let loss: AsyncStream<Void>.Continuation

    init(_ redis: RedisClient, prefix: String) {
        self.redis = redis
        self.prefix = prefix
        (losses, loss) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    }

    var generationKey: String { prefix + "generation" }

    var trust: Trust? { state.withLock { $0 } }

    func trust(_ trust: Trust) { state.withLock { $0 = trust } }

    /// Sends all questions to Postgres until the keeper has looked at Redis again.
    func distrust(_ trust: Trust) {
        let changed = state.withLock { state in
            guard state == trust else { return false }
            state = nil
            return true
        }
        if changed { loss.yield() }
    }

    func ask(_ questions: [Question], _ trust: Trust) async throws -> Answer {
        var arguments: [RedisArgument] = [.init(trust.generation), .init(prefix + trust.short + ":")]
        var places: [[Range<Int>]] = []
        for question in questions {
            var uris: [RedisArgument] = []
            places.append(
                question.uris.map { uri in
                    let start = uris.count
                    for text in Prefixes.of(uri) { uris.append(.init(text)) }
                    return start..<uris.count
                })
            arguments.append(.init(question.principal.text))
            arguments.append(.init(question.everything.map { $0.rawValue + ":" } ?? ""))
            arguments.append(.init(uris.count))
            arguments += uris
        }
        let reply = try await redis.evaluate(
            AccessScripts.ask, keys: [generationKey], arguments: arguments, connection: trust.connection)
        return try read(reply, places)
    }

    private func read(_ reply: RedisValue, _ places: [[Range<Int>]]) throws -> Answer {
        guard let parts = reply.array, let kind = parts.first?.int else { throw RedisError.server("an answer of another shape") }
        if kind == 0 { return .otherGeneration }
        if kind == 1 { return .unknown(Array(Set(parts.dropFirst().compactMap(\.string)))) }
        guard kind == 2, parts.count == 1 + 3 * places.count else { throw RedisError.server("an answer of another shape") }
        return .verdicts(
            places.enumerated().map { index, ranges in
                let digits = parts[2 + 3 * index].bytes ?? []
                let actions = ranges.map { range in
                    Action(rank: range.reduce(0) { max($0, $1 < digits.count ? Int(digits[$1]) - 48 : 0) })
                }
                return Verdict(
                    validFrom: parts[1 + 3 * index].string.flatMap(Double.init), actions: actions,
                    grants: permissions(parts[3 + 3 * index].array ?? []))
            })
    }

    private func permissions(_ list: [RedisValue]) -> [Permission] {
        stride(from: 0, to: list.count - 1, by: 2).compactMap { index in
            guard let text = list[index].string, let uri = try? ResourceURI(text), let rank = list[index + 1].int else { return nil }
            return Permission(uri, Action(rank: rank))
        }
    }

    // MARK: writing

    /// Announces that these names are about to be read from Postgres. Whatever is published meanwhile voids the lease.
    func lease(_ names: [String], _ trust: Trust) async throws -> [String: String] {
        let leases = Dictionary(uniqueKeysWithValues: names.map { ($0, UUID().uuidString) })
        let commands: [[RedisArgument]] = leases.map { name, lease in
            ["SET", .init("\(prefix)\(trust.short):lease:\(name)"), .init(lease), "PX", 30_000]
        }
        _ = try await redis.pipeline(commands, connection: trust.connection)
        return leases
    }

    /// Stores records that were read under these leases.
    func fill(_ records: [AccessRecord], _ leases: [String: String], _ trust: Trust) async throws {
        for record in records {
            guard let lease = leases[record.name] else { continue }
            _ = try await store(record, lease: lease, connection: trust.connection)
        }
    }

    /// Brings committed changes into the copy. Waits for Redis as long as the client does; when this returns, no copy holds an older state.
    func publish(_ records: [AccessRecord]) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for record in records { group.addTask { _ = try await self.store(record, lease: "", connection: nil) } }
            try await group.waitForAll()
        }
    }

    private func store(_ record: AccessRecord, lease: String, connection: Int?) async throws -> RedisValue {
        var arguments: [RedisArgument] = [
            .init(prefix), .init(record.name), .init(lease), .init(record.version),
            .init(record.validFrom.map { String(Int($0)) } ?? ""), .init(record.roles.joined(separator: "\n")),
        ]
        for grant in record.grants {
            arguments.append(.init(grant.uri))
            arguments.append(.init(grant.action.rank))
        }
        return try await redis.evaluate(AccessScripts.store, keys: [generationKey], arguments: arguments, connection: connection)
    }
}
