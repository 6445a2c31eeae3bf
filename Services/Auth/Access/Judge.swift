import Logging
import Postgres
import Redis
import ServiceKit

/// Answers questions about principals: from the copy in Redis in one round trip, from Postgres when the copy cannot be trusted or reached or
/// lacks a record, which it is filled with meanwhile. It fails when neither answers; it never guesses.
struct Judge: Sendable {
    let copy: AccessCopy
    let closures: ClosureStore
    let filler: CopyFiller
    let logger: Logger

    func judge(_ questions: [Question]) async throws -> [Verdict] {
        if let trust = copy.trust {
            do {
                switch try await copy.ask(questions, trust) {
                case .verdicts(let verdicts): return verdicts
                case .otherGeneration: copy.distrust(trust)
                case .unknown(let names): filler.want(names)
                }
            } catch let error as RedisError {
                logger.debug("The copy did not answer, Postgres does", metadata: ["error": "\(error)"])
                copy.distrust(trust)
            }
        }
        return try await closures.judge(questions)
    }
}
