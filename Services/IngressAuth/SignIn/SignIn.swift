import Foundation
import Identity
import Logging
import PlatformModel
import ServiceKit

/// Signs browsers in on the API host, and sends them back to where they came from.
struct SignIn: Sendable {
    /// What the browser gets.
    enum Answer: Sendable {
        case redirect(String, cookies: [SetCookie])
        case page(Page, cookies: [SetCookie])
    }

    let provider: IdentityProvider
    let zones: ZoneTable
    let judge: Judge
    let sessions: SessionStore
    let tickets: TicketOffice
    let vault: Vault
    let keys: KeyRing
    /// Of the API host.
    let names: CookieNames
    /// Where a browser goes for which no page is waiting.
    let home: String
    let pages: Pages
    let clock: @Sendable () -> Date

    /// A session with less time left than this is not worth a ticket.
    private static let leastLifetime = 30.0

    // MARK: Beginning

    /// - Parameter isLook: only the way is asked for (HEAD); nothing may come of it.
    func begin(target text: String?, cookies: CookieHeader, isLook: Bool, logger: Logger) async throws -> Answer {
        var target: ReturnTarget?
        if let text {
            guard let read = ReturnTarget(text, keys: keys, now: clock()), TargetURL(read.url, zones: zones) != nil else {
                return .page(pages.badTarget, cookies: [])
            }
            target = read
        }
        // Without a page that waits the browser is to become whoever it is at the identity provider now.
        if let target, !isLook, let session = try await standing(cookies) { return try await deliver(session, to: target, cookies, []) }
        let transaction = Transaction(target: target, now: clock())
        let address = provider.authorization(state: transaction.state, verifier: transaction.verifier)
        guard !isLook else { return .redirect(address, cookies: []) }
        let name = Transaction.cookieName(transaction.state, names)
        let cookie = SetCookie(
            name: name, value: try keys.cookieValue(transaction, named: name), isSecure: names.isSecure, maxAge: Transaction.lifetime)
        return .redirect(address, cookies: [cookie] + surplus(cookies))
    }

    /// The session of this browser on the API host, if its token still stands and will for a while.
    private func standing(_ cookies: CookieHeader) async throws -> SessionStore.Session? {
        for id in cookies.tokens(names.signOn).prefix(2) {
            guard let session = try await sessions.session(id, on: nil),
                session.expires > clock().timeIntervalSince1970 + Self.leastLifetime,
                let claims = try await judge.claims(of: session.token),
                try await judge.verdict(session.token, claims, on: .page) == .allowed
            else { continue }
            return session
        }
        return nil
    }

    /// The oldest of too many unfinished sign-ins, and what cannot be read.
    private func surplus(_ cookies: CookieHeader) -> [SetCookie] {
        let mine = cookies.pairs.filter { $0.name.hasPrefix(names.transactionPrefix) }
        let readable = mine.compactMap { pair in
            keys.cookieContent(pair.value, named: pair.name, as: Transaction.self).map { (pair.name, $0.expires) }
        }
        let kept = Set(readable.sorted { $0.1 > $1.1 }.prefix(Transaction.limit - 1).map(\.0))
        return Set(mine.map(\.name)).subtracting(kept).sorted().prefix(20).map { .deleting($0, isSecure: names.isSecure) }
    }

    // MARK: Ending

    /// The identity provider sent the browser back.
    func complete(_ query: QueryItems, cookies: CookieHeader, logger: Logger) async throws -> Answer {
        let state = query.first("state") ?? ""
        let name = Transaction.cookieName(state, names)
        let clear = [SetCookie.deleting(name, isSecure: names.isSecure)]
        if let error = query.first("error") {
            return .page(pages.refused(error, query.first("error_description")), cookies: state.isEmpty ? [] : clear)
        }
        guard RandomText.isPlausible(state),
            let transaction = cookies.tokens(name).lazy.compactMap({ keys.cookieContent($0, named: name, as: Transaction.self) })
                .first(where: { $0.state == state && $0.expires > clock().timeIntervalSince1970 }),
            let code = query.first("code"), !code.isEmpty, code.utf8.count <= 4096,
            // A browser may send the same answer twice, to two replicas.
            try await vault.mark("state", state, seconds: Transaction.lifetime + 60)
        else { return .page(pages.lostSignIn, cookies: []) }
        let token: String
        do {
            token = try await provider.token(code: code, verifier: transaction.verifier)
        } catch IdentityProvider.Failure.refused {
            logger.info("A sign-in was refused by the identity provider")
            return .page(pages.lostSignIn, cookies: clear)
        } catch IdentityProvider.Failure.unavailable {
            logger.warning("The identity provider gave no token")
            return .page(pages.unavailable, cookies: clear)
        }
        guard let claims = try await judge.claims(of: token), try await judge.verdict(token, claims, on: .page) == .allowed else {
            logger.notice("A sign-in brought a token of nobody known here")
            return .page(pages.unknownUser, cookies: clear)
        }
        let session = try await renewed(cookies, token, claims)
        let signOn = SetCookie(
            name: names.signOn, value: try await sessions.begin(session), isSecure: names.isSecure, maxAge: nil)
        logger.info("Signed in", metadata: ["principal": "\(session.principal)"])
        guard let target = transaction.target else { return .redirect(home, cookies: clear + [signOn]) }
        return try await deliver(session, to: target, cookies, clear + [signOn])
    }

    /// The new session on the API host. Its id is always new; what the same person had open before goes on, what another had ends.
    private func renewed(_ cookies: CookieHeader, _ token: String, _ claims: TokenClaims) async throws -> SessionStore.Session {
        var family = RandomText.make()
        for id in cookies.tokens(names.signOn).prefix(2) {
            guard let old = try await sessions.session(id, on: nil) else { continue }
            try await sessions.end(id)
            if old.principal == claims.name.text { family = old.family } else { try await sessions.end(family: old.family) }
        }
        return sessions.session(
            token: token, principal: claims.name.text, tokenExpires: claims.expiresAt, host: nil, family: family)
    }

    // MARK: The way back

    private func deliver(
        _ session: SessionStore.Session, to target: ReturnTarget, _ cookies: CookieHeader, _ more: [SetCookie]
    ) async throws -> Answer {
        guard let url = TargetURL(target.url, zones: zones) else { return .page(pages.badTarget, cookies: more) }
        var rounds =
            cookies.tokens(names.rounds).lazy.compactMap { keys.cookieContent($0, named: names.rounds, as: Rounds.self) }.first ?? Rounds()
        guard rounds.begin(url.text, now: clock()) else { return .page(pages.goingRound(url.place.host), cookies: more) }
        let counted = SetCookie(
            name: names.rounds, value: try keys.cookieValue(rounds, named: names.rounds), isSecure: names.isSecure,
            maxAge: Int(Rounds.window))
        let there = sessions.session(
            token: session.token, principal: session.principal, tokenExpires: session.expires, host: url.place.host, family: session.family)
        let ticket = try await tickets.issue(
            .init(session: there, host: url.place.host.text, nonceHash: target.nonceHash, target: url.text))
        return .redirect("\(url.place.origin)\(AskedRequest.returnPath)?ticket=\(ticket)", cookies: more + [counted])
    }
}
