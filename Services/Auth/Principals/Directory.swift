import Foundation
import Identity
import PlatformModel
import Postgres
import ServiceKit

/// The rules of auth-api: who may ask and change what. Knows no HTTP beyond the errors it throws.
struct Directory: Sendable {
    let judge: Judge
    let principals: PrincipalStore
    let grants: GrantStore
    let outbox: ACLOutbox
    let keys: KeyRing
    let audit: AuditLog
    /// Entries that one tree may have.
    let treeLimit: Int
    let refusals = RefusalLimit()

    var signer: TokenSigner { keys.signer }

    /// Finds out in one question whether the caller's token stands, what the caller may do on `uris`, and whatever else is asked.
    /// - Throws: 401 when the token does not stand (its principal is gone or is a later one of that name, lost `read` on itself, or lost
    ///   the URI that the token is bound to); 503 when it cannot be known.
    func ask(
        _ caller: Caller, on uris: [ResourceURI] = [], about questions: [Question] = []
    ) async throws -> (actions: [Action], verdicts: [Verdict]) {
        let name = PrincipalName(checked: caller.name)
        var own = [name.userURI]
        if let bound = caller.tokenURI { own.append(try ResourceURI(bound)) }
        var verdicts = try await judge.judge([Question(principal: name, uris: own + uris)] + questions)
        let standing = verdicts.removeFirst()
        guard let validFrom = standing.validFrom, caller.issuedAt ?? 0 >= validFrom,
            standing.actions.prefix(own.count).allSatisfy({ $0 >= .read })
        else { throw PlatformError.unauthorized("The token is not valid any more") }
        return (Array(standing.actions.dropFirst(own.count)), verdicts)
    }

    /// Requires `read` on the principal, and that it exists.
    /// - Throws: 403 before 404, so that existence is told only to those who may know.
    func requireReadable(_ principal: PrincipalName, by caller: Caller, asking question: Question? = nil) async throws -> Verdict {
        let question = question ?? Question(principal: principal)
        let (actions, verdicts) = try await ask(caller, on: [principal.userURI], about: [question])
        guard actions[0] >= .read else { throw PlatformError.forbidden() }
        guard verdicts[0].exists else { throw Self.notFound(principal) }
        return verdicts[0]
    }

    static func notFound(_ principal: PrincipalName) -> PlatformError { .notFound("user \"\(principal)\" was not found") }

    /// Repeats what the database broke off because two changes waited for one another.
    func repeatingDeadlocks<T>(_ body: () async throws -> T) async throws -> T {
        for _ in 0..<5 {
            do {
                return try await body()
            } catch let error as PostgresError where error.sqlState == "40P01" {
                continue
            }
        }
        return try await body()
    }

    /// Brings committed changes to Redis.
    /// - Throws: 503 when Redis does not take them in time: they are committed, and repeating the request is harmless.
    func publish(_ names: [String]) async throws { try await outbox.publish(names) }

    /// The line of the audit log that tells what a caller did to a principal.
    static func entry(
        _ event: AuditEntry.Event, by caller: Caller, on principal: PrincipalName, _ details: [String] = []
    ) -> AuditEntry {
        AuditEntry(event: event, actor: caller.name, principal: principal.text, details: details)
    }
}
