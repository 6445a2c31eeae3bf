import Foundation
import PlatformModel
import ServiceKit

/// The visitor's return to a protected host with a ticket: makes the session there. Whatever comes on this path, none of it reaches a job.
struct Returns: Sendable {
    let zones: ZoneTable
    let sessions: SessionStore
    let tickets: TicketOffice
    let judge: Judge
    /// Under which the pages of the platform expect the token itself.
    let pageCookie: String
    let clock: @Sendable () -> Date

    func answer(_ asked: AskedRequest, _ place: PlacedHost) async throws -> Decision {
        guard asked.method == "GET", asked.path == AskedRequest.returnPath, let query = try? QueryItems(asked.query),
            let id = query.first("ticket"), let found = try await tickets.look(at: id, host: place.host),
            // The cluster may have gone since.
            let target = TargetURL(found.value.target, zones: zones), target.place == place
        else { return Decision(.lost, place: place) }
        let names = CookieNames(isSecure: place.zone.isSecure)
        if let session = found.value.session, belongs(found.value, to: asked, names), try await tickets.spend(found) {
            return try await begin(session, place, names, target)
        }
        // Reloaded, or two tabs that came back one after the other: the cookie is there already.
        for id in asked.cookies.tokens(names.session).prefix(2) where try await sessions.session(id, on: place.host) != nil {
            return Decision(.returned(to: target.text, cookies: []), place: place)
        }
        return Decision(.lost, place: place)
    }

    /// Whether the browser that comes back is the one that was sent away.
    private func belongs(_ ticket: TicketOffice.Ticket, to asked: AskedRequest, _ names: CookieNames) -> Bool {
        asked.cookies.tokens(names.nonce).contains { ReturnTarget.hash(ofNonce: $0) == ticket.nonceHash }
    }

    private func begin(
        _ session: SessionStore.Session, _ place: PlacedHost, _ names: CookieNames, _ target: TargetURL
    ) async throws -> Decision {
        let isSecure = names.isSecure
        var cookies = [SetCookie.deleting(names.nonce, isSecure: isSecure)]
        if place.zone.kind == .platform {
            let seconds = Int(session.expires - clock().timeIntervalSince1970)
            cookies.append(SetCookie(name: pageCookie, value: session.token, isSecure: isSecure, maxAge: max(0, seconds)))
        } else {
            cookies.append(SetCookie(name: names.session, value: try await sessions.begin(session), isSecure: isSecure, maxAge: nil))
        }
        return Decision(.returned(to: target.text, cookies: cookies), place: place, principal: session.principal)
    }
}
