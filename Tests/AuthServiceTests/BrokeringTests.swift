import Foundation
import Identity
import TestSupport
import Testing

@testable import AuthService

/// Signing in through a genuine provider.
@Suite struct BrokeringTests {
    @Test func aVerifiedAddressFindsItsAccount() async throws {
        try await OIDCProvider.with { auth, provider in
            try await auth.person("alice", email: "alice@example.org")
            try await provider.person("0815", ["email": "Alice@Example.org", "email_verified": true])
            let browser = Browser(auth)
            let client = TestClient()
            let start = try await browser.get(client.authorize())
            let entered = try await provider.signIn(browser, as: "0815", at: try #require(start.location))
            #expect(entered.status == 303 && entered.location?.hasPrefix("/auth/authorize?") == true, "\(entered.body)")
            let tokens = try await auth.login(browser, client)
            #expect(try await auth.service.get(auth.path("alice"), token: tokens.access).status == 200)
            #expect(try await browser.get("/auth/account").body.contains("through Example Corp"))
            #expect(try await auth.audit("event=identity_linked").count == 1)
            // From now on it is the subject that counts, whatever the address.
            try await provider.person("0815", ["email": "other@example.org", "email_verified": false])
            let again = Browser(auth)
            #expect(try await provider.signIn(again, as: "0815").location == "/auth/account")
            #expect(try await again.get("/auth/account").body.contains("<strong>alice</strong>"))
            // The address was given to somebody else there: he does not get the account.
            try await provider.person("4711", ["email": "alice@example.org", "email_verified": true])
            let thief = Browser(auth)
            #expect(try await provider.signIn(thief, as: "4711").status == 403)
            #expect(thief.cookies["orrery-session"] == nil)
        }
    }

    @Test func othersAreNotLetIn() async throws {
        try await OIDCProvider.with { auth, provider in
            try await auth.person("alice", email: "alice@example.org")
            let people: [(String, [String: Any])] = [
                ("unverified", ["email": "alice@example.org", "email_verified": false]), ("silent", ["email": "alice@example.org"]),
                ("odd", ["email": "alice@example.org", "email_verified": 1]),
                ("nobody", ["email": "bob@example.org", "email_verified": true]),
                ("none", [:]), ("broken", ["email": "no address", "email_verified": true]),
            ]
            for (subject, claims) in people {
                try await provider.person(subject, claims)
                let browser = Browser(auth)
                #expect(try await provider.signIn(browser, as: subject).status == 403, "\(subject)")
                #expect(browser.cookies["orrery-session"] == nil)
            }
            #expect(try await auth.audit("event=sign_in_refused").count == people.count)
            #expect(try await auth.pool.query("SELECT 1 FROM identities").isEmpty)
        }
    }

    @Test func anAnswerIsOfOneUseAndOfOneBrowser() async throws {
        try await OIDCProvider.with { auth, provider in
            try await auth.person("alice", email: "alice@example.org")
            try await provider.person("1", ["email": "alice@example.org", "email_verified": true])
            func begin(_ browser: Browser) async throws -> String {
                try #require(try await browser.get("/auth/providers/corp?return_to=%2Fauth%2Faccount").location)
            }
            let (browser, other) = (Browser(auth), Browser(auth))
            _ = try await begin(other)
            let location = try await begin(browser)
            for part in ["code_challenge_method=S256", "nonce=", "state=", "response_type=code", "scope=openid%20email%20profile"] {
                #expect(location.contains(part))
            }
            let back = try await provider.answer(at: location, as: "1")
            // Another browser's answer, one without cookies, a state of nobody's.
            #expect(try await other.get(back).status == 400)
            #expect(try await Browser(auth).get(back).status == 400)
            #expect(try await browser.get(back.replacingOccurrences(of: "state=", with: "state=x")).status == 400)
            #expect(try await browser.get(back + "&iss=https%3A%2F%2Fevil.example").status == 400)
            let location2 = try await begin(browser)
            let back2 = try await provider.answer(at: location2, as: "1")
            #expect(try await browser.get(back2).status == 303)
            #expect(try await browser.get(back2).status == 400)
            // It took too long.
            let back3 = try await provider.answer(at: begin(browser), as: "1")
            try await auth.pool.execute("UPDATE brokered_sign_ins SET expires_at = now()")
            #expect(try await browser.get(back3).status == 400)
            // The provider refused; a code of its own making is worth nothing.
            let denied = try await browser.get(provider.answer(at: begin(browser), as: nil))
            #expect(denied.status == 403 || denied.status == 400)
            let state = try #require(URLComponents(string: try await begin(browser))?.queryItems?.first { $0.name == "state" }?.value)
            #expect(try await browser.get("/auth/providers/corp/callback?code=made-up&state=\(state)").status == 502)
            #expect(try await browser.get("/auth/providers/nobody?return_to=").status == 404)
            #expect(try await browser.get("/auth/providers/corp?return_to=https%3A%2F%2Fevil.example").status == 400)
        }
    }

    @Test func peopleMayBeLetInWithoutAnAccount() async throws {
        try await OIDCProvider.with(#""sign_up": true, "domains": ["example.org"]"#) { auth, provider in
            try await auth.users("alice")
            try await provider.person("1", ["email": "alice@example.org", "email_verified": true, "preferred_username": "Alice"])
            try await provider.person("2", ["email": "eve@example.net", "email_verified": true, "preferred_username": "eve"])
            let browser = Browser(auth)
            #expect(try await provider.signIn(browser, as: "1").status == 303)
            // The name was taken; nobody gets into another's account by choosing it elsewhere.
            let tokens = try await auth.login(browser)
            #expect(try await auth.service.get(auth.path("alice-2"), token: tokens.access).status == 200)
            #expect(try await auth.service.get(auth.path("alice"), token: tokens.access).status == 403)
            #expect(try await provider.signIn(Browser(auth), as: "1").status == 303)
            #expect(try await auth.pool.query("SELECT 1 FROM accounts").count == 1)
            #expect(try await provider.signIn(Browser(auth), as: "2").status == 403)
        }
    }

    @Test func aWrongSecretOfOursIsTheOperatorsMatter() async throws {
        try await OIDCProvider.with(secret: "not the registered one") { auth, provider in
            try await provider.person("1", ["email": "alice@example.org", "email_verified": true])
            let answer = try await provider.signIn(Browser(auth), as: "1")
            #expect(answer.status == 502 && !answer.body.contains("not the registered one"))
            #expect(auth.service.log.entries("A provider cannot be believed").count == 1)
        }
    }

    @Test func aProviderThatIsAwayIsToldOf() async throws {
        let settings = #"[{"id": "corp", "issuer": "http://127.0.0.1:9", "client_id": "x"}]"#
        try await Auth.with(["oidc.providers": settings]) { auth in
            let answer = try await Browser(auth).get("/auth/providers/corp")
            #expect(answer.status == 503 && answer.headers.first(name: "Retry-After") != nil && answer.body.contains("does not answer"))
            #expect(try await Browser(auth).get("/auth/sign-in").body.contains("Sign in with corp"))
        }
    }

    @Test(arguments: [
        "{}", #"[{"id":"x"}]"#, #"[{"id":"A b","issuer":"https://x","client_id":"c"}]"#, #"[{"id":"a","issuer":"no url","client_id":"c"}]"#,
        #"[{"id":"a","issuer":"https://x","client_id":"c","scopes":["email"]}]"#,
        #"[{"id":"a","issuer":"https://x","client_id":"c"},{"id":"a","issuer":"https://y","client_id":"c"}]"#,
    ]) func badListsOfProvidersStopTheStart(list: String) async throws {
        await #expect(throws: (any Error).self) { try await Auth.with(["oidc.providers": list]) { _ in } }
    }

    @Test func namesAreMadeOfWhatTheProviderTells() {
        #expect(AccountNames.candidates(name: "Ada.Lovelace@corp", email: "ada@x.org").prefix(2).map(\.text) == ["ada-lovelace", "ada"])
        #expect(AccountNames.candidates(name: nil, email: "J.--R@x.org").first?.text == "j-r")
        #expect(AccountNames.candidates(name: "李", email: "ab@x.org").isEmpty)
        #expect(AccountNames.candidates(name: String(repeating: "x", count: 40), email: "a@x.org").first?.text.count == 21)
    }
}
