import Foundation
import Identity
import NIOHTTP1
import PlatformModel
import TestSupport
import Testing

@testable import AuthService

/// Passwords, invitations, and what keeps others out.
@Suite struct AccountTests {
    @Test func guessingIsSlowedDownForKnownAndUnknownAlike() async throws {
        try await Auth.with { auth in
            try await auth.person("alice")
            var said: [String: [String]] = [:]
            for name in ["alice", "nobody-at-all"] {
                for _ in 0..<7 {
                    let answer = try await auth.signIn(Browser(auth), name, "wrong password")
                    let alert = answer.body.firstMatch(of: /role="alert">([^<0-9]*)/).map { String($0.1) } ?? ""
                    said[name, default: []].append("\(answer.status) \(alert)")
                }
            }
            #expect(said["alice"] == said["nobody-at-all"])
            #expect(said["alice"]?.map { $0.prefix(3) } == ["403", "403", "403", "403", "403", "429", "429"])
            // Not even the right one is looked at.
            let locked = try await auth.signIn(Browser(auth), "Alice ")
            #expect(locked.status == 429 && Int(locked.headers.first(name: "Retry-After") ?? "") ?? 0 > 0)
            try await auth.pool.execute(
                "UPDATE sign_in_attempts SET blocked_until = now() - interval '1 second' WHERE key LIKE 'account:%'")
            #expect(try await auth.signIn(Browser(auth), "alice", "wrong password").status == 403)
            // Each further failure waits twice as long.
            let waits = try await auth.pool.query(
                "SELECT max(extract(epoch FROM blocked_until - now()))::int AS wait FROM sign_in_attempts WHERE blocked_until > now()")
            #expect((20...31).contains(try waits[0].get("wait", as: Int.self)))
            try await auth.pool.execute("UPDATE sign_in_attempts SET blocked_until = NULL")
            #expect(try await auth.signIn(Browser(auth), "alice").status == 303)
            #expect(try await auth.pool.query("SELECT 1 FROM sign_in_attempts WHERE key LIKE 'account:%' AND failures > 0").count == 1)
        }
    }

    @Test func aBurstIsCountedBeforeItIsCompared() async throws {
        try await Auth.with { auth in
            try await auth.person("alice")
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<20 {
                    let browser = Browser(auth)
                    let page = try await browser.get("/auth/sign-in")
                    let (fields, cookie) = (page.hiddenFields, browser.cookies.map { "\($0)=\($1)" }.joined())
                    group.addTask {
                        let form = fields.merging(["login": "alice", "password": "wrong password"]) { $1 }
                        return try await auth.form("/auth/sign-in", form.formEncoded, cookie: cookie).status
                    }
                }
                return try await group.reduce(into: [Int]()) { $0.append($1) }
            }
            #expect(statuses.filter { $0 == 403 }.count == 5 && statuses.filter { $0 == 429 }.count == 15, "\(statuses)")
        }
    }

    @Test func oneSourceMayNotTryThemAll() async throws {
        try await Auth.with { auth in
            let browser = Browser(auth)
            browser.headers = ["X-Forwarded-For": "6.6.6.6, 203.0.113.9"]
            var statuses: [Int] = []
            for number in 0..<32 { statuses.append(try await auth.signIn(browser, "user\(number)", "wrong password").status) }
            #expect(statuses.prefix(30).allSatisfy { $0 == 403 } && statuses.suffix(2) == [429, 429])
            // What a client writes in front of the proxy's word does not make it another; another source may try.
            browser.headers = ["X-Forwarded-For": "7.7.7.7, 203.0.113.9"]
            #expect(try await auth.signIn(browser, "user40", "wrong password").status == 429)
            browser.headers = ["X-Forwarded-For": "203.0.113.10"]
            #expect(try await auth.signIn(browser, "user40", "wrong password").status == 403)
        }
    }

    @Test func theTokenEndpointIsSlowedDownToo() async throws {
        try await Auth.with { auth in
            var last = TestAnswer(status: 0, headers: [:], data: Data())
            for _ in 0..<61 { last = try await auth.refresh("guess") }
            #expect(last.status == 429 && last.refusal == "slow_down" && last.headers.first(name: "Retry-After") != nil)
        }
    }

    @Test func formsBelongToTheirBrowser() async throws {
        try await Auth.with { auth in
            let browser = try await auth.person("alice")
            let page = try await browser.get("/auth/sign-in?again=true")
            let fields = page.hiddenFields.merging(["login": "alice", "password": Auth.password]) { $1 }
            #expect(try await auth.form("/auth/sign-in", fields.formEncoded).status == 400)
            let stranger = Browser(auth)
            _ = try await stranger.get("/auth/sign-in")
            #expect(try await stranger.post("/auth/sign-in", fields).status == 403)
            #expect(try await browser.post("/auth/sign-in", fields.merging(["form_token": ""]) { $1 }).status == 403)
            #expect(try await browser.post("/auth/sign-in", fields, headers: ["Sec-Fetch-Site": "cross-site"]).status == 403)
            #expect(try await browser.post("/auth/account/sign-out-everywhere", [:]).status == 403)
            #expect(try await browser.get("/auth/account").status == 200)
            #expect(try await browser.post("/auth/sign-in", fields, headers: ["Sec-Fetch-Site": "same-origin"]).status == 303)
        }
    }

    @Test func pagesLetNobodyFrameThemOrRunScripts() async throws {
        try await Auth.with { auth in
            let browser = try await auth.person("alice")
            let client = TestClient()
            let paths = [
                "/auth/sign-in?again=true", "/auth/account", "/auth/account/password", "/auth/show-code?code=\(OpaqueToken.random().text)",
                "/auth/show-code", "/auth/logout", "/auth/authorize", client.authorize(), "/auth/providers/none", "/auth/invitation",
            ]
            for path in paths {
                let answer = try await browser.get(path)
                let policy = answer.headers.first(name: "Content-Security-Policy") ?? ""
                #expect(policy.hasPrefix("default-src 'none'; style-src 'self'") && policy.contains("frame-ancestors 'none'"), "\(path)")
                #expect(
                    answer.headers.first(name: "X-Frame-Options") == "DENY" && answer.headers.first(name: "Cache-Control") == "no-store")
                #expect(!answer.body.contains("<script") && !answer.body.contains("style="))
            }
            for cookie in try await Browser(auth).get("/auth/sign-in").headers["Set-Cookie"] {
                #expect(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"))
            }
        }
    }

    @Test func clientsLeadOnToWhereTheyLike() async throws {
        try await Auth.with { auth in
            try await auth.person("alice")
            let web = TestClient(id: "orrery-web", redirectURI: OAuthSettings.localOrigin + "/oauth/callback", scope: "openid")
            for client in [TestClient(), web] {
                let browser = Browser(auth)
                let page = try await browser.get(try #require(try await browser.get(client.authorize(["state": "s"])).location))
                #expect(page.headers.first(name: "Content-Security-Policy")?.contains("form-action 'self';") == true)
                // That would hold on every redirect to come: the way on is a navigation of its own, and a link for who follows none.
                let entered = try await browser.submit(page, ["login": "alice", "password": Auth.password])
                let next = try #require(entered.location)
                #expect(entered.status == 200 && next.hasPrefix("/auth/authorize?") && browser.cookies["orrery-session"] != nil)
                #expect(entered.headers.first(name: "Cache-Control") == "no-store")
                #expect(entered.body.contains("<a href=\"\(next.replacingOccurrences(of: "&", with: "&amp;"))\">"))
                let answer = try await browser.get(next)
                #expect(answer.redirected("code") != nil && answer.redirected("state") == "s")
            }
        }
    }

    @Test func cookiesOfASecureOriginAreSecure() async throws {
        try await Auth.with(["public.url": "https://orrery.example"]) { auth in
            let answer = try await Browser(auth).get("/auth/sign-in")
            let cookie = try #require(answer.headers.first(name: "Set-Cookie"))
            #expect(cookie.hasPrefix("__Host-orrery-browser=") && cookie.contains("; Path=/;") && cookie.hasSuffix("; Secure"))
            #expect(!cookie.contains("Domain"))
        }
    }

    @Test(arguments: [
        "https://evil.example", "//evil.example", "/auth/authorize", "/api/v1/users", "/auth/authorize?client_id=x",
        "/auth/authorize?\\evil", "/auth/account?x", "javascript:alert(1)", "/auth/sign-in",
    ]) func signInLeadsNowhereElse(target: String) async throws {
        try await Auth.with { auth in
            let browser = Browser(auth)
            let answer = try await browser.get("/auth/sign-in?return_to=\(target.formEscaped)")
            #expect(answer.status == 400 && answer.location == nil)
            try await auth.person("alice")
            let page = try await browser.get("/auth/sign-in")
            let form = page.hiddenFields.merging(["login": "alice", "password": Auth.password, "return_to": target]) { $1 }
            let entered = try await browser.post("/auth/sign-in", form)
            #expect(entered.status == 400 && entered.location == nil && browser.cookies["orrery-session"] == nil)
        }
    }

    @Test func aChangedPasswordEndsWhatTheOldOneOpened() async throws {
        try await Auth.with { auth in
            let (browser, other) = (try await auth.person("alice", email: "alice@example.org"), Browser(auth))
            #expect(try await auth.signIn(other, "alice").status == 303)
            let tokens = try await auth.login(other)
            let new = "another good password"
            func change(_ old: String, _ new: String, _ repeated: String? = nil) async throws -> TestAnswer {
                let page = try await browser.get("/auth/account/password")
                return try await browser.submit(page, ["current": old, "password": new, "repeated": repeated ?? new])
            }
            for bad in ["short", "aaaaaaaaaaaaaa", "alice@example.org", String(repeating: "ab c", count: 100), "with a\u{7}bell inside"] {
                #expect(try await change(Auth.password, bad).status == 400, "\(bad)")
            }
            #expect(try await change(Auth.password, new, "something else").status == 400)
            #expect(try await change("wrong password", new).status == 403)
            #expect(try await auth.refresh(tokens.refresh).status == 200)
            let invitation = try await auth.invite("alice")
            let old = browser.cookies["orrery-session"]
            let changed = try await change(Auth.password, new)
            #expect(changed.status == 303 && browser.cookies["orrery-session"] != old)
            #expect(try await browser.get("/auth/account?changed").body.contains("password was changed"))
            #expect(try await other.get("/auth/account").status == 303)
            #expect(try await auth.refresh(tokens.refresh).status == 400)
            #expect(try await Browser(auth).get(invitation).status == 410)
            #expect(try await auth.signIn(Browser(auth), "alice").status == 403)
            #expect(try await auth.signIn(Browser(auth), "alice", new).status == 303)
        }
    }

    @Test func anInvitationWorksOnceAndForAWhile() async throws {
        try await Auth.with { auth in
            let tokens = try await auth.users("alice", "bob", "alice/roles/x")
            let passwords = ["password": Auth.password, "repeated": Auth.password]
            let (one, two) = (try await auth.invite("alice"), try await auth.invite("alice"))
            let browser = Browser(auth)
            let page = try await browser.get(one)
            #expect(page.body.contains("<strong>alice</strong>"))
            // Looking at it twice does not use it up; a bad password neither.
            #expect(try await browser.submit(browser.get(one), ["password": "short", "repeated": "short"]).status == 400)
            #expect(try await browser.submit(page, passwords).status == 303)
            #expect(try await browser.get("/auth/account").body.contains("<strong>alice</strong>"))
            for used in [one, two] {
                #expect(try await Browser(auth).get(used).status == 410)
                let again = Browser(auth)
                _ = try await again.get("/auth/sign-in")
                let token = SignInForm.token(for: OpaqueToken(try #require(again.cookies["orrery-browser"])))
                let form = ["form_token": token, "token": String(used.split(separator: "=").last ?? "")].merging(passwords) { $1 }
                #expect(try await again.post("/auth/invitation", form).status == 410)
            }
            let expired = try await auth.invite("bob")
            try await auth.pool.execute("UPDATE invitations SET expires_at = now()")
            #expect(try await browser.get(expired).status == 410)
            let withdrawn = try await auth.invite("bob")
            #expect(try await auth.service.delete(auth.path("bob", "/invitation"), token: auth.admin).status == 204)
            #expect(try await browser.get(withdrawn).status == 410)
            #expect(try await browser.get("/auth/invitation?token=guess").status == 410)
            // Who may invite whom.
            func status(_ name: String, _ token: String, _ body: [String: String] = [:]) async throws -> Int {
                try await auth.service.post(auth.path(name, "/invitation"), token: token, body).status
            }
            #expect(try await status("alice", tokens[0]) == 403)
            #expect(try await status("bob", tokens[0]) == 403)
            #expect(try await status("nobody", auth.admin) == 404)
            #expect(try await status("alice/roles/x", auth.admin) == 400)
            #expect(try await status("jobs-api", auth.admin) == 400)
            #expect(try await status("admin", auth.admin) == 201)
            #expect(try await status("bob", auth.admin, ["email": "no address"]) == 400)
            #expect(try await status("bob", auth.token("admin", uri: "token://c/job/1")) == 403)
            // A manager of one principal may not become another with more rights.
            try await auth.grant("user://bob", "manage", to: "alice")
            #expect(try await status("bob", tokens[0]) == 201)
            try await auth.grant("job://c", "read", to: "bob")
            #expect(try await status("bob", tokens[0]) == 403)
            #expect(try await auth.service.post(auth.path("bob", "/invitation"), token: auth.admin, ["expires_in": 5]).status == 400)
        }
    }

    @Test func addressesBelongToOneAccount() async throws {
        try await Auth.with { auth in
            try await auth.person("alice", email: "alice@example.org")
            try await auth.users("bob")
            let answer = try await auth.service.post(auth.path("bob", "/invitation"), token: auth.admin, ["email": "ALICE@example.org"])
            #expect(answer.status == 409)
            #expect(try await auth.service.put(auth.path("alice", "/account"), token: auth.admin, ["email": "a@example.net"]).status == 204)
            let summary = try await auth.service.get(auth.path("alice", "/account"), token: auth.admin).object()
            #expect(summary["email"] as? String == "a@example.net" && summary["has_password"] as? Bool == true)
            #expect(try await auth.service.get(auth.path("bob", "/account"), token: auth.admin).status == 404)
            #expect(try await auth.service.get(auth.path("alice", "/account"), token: auth.token("bob")).status == 403)
        }
    }

    @Test func nothingSecretIsStoredAsItIs() async throws {
        try await Auth.with { auth in
            let invitation = try await auth.invite("admin")
            let browser = try await auth.person("alice")
            let client = TestClient()
            let code = try #require(try await browser.get(client.authorize()).redirected("code"))
            let tokens = try await auth.login(browser)
            _ = try await auth.signIn(Browser(auth), "secret typed as a name", "wrong password")
            let secrets = [
                Auth.password, code, tokens.refresh, tokens.access, browser.cookies["orrery-session"] ?? "", "secret typed as a name",
                String(invitation.split(separator: "=").last ?? ""),
            ]
            let tables = try await auth.pool.query("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").map {
                try $0.get("tablename", as: String.self)
            }
            for table in tables {
                let rows = try await auth.pool.query("SELECT coalesce(string_agg(t::text, ' '), '') AS all FROM \(raw: table) t")
                let text: String = try rows[0].get("all")
                for secret in secrets { #expect(!secret.isEmpty && !text.contains(secret), "\(table)") }
            }
            let log = auth.service.log.lines.joined()
            for secret in secrets.dropLast(2) { #expect(!log.contains(secret)) }
            #expect(!log.contains(secrets[6]))
        }
    }

    @Test func recordsOfPasswordsKeepTheirParameters() async throws {
        let record = try PasswordRecord("pässword", .init(cost: 10, parallelism: 1))
        #expect(record.text.hasPrefix("$scrypt$ln=10,r=8,p=1$"))
        let read = try #require(PasswordRecord(text: record.text))
        // Composed or not, it is the same text.
        #expect(try read.matches("pa\u{308}ssword") && !read.matches("passwort"))
        for bad in ["", "x", "$scrypt$ln=10,r=8$a$b", "$scrypt$ln=99,r=8,p=1$AAAAAAAAAAAAAAAA$AAAA", "$argon2$x$y$z"] {
            #expect(PasswordRecord(text: bad) == nil)
        }
        // Stronger parameters take hold at the next sign-in.
        try await TestDatabase.with { database in
            try await Auth.with(["postgres.url": database.url]) { auth in
                try await auth.person("alice")
                try await Auth.with(["postgres.url": database.url, "password.cost": "11", "auth.signing-keys": auth.pem]) { later in
                    #expect(try await later.signIn(Browser(later), "alice").status == 303)
                    let stored = try await later.pool.query("SELECT password FROM accounts")
                    #expect(try stored[0].get("password", as: String.self).hasPrefix("$scrypt$ln=11,"))
                    #expect(try await later.signIn(Browser(later), "alice").status == 303)
                }
            }
        }
    }
}
