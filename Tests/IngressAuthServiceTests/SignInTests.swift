import Foundation
import Identity
import NIOHTTP1
import PlatformModel
import ServiceKit
import TestSupport
import Testing

@testable import IngressAuthService

/// Signing in and back, with a browser's rules for cookies (ingress-auth.md 7, 8.3, 9).
@Suite(.timeLimit(.minutes(10)))
struct SignInTests {
    private func page(_ browser: Browser, _ url: String, status: Int = 200, _ comment: Comment? = nil) async throws -> Browser.Visit {
        let visit = try await browser.open(url)
        #expect(visit.answer.status == status, comment ?? "\(visit.way) \(visit.answer.body.suffix(300))")
        return visit
    }

    @Test func thereAndBackAgain() async throws {
        try await Platform.run { (platform) async throws in
            let url = "https://\(platform.namedHost(try platform.addJob("trainer")))/lab?x=1"
            let stranger = platform.browser()
            // The published client's test: it ends on the page of the identity provider.
            let visit = try await stranger.open(url, headers: ["Accept": "*/*"])
            #expect(visit.answer.status == 200 && visit.host == "login.example.org" && visit.answer.body == "please sign in")

            let alice = try await platform.browser(of: "alice")
            let first = try await page(alice, url)
            #expect(first.url == url && first.answer.body == "job /lab?x=1")
            let hosts = first.way.map { Browser.parts($0).host }
            let job = Browser.parts(url).host
            #expect(hosts == [job, "api.org.example.org", "login.example.org", "api.org.example.org", job, job])
            #expect(first.way.allSatisfy { !$0.contains(".eyJ") })
            let cookies = await alice.cookies.filter { $0.host != "login.example.org" }
            #expect(Set(cookies.map(\.name)) == ["__Host-ia-s", "__Host-ia", "__Host-ia-rounds"])
            #expect(cookies.allSatisfy { $0.isSecure && $0.isHidden && $0.sameSite == "Lax" })
            #expect(cookies.allSatisfy { !$0.value.contains(".eyJ") })
            // The job sees none of them.
            #expect(first.answer.headers["Cookie"].isEmpty)

            // Signed in, straight through; at another job without asking anybody to sign in.
            #expect(try await page(alice, url).way == [url])
            let logins = platform.neighbours.calls("identity provider")
            let other = try await page(alice, "https://\(platform.host(try platform.addJob()))/")
            #expect(other.way.count == 4 && other.answer.body == "job /")
            #expect(platform.neighbours.calls("identity provider") == logins)
        }
    }

    @Test func onlyOneOfManyIsLetIn() async throws {
        try await Platform.run { (platform) async throws in
            let url = "https://\(platform.host(try platform.addJob()))/"
            let bob = try await platform.browser(of: "bob")
            let refused = try await page(bob, url, status: 403)
            #expect(refused.answer.body.contains("<strong>bob</strong>"))
            let nobody = try await platform.browser(of: "mallory")
            let unknown = try await page(nobody, url, status: 403)
            #expect(Browser.parts(unknown.url).host == "api.org.example.org" && unknown.answer.body.contains("no account"))
            // Nobody's session came of it.
            #expect(await nobody.cookies.allSatisfy { $0.host == "login.example.org" || $0.name == "__Host-ia-n" })
        }
    }

    @Test func withoutAPageThatWaits() async throws {
        try await Platform.run { (platform) async throws in
            // The command line leaves the browser here after its own login.
            let alice = try await platform.browser(of: "alice")
            let visit = try await page(alice, "\(Platform.origin)/oauth/login")
            #expect(visit.url == "\(Platform.origin)/oauth/signed-in" && visit.answer.body.contains("You are signed in"))
            #expect(visit.answer.headers.first(name: "Strict-Transport-Security") != nil)
            #expect(await alice.cookies.contains { $0.name == "__Host-ia" })
            let logins = platform.neighbours.calls("identity provider")
            _ = try await page(alice, "https://\(platform.host(try platform.addJob()))/")
            #expect(platform.neighbours.calls("identity provider") == logins)
            // Now the browser is somebody else there.
            _ = try await alice.open("https://login.example.org/idp/sign-in?user=bob")
            _ = try await page(alice, "\(Platform.origin)/oauth/login")
            _ = try await page(alice, "https://\(platform.host(try platform.addJob()))/", status: 403)
        }
        try await Platform.run(["console.url": "https://console.example.org"]) { (platform) async throws in
            let alice = try await platform.browser(of: "alice")
            var visit = try await alice.open("\(Platform.origin)/oauth/login", follows: false)
            visit = try await alice.open(try #require(visit.answer.location), follows: false)
            visit = try await alice.open(try #require(visit.answer.location), follows: false)
            #expect(visit.answer.location == "https://console.example.org")
        }
    }

    @Test func lookingDoesNothing() async throws {
        try await Platform.run { (platform) async throws in
            let url = "https://\(platform.host(try platform.addJob()))/"
            let alice = try await platform.browser(of: "alice")
            _ = try await page(alice, url)
            await alice.forget("__Host-ia-s")
            let sent = try await alice.open(url, follows: false)
            let head = try await alice.open(try #require(sent.answer.location), method: .HEAD, follows: false)
            #expect(head.answer.status == 302 && head.answer.cookies.isEmpty)
            #expect(head.answer.location?.hasPrefix("https://login.example.org/idp/authorize?") == true)
            let login = try await platform.ingress.call(.POST, "/oauth/login")
            #expect(login.status == 405 && login.headers.first(name: "Allow") == "GET, HEAD")
            #expect(try await platform.ingress.call(.HEAD, "/oauth/callback?state=x&code=y").status == 405)
        }
    }

    @Test func returnTargetsAreOurOwn() async throws {
        try await Platform.run { (platform) async throws in
            let keys = try KeyRing(text: Platform.keys)
            let host = platform.host(try platform.addJob())
            func login(_ url: String, expires: Int = 600) async throws -> TestAnswer {
                let target = ReturnTarget(url: url, expires: Int(Date().timeIntervalSince1970) + expires, nonceHash: "h")
                return try await platform.ingress.get("/oauth/login?rd=\(try target.signed(with: keys))")
            }
            #expect(try await login("https://\(host)/x").status == 302)
            #expect(try await login("https://\(host)/x", expires: -1).status == 400)
            for url in [
                "https://evil.example/", "http://\(host)/", "https://\(host):8443/", "https://user@\(host)/", "https://\(host)",
                "//\(host)/",
                "https://\(host)//evil.example", "https://\(host)/\\evil", "https://\(host)/a b", "https://\(host)/\r\nX: y",
                "javascript:x",
                "https://\(host).evil.example/", "https://\(host)/.apolo-sso?ticket=x", "https://evil.example\\@\(host)/",
                "https://\(host)/#x",
                "https://\(host)@evil.example/", "https://evil.example/?https://\(host)/", "https:///\(host)/", "", "/x",
                "HTTPS://\(host)/",
            ] {
                let answer = try await login(url)
                #expect(answer.status == 400 && answer.location == nil && answer.isPage, "\(url): \(answer.status)")
            }
            let good = try ReturnTarget(url: "https://\(host)/", expires: .max, nonceHash: "h").signed(with: keys)
            for text in ["x", "", good + "x", good.replacing(".", with: ""), String(good.dropFirst())] {
                let answer = try await platform.ingress.get("/oauth/login?rd=\(text)")
                #expect(answer.status == 400 && answer.location == nil, "\(text)")
            }
            // A cluster that went away takes its hosts along.
            let rd = try ReturnTarget(url: "https://x.jobs.other.org.example.org/", expires: .max, nonceHash: "h").signed(with: keys)
            #expect(try await platform.ingress.get("/oauth/login?rd=\(rd)").status == 302)
            platform.neighbours.change { $0.clusters.removeAll { $0.name.text == "other" } }
            try await eventually("the cluster is forgotten") { try await platform.ingress.get("/oauth/login?rd=\(rd)").status == 400 }
        }
    }

    @Test func anAnswerBelongsToTheBrowserThatAsked() async throws {
        try await Platform.run { (platform) async throws in
            let url = "https://\(platform.host(try platform.addJob()))/"
            let alice = try await platform.browser(of: "alice")
            let first = try await alice.open(url, follows: false)
            let second = try await alice.open(try #require(first.answer.location), follows: false)
            let third = try await alice.open(try #require(second.answer.location), follows: false)
            let callback = try #require(third.answer.location)
            // In another browser: not its state.
            let mallory = platform.browser()
            #expect(try await mallory.open(callback, follows: false).answer.status == 400)
            // Wrong, missing and empty.
            for query in ["", "?code=x", "?state=&code=x", "?state=wrong&code=x", "?state=\(RandomText.make())&code=x"] {
                let answer = try await alice.open("\(Platform.origin)/oauth/callback\(query)", follows: false).answer
                #expect(answer.status == 400 && answer.location == nil && answer.isPage, "\(query)")
            }
            let kept = await alice.cookies
            let done = try await alice.open(callback, follows: false)
            #expect(done.answer.status == 302 && done.answer.location?.hasPrefix(url + ".apolo-sso?ticket=") == true)
            #expect(done.answer.headers.first(name: "Referrer-Policy") == "no-referrer")
            // Again: with the cookie gone, and by a client that kept it.
            #expect(try await alice.open(callback, follows: false).answer.status == 400)
            for cookie in kept where cookie.name.contains("-tx-") {
                await alice.plant("\(cookie.name)=\(cookie.value); Path=/; Secure", on: Platform.origin)
            }
            let again = try await alice.open(callback, follows: false).answer
            #expect(again.status == 400 && again.location == nil && again.body.contains("/oauth/login"))
            #expect(platform.neighbours.calls("token endpoint") == 1)
        }
    }

    @Test func aTicketIsGoodOnceForItsBrowserAndHost() async throws {
        try await Platform.run { (platform) async throws in
            let host = platform.host(try platform.addJob())
            let otherHost = platform.host(try platform.addJob())
            let alice = try await platform.browser(of: "alice")
            var visit = try await alice.open("https://\(host)/lab", follows: false)
            for _ in 0..<3 { visit = try await alice.open(try #require(visit.answer.location), follows: false) }
            let ticket = try #require(visit.answer.location)
            // Somebody who got hold of it, and another host: neither spends it.
            for attempt in [ticket, ticket.replacing(host, with: otherHost)] {
                let stolen = try await platform.browser().open(attempt, follows: false).answer
                #expect(stolen.status == 400 && stolen.location == nil && stolen.cookies.isEmpty && stolen.isPage)
            }
            for bad in ["", "?", "?ticket=", "?ticket=x", "?ticket=\(RandomText.make())", "/x?ticket=y", "?ticket=%zz"] {
                #expect(try await alice.open("https://\(host)/.apolo-sso\(bad)", follows: false).answer.status == 400, "\(bad)")
            }
            #expect(try await alice.open(ticket, method: .POST, follows: false).answer.status == 400)
            // At once, as a browser that retries: one of them has it.
            let question: HTTPHeaders = [
                "X-Forwarded-Host": host, "X-Forwarded-Uri": String(ticket.dropFirst("https://\(host)".count)),
                "Cookie": await alice.cookies(for: ticket),
            ]
            let answers = try await withThrowingTaskGroup(of: TestAnswer.self) { group in
                for _ in 0..<8 { group.addTask { try await platform.ingress.get("/oauth/authorize", headers: question) } }
                return try await group.reduce(into: [TestAnswer]()) { $0.append($1) }
            }
            let taken = answers.filter { $0.status == 302 }
            #expect(taken.count == 1 && answers.count { $0.status == 400 } == 7)
            let answer = try #require(taken.first)
            #expect(answer.location == "https://\(host)/lab")
            #expect(answer.cookies.contains { $0.hasPrefix("__Host-ia-n=;") && $0.contains("Max-Age=0") })
            let session = try #require(answer.cookies.first { $0.hasPrefix("__Host-ia-s=") })
            #expect(session.wholeMatch(of: /__Host-ia-s=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax; Secure/) != nil)
            // Reloaded by the browser that has the session now: back to its page.
            await alice.plant(session, on: "https://\(host)/")
            #expect(try await alice.open(ticket, follows: false).answer.location == "https://\(host)/lab")
            // The session is worth nothing on another host.
            let value = String(session.prefix { $0 != ";" })
            #expect(try await platform.ask(host, [cookie(value)]).status == 200)
            #expect(try await platform.ask(otherHost, [cookie(value)]).status == 302)
        }
    }

    @Test func twoTabsAtOnce() async throws {
        try await Platform.run { (platform) async throws in
            let host = platform.host(try platform.addJob())
            let alice = try await platform.browser(of: "alice")
            var one = try await alice.open("https://\(host)/one", follows: false)
            var two = try await alice.open("https://\(host)/two", follows: false)
            for _ in 0..<3 {
                one = try await alice.open(try #require(one.answer.location), follows: false)
                two = try await alice.open(try #require(two.answer.location), follows: false)
            }
            // Both are in, whichever comes last.
            #expect(try await page(alice, try #require(two.answer.location)).answer.body == "job /two")
            #expect(try await page(alice, try #require(one.answer.location)).answer.body == "job /one")
            // Sign-ins that nobody finished do not pile up.
            for _ in 0..<12 { _ = try await alice.open("\(Platform.origin)/oauth/login", follows: false) }
            #expect(await alice.cookies.count { $0.name.contains("-tx-") } <= Transaction.limit)
        }
    }

    @Test func aBrowserWithoutCookiesDoesNotGoRound() async throws {
        try await Platform.run { (platform) async throws in
            let url = "https://\(platform.host(try platform.addJob()))/"
            let alice = try await platform.browser(of: "alice")
            var last = try await page(alice, url)
            for _ in 0..<4 where last.answer.status == 200 {
                await alice.forget("__Host-ia-s")
                last = try await alice.open(url)
            }
            #expect(last.answer.status == 400 && last.answer.body.contains("keeps no cookie"))
            #expect(last.host == "api.org.example.org")
            // Blocked on the API host.
            let blocked = try await platform.browser(of: "alice")
            var visit = try await blocked.open(url, follows: false)
            for _ in 0..<2 { visit = try await blocked.open(try #require(visit.answer.location), follows: false) }
            await blocked.forgetAll()
            let lost = try await blocked.open(try #require(visit.answer.location), follows: false).answer
            #expect(lost.status == 400 && lost.location == nil && lost.body.contains("Cookies are blocked"))
        }
    }

    @Test func aFrameOfAnotherSite() async throws {
        try await Platform.run { (platform) async throws in
            let host = platform.host(try platform.addJob())
            let framed = [("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Dest", "iframe"), ("Sec-Fetch-Mode", "navigate")]
            let answer = try await platform.ask(host, "/lab?<x>", framed)
            #expect(answer.status == 401 && answer.isPage && answer.location == nil)
            #expect(answer.headers.first(name: "X-Frame-Options") == nil)
            let inside = try await platform.ask(host, "/lab", framed)
            #expect(inside.body.contains("href=\"https://\(host)/lab\" target=\"_blank\""))
            // In a frame of its own site it is sent on.
            #expect(try await platform.ask(host, [("Sec-Fetch-Site", "same-origin"), ("Sec-Fetch-Dest", "iframe")]).status == 302)
        }
    }

    @Test func theIdentityProviderSaysNo() async throws {
        try await Platform.run { (platform) async throws in
            let alice = try await platform.browser(of: "alice")
            for (error, status) in [("access_denied", 403), ("unauthorized", 403), ("server_error", 400)] {
                platform.neighbours.change { $0.refusal = (error, "not <b>you</b>") }
                let visit = try await page(alice, "\(Platform.origin)/oauth/login", status: status)
                #expect(visit.answer.body.contains("not &lt;b&gt;you&lt;/b&gt;") && visit.host == "api.org.example.org")
                #expect(await alice.cookies.allSatisfy { !$0.name.contains("-tx-") })
            }
            platform.neighbours.change { $0.refusal = nil }
            platform.neighbours.change { $0.failing = ["token endpoint"] }
            _ = try await page(alice, "\(Platform.origin)/oauth/login", status: 503)
            #expect(await alice.cookies.allSatisfy { $0.host == "login.example.org" })
        }
        // A code that it does not accept: this client's secret is wrong.
        try await Platform.run(["oauth.web.client.secret": "another"]) { (platform) async throws in
            let alice = try await platform.browser(of: "alice")
            _ = try await page(alice, "\(Platform.origin)/oauth/login", status: 400)
        }
    }

    @Test func sessionsEndWithTheirTokensAndAreRenewedSilently() async throws {
        try await Platform.run { (platform) async throws in
            let url = "https://\(platform.host(try platform.addJob()))/"
            platform.neighbours.change { $0.tokenLife = 10 }
            let alice = try await platform.browser(of: "alice")
            _ = try await page(alice, url)
            // A page that asks by itself is told, a visitor sent round.
            try await eventually("the session ends", within: .seconds(60)) {
                try await alice.open(url, headers: ["Sec-Fetch-Mode": "cors"], follows: false).answer.status == 401
            }
            platform.neighbours.change { $0.tokenLife = 3600 }
            let renewed = try await page(alice, url)
            #expect(renewed.answer.body == "job /" && renewed.way.contains { $0.contains("login.example.org") })
            // A deleted user's session is nobody's.
            try await platform.deleteUser("alice")
            try await eventually("a deleted user") {
                try await alice.open(url, headers: ["Sec-Fetch-Mode": "cors"], follows: false).answer.status == 401
            }
        }
    }

    @Test func signingOutEndsItEverywhere() async throws {
        try await Platform.run { (platform) async throws in
            let url = "https://\(platform.host(try platform.addJob()))/"
            let alice = try await platform.browser(of: "alice")
            _ = try await page(alice, url)
            let script: HTTPHeaders = ["Sec-Fetch-Mode": "cors"]
            #expect(try await alice.open(url, headers: script).answer.status == 200)
            let form = try await page(alice, "\(Platform.origin)/oauth/logout")
            #expect(form.answer.body.contains("method=\"post\""))
            #expect(
                form.answer.headers.first(name: "Content-Security-Policy")?.contains("form-action 'self' https://login.example.org") == true
            )
            let proof = try #require(form.answer.body.firstMatch(of: /name="proof" value="([\w-]+)"/)?.1)
            // Another site's page cannot: it does not know the proof, and one of its own is none.
            let other = try await platform.browser(of: "bob")
            _ = try await page(other, "\(Platform.origin)/oauth/login")
            let foreign = try #require(
                try await page(other, "\(Platform.origin)/oauth/logout").answer.body.firstMatch(of: /value="([\w-]+)"/)?.1)
            for body in [nil, "", "proof=", "proof=x", "proof=\(foreign)", "%zz"] {
                let refused = try await alice.open("\(Platform.origin)/oauth/logout", method: .POST, body: body, follows: false).answer
                #expect(refused.status == 403 && refused.location == nil && refused.cookies.isEmpty, "\(body ?? "nil")")
            }
            #expect(try await alice.open(url, headers: script).answer.status == 200)
            let out = try await alice.open("\(Platform.origin)/oauth/logout", method: .POST, body: "proof=\(proof)")
            #expect(out.answer.status == 200 && out.url == "\(Platform.origin)/oauth/logged-out", "\(out.way)")
            #expect(await alice.cookies.allSatisfy { $0.name == "__Host-ia-s" })
            // The job's session is over although its cookie is still there.
            #expect(try await alice.open(url, headers: script).answer.status == 401)
            #expect(try await page(alice, url).answer.body == "please sign in")
        }
    }

    @Test func theCodeForTheCommandLine() async throws {
        try await Platform.run { (platform) async throws in
            func show(_ query: String) async throws -> TestAnswer { try await platform.ingress.get("/oauth/show-code" + query) }
            let good = try await show("?code=abc.DEF_1~2-3")
            #expect(good.status == 200 && good.isPage && good.body.contains("<code>abc.DEF_1~2-3</code>") && good.cookies.isEmpty)
            for (name, value) in [
                ("Cache-Control", "no-store"), ("Referrer-Policy", "no-referrer"), ("X-Frame-Options", "DENY"),
                ("X-Content-Type-Options", "nosniff"),
            ] { #expect(good.headers.first(name: name) == value) }
            #expect(!good.body.contains("http://") && !good.body.contains("<script"))
            for bad in ["", "?code=", "?code=%3Cscript%3E", "?code=a%20b", "?code=\(String(repeating: "a", count: 1025))", "?code=%22"] {
                let answer = try await show(bad)
                #expect(answer.status == 400 && !answer.body.contains("<script>"), "\(bad)")
            }
            let error = try await show("?error=access_denied&error_description=%3Cscript%3Ealert(1)%3C/script%3E&code=abc")
            #expect(error.status == 403 && error.body.contains("&lt;script&gt;alert(1)") && !error.body.contains("abc"))
            #expect(try await platform.ingress.get("/ping").body == "Pong")
            #expect(try await platform.ingress.get("/api/v1/ping/ingress-auth").body == "Pong")
        }
    }

    @Test func theStoreHoldsNothingThatCouldBeUsed() async throws {
        try await Platform.run { (platform) async throws in
            let alice = try await platform.browser(of: "alice")
            _ = try await page(alice, "https://\(platform.host(try platform.addJob()))/")
            let redis = try await platform.ingress.assembly.context.redis()
            let prefix = try platform.ingress.assembly.context.settings.string("redis.prefix")
            let keys = try await redis.send("KEYS", ["\(prefix)ingress:*"]).array ?? []
            #expect(keys.count >= 4)
            var text = ""
            for key in keys.compactMap(\.string) {
                text += key + " " + (try await redis.send("GET", ["\(key)"]).string ?? "") + "\n"
                #expect(try await redis.send("TTL", ["\(key)"]).int ?? -1 > 0)
            }
            for secret in ["eyJ", "alice"] { #expect(!text.contains(secret)) }
            for cookie in await alice.cookies where cookie.host != "login.example.org" { #expect(!text.contains(cookie.value)) }
            // Emptied: signed in once more, nothing else.
            for key in keys.compactMap(\.string) { try await redis.send("DEL", ["\(key)"]) }
            let again = try await page(alice, "https://\(platform.host(try platform.addJob()))/")
            #expect(again.answer.body == "job /" && again.way.contains { $0.contains("login.example.org") })
        }
    }
}
