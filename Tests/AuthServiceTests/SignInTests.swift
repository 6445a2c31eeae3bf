import Foundation
import Identity
import NIOHTTP1
import PlatformModel
import TestSupport
import Testing

@testable import AuthService

/// From the invitation to a token that works, as a person and a client of the published protocol go.
@Suite struct SignInTests {
    @Test func anInvitedPersonSignsInAndStaysSignedIn() async throws {
        try await Auth.with { auth in
            try await auth.person("alice", email: "Alice@Example.org")
            let browser = Browser(auth)
            let client = TestClient()
            let start = try await browser.get(client.authorize())
            #expect(start.status == 303 && start.location?.hasPrefix("/auth/sign-in?return_to=%2Fauth%2Fauthorize") == true)
            let page = try await browser.get(try #require(start.location))
            #expect(page.status == 200 && page.body.contains("<label for=\"password\">"))
            let entered = try await browser.submit(page, ["login": "alice@example.ORG", "password": Auth.password])
            #expect(entered.status == 200 && entered.location?.hasPrefix("/auth/authorize?") == true)
            let answer = try await browser.get(try #require(entered.location))
            #expect(answer.location?.hasPrefix("http://127.0.0.1:54540?code=") == true)
            let tokens = try await auth.tokens(client.exchange(try #require(answer.redirected("code"))))
            #expect(tokens.status == 200 && tokens.headers.first(name: "Cache-Control") == "no-store")
            let object = try tokens.object()
            #expect(object["token_type"] as? String == "Bearer" && object["expires_in"] as? Int == 86_400 && object["id_token"] == nil)
            let access = try #require(object["access_token"] as? String)
            #expect(try await auth.service.get(auth.path("alice"), token: access).body == #"{"name":"alice"}"#)
            let claims = try await TokenVerifier(keys: auth.signer.publicKeys).verify(access)
            #expect(claims.issuer == OAuthSettings.localOrigin && claims.audience == [OAuthSettings.localOrigin])
            #expect(claims.kind == .user && claims.expiresAt != nil)

            let refresh = try #require(object["refresh_token"] as? String)
            // Two clients that share a login refresh at the same moment, and again later: the token stays.
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<8 { group.addTask { try await auth.refresh(refresh).status } }
                return try await group.reduce(into: Set<Int>()) { $0.insert($1) }
            }
            #expect(statuses == [200])
            let again = try await auth.refresh(refresh).object()
            let renewed = try #require(again["access_token"] as? String)
            #expect(again["expires_in"] as? Int == 86_400)
            #expect(try await auth.service.get("/api/v1/secured-ping", token: renewed).status == 200)
            // A browser that is signed in goes straight on.
            #expect(try await browser.get(TestClient().authorize()).redirected("code") != nil)
        }
    }

    @Test func openIDConnect() async throws {
        try await Auth.with { auth in
            let browser = try await auth.person("alice", email: "alice@example.org")
            let document = try await auth.service.get("/.well-known/openid-configuration").object()
            #expect(document["issuer"] as? String == OAuthSettings.localOrigin)
            #expect(document["authorization_endpoint"] as? String == OAuthSettings.localOrigin + "/auth/authorize")
            #expect(document["code_challenge_methods_supported"] as? [String] == ["S256"])
            #expect(try await auth.service.get("/.well-known/oauth-authorization-server").status == 200)

            let client = TestClient(scope: "openid email offline_access unknown")
            let answer = try await browser.get(client.authorize(["nonce": "n-1", "state": "a b&c"]))
            #expect(answer.redirected("state") == "a b&c")
            let tokens = try await auth.tokens(client.exchange(try #require(answer.redirected("code")))).object()
            #expect(tokens["scope"] as? String == "email offline_access openid")
            let token = try #require(tokens["id_token"] as? String)
            let payload = try #require(Base64URL.decode(token.split(separator: ".")[1]))
            let claims = try #require(try JSONSerialization.jsonObject(with: payload) as? [String: Any])
            #expect(claims["nonce"] as? String == "n-1" && claims["aud"] as? String == "apolo-cli")
            #expect(claims["email"] as? String == "alice@example.org" && claims["preferred_username"] as? String == "alice")
            // What a client may know is no way in.
            #expect(try await auth.service.get("/api/v1/secured-ping", token: token).status == 401)
            let access = try #require(tokens["access_token"] as? String)
            let info = try await auth.service.get("/auth/userinfo", token: access).object()
            #expect(info["sub"] as? String == claims["sub"] as? String && info["preferred_username"] as? String == "alice")
            #expect(try await auth.service.get("/auth/userinfo").status == 401)
        }
    }

    @Test func silentAndRenewedSignIns() async throws {
        try await Auth.with { auth in
            try await auth.person("alice")
            let browser = Browser(auth)
            let client = TestClient()
            let silent = try await browser.get(client.authorize(["prompt": "none", "state": "s"]))
            #expect(silent.redirected("error") == "login_required" && silent.redirected("state") == "s")
            #expect(try await auth.signIn(browser, "alice").status == 303)
            #expect(try await browser.get(client.authorize(["prompt": "none"])).redirected("code") != nil)
            #expect(try await browser.get(client.authorize(["max_age": "3600"])).redirected("code") != nil)
            for wish in [["prompt": "login"], ["max_age": "0"]] {
                let start = try await browser.get(client.authorize(wish))
                let location = try #require(start.location)
                #expect(location.hasPrefix("/auth/sign-in?"))
                // Although there is a session, the password is asked for again, once.
                let page = try await browser.get(location)
                #expect(page.status == 200)
                let entered = try await browser.submit(page, ["login": "alice", "password": Auth.password])
                #expect(try await browser.get(try #require(entered.location)).redirected("code") != nil)
            }
        }
    }

    @Test func theHeadlessLoginShowsItsCode() async throws {
        try await Auth.with { auth in
            let browser = try await auth.person("alice")
            let client = TestClient(redirectURI: OAuthSettings.localOrigin + "/auth/show-code")
            let answer = try await browser.get(client.authorize())
            let code = try #require(answer.redirected("code"))
            let stranger = Browser(auth)
            let page = try await stranger.get("/auth/show-code?code=\(code)")
            #expect(page.status == 200 && page.body.contains("<code class=\"code\" id=\"code\">\(code)</code>"))
            #expect(stranger.cookies.isEmpty)
            // It is shown for minutes, where a code of the loopback lives for one.
            let left = try await auth.pool.query(
                "SELECT extract(epoch FROM expires_at - now())::int AS left FROM authorization_codes WHERE hash = \(OpaqueToken(code).hash)"
            )
            #expect(try left[0].get("left", as: Int.self) > 500)
            #expect(try await auth.tokens(client.exchange(code)).status == 200)
            for bad in ["code=%3Cscript%3Ealert(1)%3C/script%3E", "code=abc", "", "code=" + String(repeating: "a", count: 3_000)] {
                let page = try await stranger.get("/auth/show-code?\(bad)")
                #expect(page.status == 400 && !page.body.contains("<script"), "\(bad.prefix(40))")
            }
            let refused = try await stranger.get("/auth/show-code?error=access_denied&error_description=%3Cb%3Eno%3C/b%3E")
            #expect(refused.status == 403 && refused.body.contains("&lt;b&gt;no&lt;/b&gt;") && !refused.body.contains("<b>"))
        }
    }

    @Test func signingOutEndsWhatTheClientHas() async throws {
        try await Auth.with([
            "oauth.clients": #"[{"id":"console","redirect_uris":["https://c.example/cb"],"logout_uris":["https://c.example/bye?x=1"]}]"#
        ]) { auth in
            let browser = try await auth.person("alice")
            let tokens = try await auth.login(browser)
            #expect(try await auth.refresh(tokens.refresh).status == 200)
            let page = try await browser.get("/auth/logout?client_id=apolo-cli")
            #expect(page.status == 200 && page.body.contains("signed out"))
            #expect(browser.cookies["orrery-session"] == nil)
            #expect(try await auth.refresh(tokens.refresh).refusal == "invalid_grant")
            #expect(try await browser.get(TestClient().authorize()).location?.hasPrefix("/auth/sign-in") == true)
            // Where to go on is the clients' to say, not the link's.
            let target = "post_logout_redirect_uri=" + "https://c.example/bye?x=1".formEscaped
            #expect(try await browser.get("/auth/logout?\(target)&state=7").location == "https://c.example/bye?x=1&state=7")
            #expect(try await browser.get("/auth/logout?client_id=apolo-cli&\(target)").status == 400)
            for evil in ["https://evil.example", "https://c.example/bye", "//evil.example", "https://c.example/bye?x=1#"] {
                let answer = try await browser.get("/auth/logout?returnTo=" + evil.formEscaped)
                #expect(answer.status == 400 && answer.location == nil, "\(evil)")
            }
        }
    }

    @Test func signingOutEverywhereAndByTheAdmin() async throws {
        try await Auth.with { auth in
            let (one, two) = (try await auth.person("alice"), Browser(auth))
            #expect(try await auth.signIn(two, "alice").status == 303)
            var tokens = [try await auth.login(one), try await auth.login(two)]
            let left = try await one.submit(one.get("/auth/account"), [:])
            #expect(left.status == 303)
            for token in tokens { #expect(try await auth.refresh(token.refresh).status == 400) }
            #expect(try await two.get("/auth/account").status == 303)
            #expect(try await auth.signIn(two, "alice").status == 303)
            tokens = [try await auth.login(two)]
            #expect(try await auth.service.delete(auth.path("alice", "/sessions"), token: tokens[0].access).status == 403)
            #expect(try await auth.service.delete(auth.path("alice", "/sessions"), token: auth.admin).status == 204)
            #expect(try await auth.refresh(tokens[0].refresh).status == 400)
            #expect(try await two.get("/auth/account").status == 303)
        }
    }

    @Test func tokensMayBeRevoked() async throws {
        try await Auth.with { auth in
            let tokens = try await auth.login(auth.person("alice"))
            func revoke(_ token: String, _ client: String) async throws -> Int {
                let form = ["token": token, "client_id": client].formEncoded
                return try await auth.form("/auth/revoke", form).status
            }
            #expect(try await revoke(tokens.refresh, "nobody") == 401)
            #expect(try await revoke("unknown", "apolo-cli") == 200)
            #expect(try await auth.refresh(tokens.refresh).status == 200)
            #expect(try await revoke(tokens.refresh, "apolo-cli") == 200)
            #expect(try await auth.refresh(tokens.refresh).status == 400)
        }
    }
}
