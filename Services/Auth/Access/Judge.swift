import Logging
import Postgres
import Redis
import ServiceKit

/// Answers questions about principals: from the copy in Redis in one round trip, from Postgres when the copy cannot be trusted or reached.
/// It fails when neither answers; it never guesses.
struct Judge: Sendable {
    let copy: AccessCopy
    let closures: ClosureStore
    let logger: Logger

    func judge(_ questions: [Question]) async throws -> [Verdict] {
        if let trust = copy.trust {
            do {
                if let verdicts = try await fromCopy(questions, trust) { return verdicts }
            } catch let error as RedisError {
                logger.debug("The copy did not answer, Postgres does", metadata: ["error": "\(error)"])
                copy.distrust(trust)
            }
        }
        return try await closures.judge(questions)
    }

    /// Nil when the copy turned out not to be trusted. Unknown principals are filled and asked again: each round reaches at least one level
    /// of roles further.
    private func fromCopy(_ questions: [Question], _ trust: Trust) async throws -> [Verdict]? {
        for _ in 0..<8 {
            switch try await copy.ask(questions, trust) {
            case .verdicts(let verdicts): return verdicts
            case .otherGeneration:
                copy.distrust(trust)
                return nil
            case .unknown(let names):
                let leases = try await copy.lease(names, trust)
                try await copy.fill(closures.records(of: names), leases, trust)
            }
        }
        return nil
    }
}
