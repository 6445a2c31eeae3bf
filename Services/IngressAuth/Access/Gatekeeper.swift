import Foundation
import Identity
import PlatformModel
import ServiceKit

/// Answers the gateway's question: may this visitor pass?
struct Gatekeeper: Sendable {
    /// How far the cookies of a visitor reach (ingress-auth.md S9).
    enum CrossOrigin: String, Sendable, CaseIterable {
        /// Pages of the same host, and the console.
        case host
        /// Also other jobs and apps of the same cluster.
        case zone
    }

    let zones: ZoneTable
    let judge: Judge
    let finder: ResourceFinder
    let sessions: SessionStore
    let returns: Returns
    let tokenCookies: [String]
    let crossOrigin: CrossOrigin
    /// Origins of the platform's own pages.
    let trustedOrigins: Set<String>

    func decide(_ asked: AskedRequest) async throws -> Decision {
        guard zones.isKnown else { throw PlatformError.unavailable("The clusters are not known yet.") }
        guard let place = zones.place(asked.host) else { return Decision(.foreignHost) }
        if asked.isReturn { return try await returns.answer(asked, place) }
        return place.zone.kind == .platform ? try await page(asked, place) : try await guarded(asked, place)
    }

    // MARK: Jobs and apps

    private func guarded(_ asked: AskedRequest, _ place: PlacedHost) async throws -> Decision {
        let names = CookieNames(isSecure: place.zone.isSecure)
        let credentials = Credentials(asked, tokenCookies: tokenCookies, session: names.session)
        var refused: String?
        for candidate in credentials.candidates {
            guard let token = try await token(candidate.bearer, place.host), let claims = try await judge.claims(of: token) else {
                continue
            }
            let resource = try await finder.resource(of: place, for: claims.name.text)
            let principal = claims.name.text
            switch try await judge.verdict(token, claims, on: resource) {
            case .invalid: continue
            case .allowed:
                guard !candidate.isCookie || mayUseCookies(asked, place) else {
                    return Decision(.foreignOrigin, place: place, principal: principal)
                }
                return Decision(.allowed(passedOn(asked)), place: place, principal: principal)
            case .forbidden:
                refused = refused ?? principal
                // Another host may have planted one of several cookies; a header is the visitor's own.
                if !candidate.isCookie { return Decision(.forbidden, place: place, principal: principal) }
            }
        }
        if let refused { return Decision(.forbidden, place: place, principal: refused) }
        return Decision(.notSignedIn, place: place)
    }

    private func token(_ bearer: Credentials.Bearer, _ host: HostName) async throws -> String? {
        switch bearer {
        case .token(let token): token
        case .session(let id): try await sessions.session(id, on: host)?.token
        }
    }

    /// What of the visitor's own headers the job gets to see: not what would let it act in the visitor's name.
    private func passedOn(_ asked: AskedRequest) -> Decision.PassedOn {
        Decision.PassedOn(
            cookie: asked.cookies.without { CookieNames.areOurs($0) || tokenCookies.contains($0) },
            authorization: asked.headers[values: .authorization].filter { !PlatformAuthorization.holdsToken($0) })
    }

    /// All jobs are one site for browsers, so `SameSite` does not keep the page of one from using the visitor's cookies on another.
    private func mayUseCookies(_ asked: AskedRequest, _ place: PlacedHost) -> Bool {
        guard asked.isWebSocket || !["GET", "HEAD", "OPTIONS"].contains(asked.method) else { return true }
        let origins = asked.headers[values: .origin]
        guard let origin = origins.first else { return true }
        guard origins.count == 1 else { return false }
        if trustedOrigins.contains(origin.lowercased()) { return true }
        guard let separator = origin.range(of: "://"), let host = HostName(origin[separator.upperBound...]) else { return false }
        let scheme = origin[..<separator.lowerBound].lowercased()
        guard scheme == "https" || (scheme == "http" && !place.zone.isSecure) else { return false }
        if host == place.host { return true }
        guard crossOrigin == .zone, let other = zones.place(host) else { return false }
        return other.zone.cluster == place.zone.cluster && other.zone.kind != .platform
    }

    // MARK: Pages of the platform

    /// The proxies behind these hosts read the token from a cookie and believe it. So exactly that cookie must stand, and no other credential
    /// counts (ingress-auth.md S3).
    private func page(_ asked: AskedRequest, _ place: PlacedHost) async throws -> Decision {
        guard tokenCookies.allSatisfy({ asked.cookies.values($0).count <= 1 }) else { return Decision(.ambiguousCookies, place: place) }
        guard let token = tokenCookies.lazy.compactMap({ asked.cookies.tokens($0).first }).first,
            let claims = try await judge.claims(of: token)
        else { return Decision(.notSignedIn, place: place) }
        guard try await judge.verdict(token, claims, on: .page) == .allowed else { return Decision(.notSignedIn, place: place) }
        guard mayUseCookies(asked, place) else { return Decision(.foreignOrigin, place: place, principal: claims.name.text) }
        return Decision(.allowed(nil), place: place, principal: claims.name.text)
    }
}
