import AsyncHTTPClient
import Crypto
import Foundation
import Identity
import NIOCore
import NIOHTTP1
import TestSupport
import Testing

@testable import AuthService

/// A client of the published protocol: its verifier, and what it sends.
struct TestClient: Sendable {
    var id = "apolo-cli"
    var redirectURI = "http://127.0.0.1:54540"
    var scope = "offline_access"
    let verifier = OpaqueToken.random().text

    var parameters: [String: String] {
        [
            "response_type": "code", "client_id": id, "redirect_uri": redirectURI, "scope": scope, "code_challenge_method": "S256",
            "code_challenge": PKCE.challenge(of: verifier), "audience": OAuthSettings.localOrigin,
        ]
    }

    /// The address that a client opens the browser at, with some parameters changed or (nil) left out.
    func authorize(_ changes: [String: String?] = [:]) -> String {
        var all: [String: String?] = parameters
        all.merge(changes) { _, new in new }
        return "/auth/authorize?" + all.compactMapValues { $0 }.formEncoded
    }

    func exchange(_ code: String, _ changes: [String: String] = [:]) -> [String: String] {
        [
            "grant_type": "authorization_code", "client_id": id, "code": code, "redirect_uri": redirectURI, "code_verifier": verifier,
        ].merging(changes) { _, new in new }
    }
}

extension Auth {
    static let password = "correct horse battery"

    /// An invitation's address, as path and query.
    func invite(_ name: String, email: String? = nil, by token: String? = nil) async throws -> String {
        let answer = try await service.post(path(name, "/invitation"), token: token ?? admin, email.map { ["email": $0] } ?? [:])
        #expect(answer.status == 201, "\(answer.body)")
        let url = try #require(try answer.object()["url"] as? String)
        return url.replacingOccurrences(of: OAuthSettings.localOrigin, with: "")
    }

    /// A new principal with an account and a password; the browser that took up the invitation is signed in.
    @discardableResult
    func person(_ name: String, email: String? = nil) async throws -> Browser {
        try await users(name)
        let browser = Browser(self)
        let page = try await browser.get(invite(name, email: email))
        let answer = try await browser.submit(page, ["password": Self.password, "repeated": Self.password])
        #expect(answer.status == 303 && answer.location == "/auth/account", "\(answer.status) \(answer.body)")
        return browser
    }

    /// Signs in with the page.
    func signIn(_ browser: Browser, _ login: String, _ password: String = Auth.password, at path: String = "/auth/sign-in") async throws
        -> TestAnswer
    {
        try await browser.submit(browser.get(path), ["login": login, "password": password])
    }

    func tokens(_ form: [String: String], headers: HTTPHeaders = [:]) async throws -> TestAnswer {
        var request = HTTPClientRequest(url: service.url + "/auth/token")
        request.method = .POST
        request.headers = headers
        request.headers.add(name: "Content-Type", value: "application/x-www-form-urlencoded")
        request.body = .bytes(ByteBuffer(string: form.formEncoded))
        return try await service.call(request)
    }

    /// What `apolo login` does once the browser is signed in: access and refresh token.
    func login(_ browser: Browser, _ client: TestClient = TestClient()) async throws -> (access: String, refresh: String) {
        let code = try #require(try await browser.get(client.authorize()).redirected("code"))
        let answer = try await tokens(client.exchange(code)).object()
        return (try #require(answer["access_token"] as? String), try #require(answer["refresh_token"] as? String))
    }

    func refresh(_ token: String, _ client: String = "apolo-cli") async throws -> TestAnswer {
        try await tokens(["grant_type": "refresh_token", "refresh_token": token, "client_id": client])
    }

    func audit(_ query: String = "") async throws -> [[String: Any]] {
        let answer = try await service.get("/api/v1/audit?limit=1000&" + query, token: admin)
        return try answer.object()["items"] as? [[String: Any]] ?? []
    }
}

extension TestAnswer {
    /// `error` of an OAuth refusal.
    var refusal: String? { (try? object()["error"]) as? String }
}

extension Auth {
    /// Posts a body as it is.
    func form(
        _ path: String, _ body: String, type: String = "application/x-www-form-urlencoded", cookie: String? = nil
    ) async throws -> TestAnswer {
        var request = HTTPClientRequest(url: service.url + path)
        request.method = .POST
        request.headers.add(name: "Content-Type", value: type)
        if let cookie { request.headers.add(name: "Cookie", value: cookie) }
        request.body = .bytes(ByteBuffer(string: body))
        return try await service.call(request)
    }
}
