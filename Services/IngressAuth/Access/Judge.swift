import Crypto
import Foundation
import Identity
import PlatformClients
import PlatformModel
import ServiceKit

/// Whether a token stands and what its principal may: auth-api's word, asked with the token itself, so that one call says both.
struct Judge: Sendable {
    enum Verdict: Hashable, Sendable {
        /// The token does not stand.
        case invalid
        case forbidden
        case allowed
    }

    struct Question: Hashable, Sendable {
        let token: SHA256Digest
        let resource: Resource
    }

    let verifier: TokenVerifier
    let auth: AuthClient
    let calls: OutgoingCalls
    let verdicts: AnswerCache<Question, Verdict>
    let lifetime: Duration
    let negativeLifetime: Duration

    /// What a genuine token of a person or a service account claims; nil for any other. Costs no call, and is asked at each use, so that no
    /// cached verdict outlives the token.
    func claims(of token: String) async throws -> TokenClaims? {
        do {
            let claims = try await verifier.verify(token)
            // The platform's own services visit no jobs; a token of theirs in a browser has been stolen.
            return claims.kind == .user ? claims : nil
        } catch let error as PlatformError where error.status == .unauthorized {
            return nil
        }
    }

    func verdict(_ token: String, _ claims: TokenClaims, on resource: Resource) async throws -> Verdict {
        let question = Question(token: SHA256.hash(data: Data(token.utf8)), resource: resource)
        return try await verdicts.value(for: question) {
            $0 == .allowed ? lifetime : negativeLifetime
        } ask: {
            try await calls.run(for: claims.name.text) { try await ask(Caller(claims, token: token), resource) }
        }
    }

    private func ask(_ caller: Caller, _ resource: Resource) async throws -> Verdict {
        do {
            switch resource {
            case .unknown:
                try await auth.verify(caller)
                return .forbidden
            case .page:
                try await auth.verify(caller)
                return .allowed
            case .guarded(let groups):
                let asked = groups.flatMap { $0 }
                guard !asked.isEmpty, groups.allSatisfy({ !$0.isEmpty }) else { return .forbidden }
                let missing = Set(try await auth.check(asked, as: caller))
                return groups.allSatisfy { !missing.isSuperset(of: $0) } ? .allowed : .forbidden
            }
        } catch let error as PlatformError where error.status == .unauthorized {
            return .invalid
        }
    }
}
