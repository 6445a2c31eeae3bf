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

    private struct State {
        var trust: Trust?
        /// The generation that was trusted last, and how many changes are known to have been published to it.
        var generation = ""
        var changes = 0
        /// Generations that were given up: they come back with an older copy only. Bounded.
        var left: [String] = []

        mutating func note(_ changes: Int, of generation: String) {
            if generation == self.generation { self.changes = max(self.changes, changes) }
        }
    }

    let redis: RedisClient
    let prefix: String
    private let state = Mutex(State())
    /// Yields whenever trust was lost.
    let losses: AsyncStream<Void>
    private let loss: AsyncStream<Void>.Continuation

    init(_ redis: RedisClient, prefix: String) {
        self.redis = redis
        self.prefix = prefix
        (losses, loss) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    }

    var generationKey: String { prefix + "generation" }
    var keys: [String] { [generationKey, prefix + "changes"] }

    var trust: Trust? { state.withLock { $0.trust } }
    var left: [String] { state.withLock { $0.left } }
    /// The generation that was trusted last, and how many changes are known to have been published to it.
    var known: (generation: String, changes: Int) { state.withLock { ($0.generation, $0.changes) } }

    /// - Parameter changes: how many had been published to that generation when it was found.
    func trust(_ trust: Trust, changes: Int) {
        state.withLock { state in
            if state.generation != trust.generation {
                if !state.generation.isEmpty { state.left = state.left.suffix(63) + [state.generation] }
                state.changes = 0
                state.generation = trust.generation
            }
            state.note(changes, of: trust.generation)
            state.trust = trust
        }
    }

    /// Sends all questions to Postgres until the keeper has looked at Redis again.
    func distrust(_ trust: Trust) {
        let changed = state.withLock { state in
            guard state.trust == trust else { return false }
            state.trust = nil
            return true
        }
        if changed { loss.yield() }
    }

    func ask(_ questions: [Question], _ trust: Trust) async throws -> Answer {
        let known = state.withLock { $0.generation == trust.generation ? $0.changes : 0 }
        var arguments: [RedisArgument] = [.init(trust.generation), .init(prefix + trust.short + ":"), .init(known)]
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
        let reply = try await redis.evaluate(AccessScripts.ask, keys: keys, arguments: arguments, connection: trust.connection)
        return try read(reply, places, trust)
    }

    private func read(_ reply: RedisValue, _ places: [[Range<Int>]], _ trust: Trust) throws -> Answer {
        guard let parts = reply.array, let kind = parts.first?.int else { throw Self.misshapen }
        if kind == 0 { return .otherGeneration }
        if kind == 1 { return .unknown(Array(Set(parts.dropFirst().compactMap(\.string)))) }
        guard kind == 2, parts.count == 2 + 3 * places.count, let changes = parts[1].int else { throw Self.misshapen }
        state.withLock { $0.note(changes, of: trust.generation) }
        return .verdicts(
            places.enumerated().map { index, ranges in
                let digits = parts[3 + 3 * index].bytes ?? []
                let actions = ranges.map { range in
                    Action(rank: range.reduce(0) { max($0, $1 < digits.count ? Int(digits[$1]) - 48 : 0) })
                }
                return Verdict(
                    validFrom: parts[2 + 3 * index].string.flatMap(Double.init), actions: actions,
                    grants: permissions(parts[4 + 3 * index].array ?? []))
            })
    }

    private static var misshapen: RedisError { .server("an answer of another shape") }

    private func permissions(_ list: [RedisValue]) -> [Permission] {
        stride(from: 0, to: list.count - 1, by: 2).compactMap { index in
            guard let text = list[index].string, let uri = try? ResourceURI(text), let rank = list[index + 1].int else { return nil }
            return Permission(uri, Action(rank: rank))
        }
    }

    /// Brings committed changes into the copy. Waits for Redis as long as the client does; when this returns, no copy holds an older state.
    /// The names of existing principals that the copy lacks now.
    func publish(_ records: [AccessRecord]) async throws -> [String] {
        try await withThrowingTaskGroup(of: String?.self) { group in
            for record in records {
                group.addTask { try await self.publish(record) || record.validFrom == nil ? nil : record.name }
            }
            return try await group.reduce(into: []) { names, name in if let name { names.append(name) } }
        }
    }

    /// Whether the copy has the record now.
    private func publish(_ record: AccessRecord) async throws -> Bool {
        let (generation, known) = self.known
        var arguments: [RedisArgument] = [
            .init(prefix), .init(generation), .init(known), .init(record.name), .init(record.version), record.isLarge ? "drop" : "keep",
        ]
        arguments += record.head
        arguments += record.body(record.grants[...])
        let reply = try await redis.evaluate(AccessScripts.publish, keys: keys, arguments: arguments)
        guard let parts = reply.array, let kind = parts.first?.int else { throw Self.misshapen }
        if parts.count == 3, let changes = parts[1].int, let generation = parts[2].string {
            state.withLock { $0.note(changes, of: generation) }
        }
        return kind == 1
    }
}

extension AccessRecord {
    /// Valid-from and roles, as the scripts take them.
    var head: [RedisArgument] { [.init(validFrom.map { String(Int($0)) } ?? ""), .init(roles.joined(separator: "\n"))] }

    /// Grants as the scripts take them: URI and digit in turn.
    func body(_ grants: ArraySlice<(uri: String, action: Action)>) -> [RedisArgument] {
        grants.flatMap { [RedisArgument($0.uri), RedisArgument($0.action.rank)] }
    }
}
