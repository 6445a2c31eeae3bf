import Foundation
import NIOHTTP1
import TestSupport
import Testing

@testable import IngressAuthService

/// Signing in at the genuine auth-api: its page, its codes, its tokens.
@Suite(.timeLimit(.minutes(10)))
struct GenuineSignInTests {
    /// The identity provider is auth-api itself, at its usual addresses.
    private static let settings = ["oauth.auth.url": "", "oauth.token.url": "", "oauth.logout.url": ""]
    private static let password = "correct horse battery"

    /// Fills in the form of a page and sends it.
    private func submit(_ browser: Browser, _ page: Browser.Visit, _ values: [String: String]) async throws -> Browser.Visit {
        let action = String(try #require(page.answer.body.firstMatch(of: /<form method="post" action="([^"]*)"/), "\(page.answer.body)").1)
        var form = values
        for field in page.answer.body.matches(of: /<input type="hidden" name="([^"]*)" value="([^"]*)">/) {
            form[String(field.1)] = Self.unescaped(field.2)
        }
        let body = form.map { "\($0)=\($1.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? "")" }.joined(separator: "&")
        let url = try #require(URL(string: Self.unescaped(action), relativeTo: URL(string: page.url))).absoluteString
        return try await browser.open(url, method: .POST, body: body)
    }

    private static func unescaped(_ text: some StringProtocol) -> String {
        String(text).replacing("&lt;", with: "<").replacing("&gt;", with: ">").replacing("&quot;", with: "\"").replacing("&#39;", with: "'")
            .replacing("&amp;", with: "&")
    }

    @Test func aPersonSignsInAndOut() async throws {
        try await Platform.run(Self.settings) { (platform) async throws in
            let admin = try await platform.token("admin")
            let invited = try await platform.auth.call(.POST, "/api/v1/users/alice/invitation", token: admin, body: [String: String]())
            #expect(invited.status == 201, "\(invited.body)")
            let first = platform.browser()
            let invitation = try await first.open(try #require(try invited.object()["url"] as? String))
            let account = try await submit(first, invitation, ["password": Self.password, "repeated": Self.password])
            #expect(account.answer.status == 200, "\(account.way) \(account.answer.body)")

            // Another browser, which nobody is signed in with.
            let url = "https://\(platform.namedHost(try platform.addJob("trainer")))/lab?x=1"
            let alice = platform.browser()
            let page = try await alice.open(url)
            #expect(page.answer.status == 200 && page.host == "api.org.example.org" && page.answer.body.contains("name=\"password\""))
            let wrong = try await submit(alice, page, ["login": "alice", "password": "wrong horse battery"])
            #expect(wrong.host == "api.org.example.org" && !wrong.answer.body.hasPrefix("job"))
            let again = try await alice.open(url)
            let visit = try await submit(alice, again, ["login": "alice", "password": Self.password])
            #expect(visit.url == url && visit.answer.body == "job /lab?x=1", "\(visit.way) \(visit.answer.status) \(visit.answer.body)")
            #expect(visit.way.allSatisfy { !$0.contains(".eyJ") })
            #expect(try await alice.open(url).way == [url])

            // The browser that took up the invitation is signed in there already: nothing is asked.
            #expect(try await first.open(url).answer.body == "job /lab?x=1")
            // As after `apolo login`.
            #expect(try await first.open("\(Platform.origin)/oauth/login").url == "\(Platform.origin)/oauth/signed-in")

            let form = try await alice.open("\(Platform.origin)/oauth/logout")
            let out = try await submit(alice, form, [:])
            #expect(out.answer.status == 200 && out.host == "api.org.example.org", "\(out.way) \(out.answer.body)")
            #expect(try await alice.open(url, headers: ["Sec-Fetch-Mode": "cors"]).answer.status == 401)
        }
    }
}
