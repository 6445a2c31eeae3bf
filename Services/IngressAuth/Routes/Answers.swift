import Foundation
import HTTPTypes
import Hummingbird
import ServiceKit

/// Puts a decision into the form that the visitor's client understands (ingress-auth.md 6.4).
struct Answers: Sendable {
    let keys: KeyRing
    let pages: Pages
    /// The public origin.
    let origin: String
    let clock: @Sendable () -> Date

    func response(_ decision: Decision, _ asked: AskedRequest, _ kind: RequestKind) throws -> Response {
        switch decision.outcome {
        case .allowed(let passedOn): allowed(passedOn)
        case .notSignedIn: try notSignedIn(decision, asked, kind)
        case .forbidden: refusal(kind, .forbidden, "Forbidden", page: pages.forbidden(decision.principal))
        case .foreignHost: refusal(kind, .forbidden, "Forbidden", page: pages.foreignHost)
        case .foreignOrigin: refusal(kind, .forbidden, "Cross-origin request", page: pages.foreignOrigin)
        case .ambiguousCookies: try ambiguous(decision, asked, kind)
        case .returned(let url, let cookies): Self.redirect(url, cookies: cookies)
        case .lost: pages.lostReturn.response
        }
    }

    func malformed(_ sentence: String, _ headers: HTTPFields) -> Response {
        let wantsPage = headers[.accept]?.contains("text/html") == true
        return wantsPage ? pages.malformed(sentence).response : Self.json(.badRequest, ["error": sentence])
    }

    func away(_ kind: RequestKind) -> Response {
        var response = refusal(kind, .serviceUnavailable, "Access cannot be checked now; try again", page: pages.away)
        response.headers[.retryAfter] = "2"
        return response
    }

    func tooMany(_ kind: RequestKind) -> Response {
        var response = refusal(kind, .tooManyRequests, "Too many requests", page: pages.tooMany)
        response.headers[.retryAfter] = "5"
        return response
    }

    // MARK: Parts

    /// The gateway takes `Cookie` and `Authorization` over into the visitor's request, and drops them there where they are absent here.
    private func allowed(_ passedOn: Decision.PassedOn?) -> Response {
        var headers: HTTPFields = [.cacheControl: "no-store", .contentLength: "0"]
        // One field: assigning would make one of each cookie, and not every server reads more than the first.
        if let cookie = passedOn?.cookie { headers.append(HTTPField(name: .cookie, value: cookie)) }
        for value in passedOn?.authorization ?? [] { headers.append(HTTPField(name: .authorization, value: value)) }
        return Response(status: .ok, headers: headers)
    }

    private func notSignedIn(_ decision: Decision, _ asked: AskedRequest, _ kind: RequestKind) throws -> Response {
        guard kind == .navigation, let place = decision.place else {
            var response = Self.json(
                .unauthorized,
                kind == .script ? ["error": "Unauthorized", "login_url": origin + "/oauth/login"] : ["error": "Unauthorized"])
            response.headers[.wwwAuthenticate] = "Bearer"
            return response
        }
        if isForeignFrame(asked) { return pages.framed(place.origin + asked.target).response }
        let (address, cookie) = try signIn(asked, place)
        return Self.redirect(address, cookies: [cookie])
    }

    private func ambiguous(_ decision: Decision, _ asked: AskedRequest, _ kind: RequestKind) throws -> Response {
        guard kind == .navigation, let place = decision.place else {
            return Self.json(.badRequest, ["error": "Several different token cookies"])
        }
        let (address, cookie) = try signIn(asked, place)
        var response = pages.ambiguousCookies(signIn: address).response
        response.headers.append(HTTPField(name: .setCookie, value: cookie.text))
        return response
    }

    /// The address at which to sign in, and the cookie that ties the way back to this browser. Tabs that begin together share one.
    private func signIn(_ asked: AskedRequest, _ place: PlacedHost) throws -> (String, SetCookie) {
        let names = CookieNames(isSecure: place.zone.isSecure)
        let nonce = asked.cookies.tokens(names.nonce).first(where: RandomText.isPlausible) ?? RandomText.make()
        let target = ReturnTarget(
            url: place.origin + asked.target, expires: Int(clock().timeIntervalSince1970) + ReturnTarget.lifetime,
            nonceHash: ReturnTarget.hash(ofNonce: nonce))
        let cookie = SetCookie(name: names.nonce, value: nonce, isSecure: names.isSecure, maxAge: 600)
        return ("\(origin)/oauth/login?rd=\(try target.signed(with: keys))", cookie)
    }

    private func isForeignFrame(_ asked: AskedRequest) -> Bool {
        asked.headers[.fetchSite]?.lowercased() == "cross-site"
            && ["iframe", "frame", "embed", "object"].contains(asked.headers[.fetchDestination]?.lowercased() ?? "")
    }

    private func refusal(_ kind: RequestKind, _ status: HTTPResponse.Status, _ text: String, page: Page) -> Response {
        kind == .navigation ? page.response : Self.json(status, ["error": text])
    }

    static func redirect(_ url: String, cookies: [SetCookie]) -> Response {
        var headers: HTTPFields = [.location: url, .cacheControl: "no-store", .referrerPolicy: "no-referrer", .contentLength: "0"]
        for cookie in cookies { headers.append(HTTPField(name: .setCookie, value: cookie.text)) }
        return Response(status: .found, headers: headers)
    }

    private static func json(_ status: HTTPResponse.Status, _ body: [String: String]) -> Response {
        let data = (try? PlatformJSON.encoder().encode(body)) ?? Data(#"{"error":"Forbidden"}"#.utf8)
        return Response(
            status: status, headers: [.contentType: "application/json", .cacheControl: "no-store", .xContentTypeOptions: "nosniff"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: data)))
    }
}
