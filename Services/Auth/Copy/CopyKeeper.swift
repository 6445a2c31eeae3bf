import Foundation
import Logging
import Redis
import ServiceLifecycle

/// Looks after the copy: finds out whether Redis is the one it was, starts a new generation if not, and publishes what the outbox holds.
/// Until it has done so, questions go to Postgres.
struct CopyKeeper: Service {
    let copy: AccessCopy
    let outbox: ACLOutbox
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
                        try? await Task.sleep(for: .seconds(1))
                    }
                    beat.finish()
                }
                for await _ in beats {
                    await look()
                    // A server that loses its trust again at once must not keep this loop spinning.
                    try? await Task.sleep(for: .milliseconds(50))
                }
                group.cancelAll()
            }
        }
    }

    /// One look. Trust is given only after the outbox was emptied, so that no change that was committed while Redis was away is missing.
    func look() async {
        let before = copy.trust
        do {
            if copy.redis.connectionID == nil { try await copy.redis.send("PING") }
            guard let connection = copy.redis.connectionID else { return }
            let found = try await generation(on: connection)
            if let before, before != found { copy.distrust(before) }
            while try await !outbox.sweep() {}
            guard copy.trust != found else { return }
            copy.trust(found)
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
    private func generation(on connection: Int) async throws -> Trust {
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
        let adopted = try await copy.redis.evaluate(
            AccessScripts.adopt, keys: [copy.generationKey], arguments: [.init("\(run)/\(history)"), .init(short)], connection: connection)
        guard let generation = adopted.string else { throw RedisError.server("an answer of another shape") }
        return Trust(connection: connection, generation: generation)
    }
}
