import AsyncHTTPClient
import Foundation
import HTTPTypes
import NIOHTTP1
import PlatformModel
import TestSupport
import Testing
import WebSocket

@testable import IngressAuthService

/// The same through the genuine gateway, and what only it can show.
@Suite(.timeLimit(.minutes(10)))
struct TraefikTests {
    private struct Seen: Decodable {
        let path: String
        let method: String
        let cookie: String?
        let authorization: String?
    }

    @Test func visitorsOfJobs() async throws {
        try await Platform.run { (platform) async throws in
            try await withService(JobStandIn.self, settings: ["postgres.url": "none"]) { (job) async throws in
                try await Traefik.with(platform, job: job) { (traefik) async throws in
                    try await browsing(platform, traefik)
                    try await headers(platform, traefik)
                    try await failures(platform, traefik)
                    try await sockets(platform, traefik)
                    try await pages(platform, traefik)
                    try await certificates(platform, traefik)
                }
            }
        }
    }

    private func browsing(_ platform: Platform, _ traefik: Traefik) async throws {
        try platform.addJob("trainer")
        let url = "https://\(Traefik.jobHost)/lab/x?y=%2F1"
        let nobody = try await traefik.browser().open(url, headers: ["Accept": "*/*"])
        #expect(nobody.answer.status == 200 && nobody.host == "login.example.org", "\(nobody.way)")
        let alice = traefik.browser()
        _ = try await alice.open("https://login.example.org/idp/sign-in?user=alice")
        let visit = try await alice.open(url)
        #expect(visit.url == url && visit.answer.status == 200, "\(visit.way) \(visit.answer.body)")
        let seen = try visit.answer.json(Seen.self)
        #expect(seen.path == "/lab/x?y=%2F1" && seen.cookie == nil)
        #expect(try await alice.open(url).way == [url])
        #expect(try await alice.open(url, method: .HEAD).answer.status == 200)
        // A form of the page itself arrives; one of another job's page does not.
        var form = Browser.navigation
        form.replaceOrAdd(name: "Origin", value: "https://\(Traefik.jobHost)")
        #expect(try await alice.open(url, method: .POST, headers: form, body: "a=b").answer.json(Seen.self).method == "POST")
        form.replaceOrAdd(name: "Origin", value: "https://open.\(Platform.jobs)")
        #expect(try await alice.open(url, method: .POST, headers: form, body: "a=b").answer.status == 403)
        // Without a session a form is refused and not replayed.
        #expect(try await traefik.browser().open(url, method: .POST, headers: form, body: "a=b").answer.status == 401)
        #expect(try await traefik.send(.GET, url, ["Sec-Fetch-Mode": "cors"]).status == 401)
        let bob = traefik.browser()
        _ = try await bob.open("https://login.example.org/idp/sign-in?user=bob")
        let refused = try await bob.open(url)
        #expect(refused.answer.status == 403 && refused.answer.isPage && refused.url == url)
    }

    private func headers(_ platform: Platform, _ traefik: Traefik) async throws {
        let url = "https://\(Traefik.jobHost)/"
        let (alice, bob) = (try await platform.token("alice"), try await platform.token("bob"))
        // The token opens the door and stays outside; what is the job's own goes through.
        let seen = try await traefik.send(.GET, url, ["Cookie": "theme=dark; dat=\(alice); sid=1", "Authorization": "Bearer sk-123"])
        let cookies = try seen.json(Seen.self)
        #expect(cookies.cookie == "theme=dark; sid=1" && cookies.authorization == "Bearer sk-123")
        let bearer = try await traefik.send(.GET, url, ["Authorization": "Bearer \(alice)"]).json(Seen.self)
        #expect(bearer.authorization == nil && bearer.cookie == nil)
        #expect(try await traefik.send(.GET, url, ["Authorization": "Bearer garbage.e30.x", "Cookie": "dat=\(alice)"]).status == 200)
        // A visitor who says that he goes to another host.
        let own = try platform.addJob("own")
        try await platform.grant("job://default/acme/vision/\(own.id)", .read, to: "bob")
        let bobs: HTTPHeaders = ["Cookie": "dat=\(bob)"]
        try await eventually("bob's own job") { try await traefik.send(.GET, "https://\(platform.host(own))/", bobs).status == 200 }
        var forged = bobs
        for (name, value) in [
            ("X-Forwarded-Host", platform.host(own)), ("X-Forwarded-Uri", "/.apolo-sso"), ("X-Forwarded-Proto", "wss"),
            ("X-Forwarded-Method", "OPTIONS"),
        ] { forged.add(name: name, value: value) }
        let answer = try await traefik.send(.GET, url, forged)
        #expect(answer.status == 403, "\(answer.status)")
        // A job without auth asks nobody.
        let questions = platform.log.entries("request").count { $0["route"] as? String == "/oauth/authorize" }
        let open = try await traefik.send(.GET, "https://open.\(Platform.jobs)/", ["Cookie": "dat=x"])
        #expect(open.status == 200)
        #expect(platform.log.entries("request").count { $0["route"] as? String == "/oauth/authorize" } == questions)
    }

    private func failures(_ platform: Platform, _ traefik: Traefik) async throws {
        let alice: HTTPHeaders = ["Cookie": "dat=\(try await platform.token("alice"))"]
        // A container that does not listen yet, and one that fails: the waiting page, with the status that it had.
        try platform.addJob("dead")
        let dead = try await traefik.send(.GET, "https://dead--859b431f56.\(Platform.jobs)/x", alice)
        #expect(dead.status == 502 && dead.body.contains("Nothing answers here"), "\(dead.status)")
        #expect(try await traefik.send(.GET, "https://dead--859b431f56.\(Platform.jobs)/x").status == 302)
        let failing = try await traefik.send(.GET, "https://\(Traefik.jobHost)/fail", alice)
        #expect(failing.status == 500 && failing.body.contains("Nothing answers here"))
        let refusing = try await traefik.send(.GET, "https://\(Traefik.jobHost)/refuse", alice)
        #expect(refusing.status == 403 && refusing.body.contains("the job's own refusal"))
        // Nobody's host, and one whose guard is missing.
        let unknown = try await traefik.send(.GET, "https://job-1.jobs.nowhere.example.org/any/path", ["Cookie": "a=b"])
        #expect(unknown.status == 404 && unknown.body.contains("Nothing answers here"))
        let unguarded = try await traefik.send(.GET, "https://broken.\(Platform.jobs)/", alice)
        #expect(unguarded.status == 404 || unguarded.status == 403, "a router whose middleware is missing serves: \(unguarded.status)")
        #expect(!unguarded.body.contains(#""path""#))
        // Nothing can be found out.
        platform.neighbours.change { $0.failing = ["jobs-api"] }
        let fresh = try platform.addJob()
        let away = try await traefik.send(.GET, "https://\(platform.host(fresh))/", alice)
        #expect(away.status == 503 && away.body.contains("Nothing answers here"), "\(away.status)")
        platform.neighbours.change { $0.failing = [] }
    }

    private func sockets(_ platform: Platform, _ traefik: Traefik) async throws {
        let url = "ws://127.0.0.1:\(traefik.plainPort)/ws"
        func refusal(_ headers: HTTPFields) async throws -> Int? {
            do {
                try await WebSocketClient.connect(url: url, headers: headers) { _, _ in }
                return nil
            } catch let error as WebSocketHandshakeRefused {
                return Int(error.status)
            }
        }
        let alice = "dat=\(try await platform.token("alice"))"
        #expect(try await refusal([:]) == 401)
        #expect(try await refusal([.cookie: "dat=\(try await platform.token("bob"))"]) == 403)
        #expect(try await refusal([.cookie: alice, .origin: "https://open.\(Platform.jobs)"]) == 403)
        let echo = try await WebSocketClient.connect(
            url: url, headers: [.cookie: alice + "; theme=dark", .origin: "https://\(Traefik.jobHost)"]
        ) { session, _ in
            try await session.send(text: "hello")
            return try await session.inbound.first { _ in true }
        }
        #expect(echo == .text("hello, cookies: theme=dark"))
        try await revokedMeanwhile(platform, url)
        // With the session of a browser that signed in.
        let browser = traefik.browser()
        _ = try await browser.open("https://login.example.org/idp/sign-in?user=alice")
        _ = try await browser.open("https://\(Traefik.jobHost)/")
        let session = await browser.cookies(for: "https://\(Traefik.jobHost)/")
        #expect(session.hasPrefix("__Host-ia-s="))
        #expect(try await refusal([.cookie: session, .origin: "https://\(Traefik.jobHost)"]) == nil)
    }

    /// What is open stays open, what is asked for anew is refused.
    private func revokedMeanwhile(_ platform: Platform, _ url: String) async throws {
        let own = "job://default/acme/vision/trainer"
        try await platform.grant(own, .read, to: "carol")
        let headers: HTTPFields = [
            .cookie: "dat=\(try await platform.token("carol"))", .origin: "https://\(Traefik.jobHost)",
        ]
        @Sendable func refusal() async throws -> Int? {
            do {
                try await WebSocketClient.connect(url: url, headers: headers) { _, _ in }
                return nil
            } catch let error as WebSocketHandshakeRefused {
                return Int(error.status)
            }
        }
        try await eventually("carol may") { try await refusal() == nil }
        let last = try await WebSocketClient.connect(url: url, headers: headers) { session, _ in
            try await platform.revoke(own, from: "carol")
            try await eventually("carol may not") { try await refusal() == 403 }
            try await session.send(text: "still here")
            return try await session.inbound.first { _ in true }
        }
        #expect(last == .text("still here, cookies: none"))
    }

    /// S20: a certificate that nobody vouches for is not believed, by the client that makes all calls.
    private func certificates(_ platform: Platform, _ traefik: Traefik) async throws {
        let url = "https://127.0.0.1:\(traefik.securePort)/"
        await #expect(throws: (any Error).self) {
            try await platform.ingress.http.execute(HTTPClientRequest(url: url), timeout: .seconds(10))
        }
    }

    private func pages(_ platform: Platform, _ traefik: Traefik) async throws {
        let url = "https://grafana.default.org.example.org/d/1"
        let carol = traefik.browser()
        _ = try await carol.open("https://login.example.org/idp/sign-in?user=carol")
        let visit = try await carol.open(url)
        #expect(visit.answer.status == 200 && visit.url == url, "\(visit.way) \(visit.answer.body.suffix(200))")
        // The proxy gets the cookie that it needs.
        #expect(try visit.answer.json(Seen.self).cookie?.hasPrefix("dat=eyJ") == true)
        #expect(try await traefik.send(.GET, url, ["Cookie": "sat=x; dat=y"]).status == 302)
    }
}
