import Foundation
import Logging
import Postgres
import Redis
import ServiceLifecycle

/// Looks after the copy: finds out whether Redis is the one it was, starts a new generation if not, and publishes what the outbox holds.
/// Until it has done so, questions go to Postgres.
struct CopyKeeper: Service {
    let copy: AccessCopy
    let outbox: ACLOutbox
    /// Between two looks when nothing calls for one.
    var interval = Duration.seconds(1)
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            await withTaskGroup(of: Void.self) { group in
                let (beats, beat) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
                group.addTask {
                    for await _ in copy.losses { beat.yield() }
                }
                group.addTask {
                    while !Task.isCancelled {
                        beat.yield()
                        try? await Task.sleep(for: interval)
                    }
                    beat.finish()
                }
                group.addTask { await listen { beat.yield() } }
                for await _ in beats {
                    await look()
                    // A server that loses its trust again at once must not keep this loop spinning.
                    try? await Task.sleep(for: .milliseconds(50))
                }
                group.cancelAll()
            }
        }
    }

    /// Calls when something was committed, a moment after it: as a rule whoever committed it has published it by then.
    private func listen(_ call: @escaping @Sendable () -> Void) async {
        let (news, tell) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                for await _ in news {
                    try? await Task.sleep(for: .milliseconds(100))
                    call()
                }
            }
            while !Task.isCancelled {
                do {
                    let connection = try await PostgresConnection.connect(outbox.pool.configuration, logger: logger)
                    do {
                        let notifications = try await connection.notifications(on: [ACLOutbox.channel])
                        // What was said while nobody listened is lost.
                        tell.yield()
                        for try await _ in notifications { tell.yield() }
                        await connection.close()
                    } catch {
                        await connection.close()
                        throw error
                    }
                } catch {
                    // The looks at intervals go on.
                    logger.debug("Listening for changes of permissions is interrupted", metadata: ["error": "\(error)"])
                }
                try? await Task.sleep(for: .seconds(1))
            }
            tell.finish()
        }
    }

    /// One look. Trust is given only after the outbox was emptied, so that no change that was committed while Redis was away is missing.
    func look() async {
        let before = copy.trust
        do {
            if copy.redis.connectionID == nil { try await copy.redis.send("PING") }
            guard let connection = copy.redis.connectionID else { return }
            let (found, changes) = try await generation(on: connection)
            if let before, before != found { copy.distrust(before) }
            while try await !outbox.sweep() {}
            guard copy.trust != found else { return }
            copy.trust(found, changes: changes)
            logger.notice("The copy of permissions in Redis is in use", metadata: ["generation": "\(found.short)"])
        } catch is CancellationError {
            return
        } catch {
            // Postgres being away is no reason to distrust what Redis has: then it is all there is.
            if let before, error is RedisError { copy.distrust(before) }
            logger.debug("The copy of permissions could not be looked after", metadata: ["error": "\(error)"])
        }
    }

    /// The generation that belongs to the server's present life. A restart changes its run id, a fail-over its replication id.
    private func generation(on connection: Int) async throws -> (Trust, changes: Int) {
        let replies = try await copy.redis.pipeline([["INFO", "server"], ["INFO", "replication"]], connection: connection)
        var facts: [Substring: Substring] = [:]
        for line in replies.compactMap(\.string).joined(separator: "\n").split(whereSeparator: \.isNewline) {
            let pair = line.split(separator: ":", maxSplits: 1)
            if pair.count == 2 { facts[pair[0]] = pair[1] }
        }
        guard facts["role"] == "master", let run = facts["run_id"], let history = facts["master_replid"] else {
            throw RedisError.unavailable("it is not a primary server", mayHaveRun: false)
        }
        let short = UUID().uuidString.lowercased().filter { $0 != "-" }.prefix(16)
        let known = copy.known
        let arguments = ["\(run)/\(history)", String(short), known.generation, String(known.changes)] + copy.left
        let adopted = try await copy.redis.evaluate(
            AccessScripts.adopt, keys: copy.keys, arguments: arguments.map { .init($0) }, connection: connection)
        guard let parts = adopted.array, parts.count == 2, let generation = parts[0].string, let changes = parts[1].int else {
            throw RedisError.server("an answer of another shape")
        }
        return (Trust(connection: connection, generation: generation), changes)
    }
}
