import Foundation
import Logging

/// Ends what a browser's sign-in made: the session on the API host and with it those on all protected hosts.
struct SignOut: Sendable {
    let sessions: SessionStore
    let keys: KeyRing
    let names: CookieNames
    let provider: IdentityProvider
    let pages: Pages

    /// What the form of the confirmation must carry: other pages, even of the same site, cannot know it.
    func proof(_ cookies: CookieHeader) -> String { keys.sign(cookies.tokens(names.signOn).joined(separator: " "), for: .form) }

    func confirmation(_ cookies: CookieHeader) -> Page { pages.logout(proof: proof(cookies)) }

    func end(proof: String?, cookies: CookieHeader, logger: Logger) async throws -> SignIn.Answer {
        let ids = cookies.tokens(names.signOn)
        guard let proof, keys.isSignature(proof, of: ids.joined(separator: " "), for: .form) else {
            return .page(pages.unprovenLogout(proof: self.proof(cookies)), cookies: [])
        }
        for id in ids.prefix(2) {
            guard let session = try await sessions.session(id, on: nil) else { continue }
            try await sessions.end(family: session.family)
            try await sessions.end(id)
            logger.info("Signed out", metadata: ["principal": "\(session.principal)"])
        }
        let mine = Set(cookies.pairs.map(\.name)).filter { $0.hasPrefix(names.transactionPrefix) } + [names.signOn, names.rounds]
        return .redirect(provider.logout, cookies: Set(mine).sorted().prefix(20).map { .deleting($0, isSecure: names.isSecure) })
    }
}
