import AsyncHTTPClient
import Foundation
import Identity
import NIOHTTP1
import PlatformModel
import ServiceKit
import TestSupport
import Testing

@testable import IngressAuthService

/// What is left of ingress-auth.md 15 and 16 beside the other files; see README.md.
@Suite(.timeLimit(.minutes(10)))
struct EdgeTests {
    /// The issuer's clock and ours differ by a minute.
    @Test func clocksMayDiffer() async throws {
        try await Platform.run { (platform) async throws in
            let host = platform.host(try platform.addJob())
            for (ahead, status) in [(55.0, 200), (2, 200), (600, 302)] {
                let token = try await platform.signer.sign(TokenClaims(name: PrincipalName("alice"), issuedAt: Date() + ahead))
                #expect(try await platform.ask(host, [cookie("dat=\(token)")]).status == status, "\(ahead)")
            }
        }
    }

    /// A job without a name is known by its id alone.
    @Test func aJobWithoutAName() async throws {
        try await Platform.run { (platform) async throws in
            let job = try platform.addJob()
            let bob = [cookie("dat=\(try await platform.token("bob"))")]
            try await platform.grant("job://default/acme/vision/trainer", .manage, to: "bob")
            #expect(try await platform.ask(platform.host(job), bob).status == 403)
            try await platform.grant("job://default/acme/vision/\(job.id)", .read, to: "bob")
            try await eventually("its id is enough") { try await platform.ask(platform.host(job), bob).status == 200 }
            #expect(try await platform.ask("--\(job.orgProjectHash).\(Platform.jobs)", bob).status == 403)
        }
    }

    /// S22: what a token says counts once its signature was verified, and not before.
    @Test func anUnverifiedNameIsNobodys() async throws {
        try await Platform.run { (platform) async throws in
            let host = platform.host(try platform.addJob())
            let alice = try await platform.token("alice")
            #expect(try await platform.ask(host, [cookie("dat=\(alice)")]).status == 200)
            let stranger = try await TokenSigner(pem: TokenSigner.generatePEM())
            let parts = alice.split(separator: ".")
            let forged = [
                try await stranger.sign(TokenClaims(name: PrincipalName("alice"))), "\(parts[0]).\(parts[1]).AAAA",
                "eyJhbGciOiJub25lIn0.\(parts[1]).",
            ]
            let before = platform.log.entries("Decided").count { $0["principal"] as? String == "alice" }
            for token in forged {
                let page = try await platform.ask(host, [cookie("dat=\(token)"), ("Accept", "text/html")])
                #expect(page.status == 302 && !page.body.contains("alice"))
                #expect(try await platform.ask(host, [("Authorization", "Bearer \(token)")]).status == 401)
                let grafana = try await platform.ask("grafana.default.org.example.org", [cookie("dat=\(token)")])
                #expect(grafana.status == 302)
            }
            #expect(platform.log.entries("Decided").count { $0["principal"] as? String == "alice" } == before)
        }
    }

    /// 4.3: the gateway, and the visitor, are answered within a bound although a store does not.
    @Test func theAnswerDoesNotWaitForTheStore() async throws {
        let redis = try PrivateRedis()
        try redis.start()
        try await Platform.run(["redis.url": redis.url, "ingress.call.time": "1"]) { (platform) async throws in
            let host = platform.host(try platform.addJob())
            let session = cookie("__Host-ia-s=\(RandomText.make())")
            #expect(try await platform.ask(host, [session]).status == 302)
            redis.freeze()
            defer { redis.thaw() }
            let start = ContinuousClock.now
            let answer = try await platform.ask(host, [session])
            #expect(answer.status == 503 && answer.headers.first(name: "Retry-After") != nil)
            // Far below what the store's own limits would let it be.
            #expect(ContinuousClock.now - start < .seconds(5))
        }
    }
}
