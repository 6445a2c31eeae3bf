import Foundation
import PlatformModel
import ServiceKit
import TestSupport
import Testing

@testable import IngressAuthService

/// Pages of the platform, behind which proxies believe the token in a cookie (ingress-auth.md 8.4, S3).
@Suite(.timeLimit(.minutes(10)))
struct PlatformHostTests {
    private static let host = "grafana.default.org.example.org"

    @Test func theCookieThatCountsIsTheOneThatIsRead() async throws {
        try await Platform.run { (platform) async throws in
            let (alice, bob) = (try await platform.token("alice"), try await platform.token("bob"))
            func status(_ headers: (String, String)...) async throws -> Int { try await platform.ask(Self.host, headers).status }
            #expect(try await status(cookie("dat=\(alice)")) == 200)
            #expect(try await status(cookie("sat=\(bob)")) == 200)
            #expect(try await status(cookie("sat=; dat=\(alice)")) == 200)
            #expect(try await status(cookie("sat=\(bob); dat=\(alice)")) == 200)
            // Forged or stale in front of one that stands.
            #expect(try await status(cookie("sat=forged; dat=\(alice)")) == 302)
            #expect(try await status(cookie("sat=forged; dat=\(alice)"), ("Sec-Fetch-Mode", "cors")) == 401)
            // No other credential, and no fall-through.
            #expect(try await status(("Authorization", "Bearer \(alice)")) == 401)
            #expect(try await status(("Authorization", "Bearer \(alice)"), cookie("sat=forged")) == 401)
            #expect(try await status() == 302)
            for cookies in ["dat=\(alice); dat=\(bob)", "dat=\(alice); sat=x; sat=y", "dat=; dat=\(alice)"] {
                let page = try await platform.ask(Self.host, [cookie(cookies), ("Accept", "text/html")])
                #expect(page.status == 400 && page.isPage && page.body.contains("/oauth/login?rd="), "\(cookies)")
                #expect(try await status(cookie(cookies), ("Sec-Fetch-Mode", "cors")) == 400)
            }
            // The proxies need what they believe.
            let answer = try await platform.ask(Self.host, [cookie("dat=\(alice)")])
            #expect(answer.headers["Cookie"].isEmpty && answer.headers["Authorization"].isEmpty)
            #expect(try await platform.ask("metrics.default.org.example.org", [cookie("dat=\(alice)")]).status == 200)
            #expect(try await platform.ask("grafana.new.org.example.org", [cookie("dat=\(alice)")]).status == 403)
            #expect(
                try await status(cookie("dat=\(alice)"), ("Origin", "https://x.\(Platform.jobs)"), ("X-Forwarded-Method", "POST")) == 403)
        }
    }

    @Test func signingInGivesTheHostItsToken() async throws {
        try await Platform.run { (platform) async throws in
            let bob = try await platform.browser(of: "bob")
            let visit = try await bob.open("https://\(Self.host)/d/1?x=2")
            #expect(visit.answer.status == 200 && visit.answer.body == "job /d/1?x=2", "\(visit.way)")
            let cookies = await bob.cookies.filter { $0.host == Self.host }
            #expect(cookies.map(\.name) == ["dat"] && cookies.allSatisfy { $0.isSecure && $0.isHidden && $0.hasAge })
            // It is worth something there alone as far as the browser is concerned; jobs have sessions of their own.
            try await platform.grant("job://default/acme/vision", .read, to: "bob")
            let job = try await bob.open("https://\(platform.host(try platform.addJob()))/")
            #expect(job.answer.status == 200 && job.way.count == 4)
        }
    }
}
