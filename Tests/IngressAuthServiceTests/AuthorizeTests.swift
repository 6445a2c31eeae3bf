import Foundation
import HTTPTypes
import Identity
import NIOHTTP1
import PlatformClients
import PlatformModel
import ServiceKit
import TestSupport
import Testing

@testable import IngressAuthService

/// The gateway's question, with a genuine auth-api (ingress-auth.md 6, 14).
@Suite(.timeLimit(.minutes(10)))
struct AuthorizeTests {
    @Test func whoeverMayReadTheJobPasses() async throws {
        try await Platform.run { (platform) async throws in
            let job = try platform.addJob("trainer")
            let alice = try await platform.token("alice")
            for host in [platform.host(job), platform.namedHost(job), platform.host(job).uppercased() + ".:443"] {
                for header in [
                    ("Cookie", "dat=\(alice)"), ("Cookie", "sat=\(alice)"), ("Cookie", "dat=\"\(alice)\"  "),
                    ("Authorization", "Bearer \(alice)"),
                    ("Authorization", "Basic \(alice)"), ("Authorization", "Basic " + Data("token:\(alice)".utf8).base64EncodedString()),
                ] {
                    let answer = try await platform.ask(host, [header])
                    #expect(answer.status == 200 && answer.data.isEmpty, "\(host) \(header): \(answer.status) \(answer.body)")
                    #expect(answer.headers.first(name: "Cache-Control") == "no-store" && answer.location == nil && answer.cookies.isEmpty)
                    #expect(answer.headers.first(name: "Content-Length") == "0")
                }
            }
            // A job that waits, sleeps or has just ended is decided upon as any.
            for status in [JobStatus.pending, .suspended, .succeeded] {
                let other = try platform.addJob(status: status)
                #expect(try await platform.ask(platform.host(other), [cookie("dat=\(alice)")]).status == 200)
            }
        }
    }

    @Test func whoeverIsNotSignedInIsSentToSignInOrTold() async throws {
        try await Platform.run { (platform) async throws in
            let job = try platform.addJob()
            let host = platform.host(job)
            let expired = try await platform.token("alice", expires: Date() - 3600)
            for headers in [
                [], [cookie("dat=\(expired)")], [cookie("dat=garbage; dat=; sat=a.b.c")], [("Authorization", "Bearer sk-123")],
            ] {
                let answer = try await platform.ask(host, "/secret.txt?x=1", headers)
                #expect(answer.status == 302, "\(headers)")
                #expect(answer.location?.hasPrefix("\(Platform.origin)/oauth/login?rd=") == true)
                #expect(answer.headers.first(name: "Cache-Control") == "no-store")
                // No cookie of the visitor's is taken away, one of ours is given.
                #expect(answer.cookies.count == 1)
                #expect(
                    answer.cookies[0].wholeMatch(of: /__Host-ia-n=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax; Secure; Max-Age=600/) != nil)
            }
            #expect(try await platform.ask(host, method: "HEAD").status == 302)
            let refused: [[(String, String)]] = [
                [("X-Requested-With", "XMLHttpRequest")], [("Sec-Fetch-Mode", "cors"), ("Sec-Fetch-Dest", "empty")],
                [("Sec-Fetch-Mode", "no-cors"), ("X-Forwarded-Method", "HEAD")], [("Accept", "application/json")],
                [("Accept", "text/event-stream")], [("X-Forwarded-Method", "POST")], [("X-Forwarded-Method", "delete")],
                [("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="), ("Sec-WebSocket-Version", "13")], [("X-Forwarded-Proto", "wss")],
                [("Content-Type", "application/grpc"), ("X-Forwarded-Method", "POST")], [("Authorization", "Bearer \(expired)")],
            ]
            for headers in refused {
                let answer = try await platform.ask(host, headers)
                #expect(answer.status == 401 && answer.error == "Unauthorized", "\(headers)")
                #expect(answer.headers.first(name: "WWW-Authenticate") == "Bearer")
                #expect(answer.location == nil && answer.cookies.isEmpty && !answer.body.contains("rd="))
            }
            let script = try await platform.ask(host, refused[0]).object()["login_url"] as? String
            #expect(script == "\(Platform.origin)/oauth/login")
            // Nobody who is not signed in makes us ask anybody.
            #expect(platform.neighbours.calls("jobs-api") == 0)
        }
    }

    @Test func aTokenAndACookieTogether() async throws {
        try await Platform.run { (platform) async throws in
            let host = platform.host(try platform.addJob())
            let (alice, bob) = (try await platform.token("alice"), try await platform.token("bob"))
            let expired = try await platform.token("alice", expires: Date() - 3600)
            func status(_ headers: (String, String)...) async throws -> Int { try await platform.ask(host, headers).status }
            #expect(try await status(("Authorization", "Bearer \(expired)"), cookie("dat=\(alice)")) == 200)
            #expect(try await status(("Authorization", "Bearer sk-123"), cookie("dat=\(alice)")) == 200)
            #expect(try await status(("Authorization", "Bearer sk-123"), ("X-Forwarded-Method", "POST")) == 401)
            // A header that stands decides; of two headers neither does.
            #expect(try await status(("Authorization", "Bearer \(bob)"), cookie("dat=\(alice)")) == 403)
            #expect(
                try await status(("Authorization", "Bearer \(bob)"), ("Authorization", "Bearer \(bob)"), cookie("dat=\(alice)")) == 200)
            #expect(try await status(("Authorization", "Bearer \(alice)"), ("Authorization", "Bearer \(alice)")) == 302)
            // Of several cookies another host may have planted some.
            #expect(try await status(cookie("dat=x; dat=\(bob); dat=\(alice)")) == 200)
            #expect(try await status(cookie("dat=x"), cookie("sat=\(alice)")) == 200)
            #expect(try await status(cookie("dat=a; dat=b; dat=c; dat=d; dat=e; dat=\(alice)")) == 302)
            // Never from where the job would see it.
            #expect(try await platform.ask(host, "/?neuro-auth-token=\(alice)", []).status == 302)
            #expect(try await status(("Sec-WebSocket-Protocol", "bearer.apolo.us-\(alice)"), ("Sec-WebSocket-Key", "x")) == 401)
        }
    }

    @Test func permissionsAreThoseOfTheJob() async throws {
        try await Platform.run { (platform) async throws in
            let job = try platform.addJob("trainer")
            let other = try platform.addJob("other")
            func status(_ user: String, _ job: JobResponse) async throws -> Int {
                try await platform.ask(platform.host(job), [cookie("dat=\(try await platform.token(user))")]).status
            }
            #expect(try await status("bob", job) == 403)
            try await platform.grant("job://default/acme/vision/\(job.id)", .read, to: "bob")
            try await eventually("the grant is felt") { try await status("bob", job) == 200 }
            #expect(try await status("bob", other) == 403)
            try await platform.revoke("job://default/acme/vision/\(job.id)", from: "bob")
            try await eventually("the revoke is felt") { try await status("bob", job) == 403 }
            try await platform.grant("job://default/acme/vision/trainer", .read, to: "carol")
            try await eventually("the name is enough") { try await status("carol", job) == 200 }
            try await platform.grant("job://default/acme", .manage, to: "bob")
            try await eventually("the organization is enough") { try await status("bob", other) == 200 }
            // A service account, as the documentation shows it; and a token bound to something that is gone.
            let account = "alice/service-accounts/ci"
            #expect(try await status(account, job) == 403)
            try await platform.grant("job://default/acme/vision/\(job.id)", .read, to: account)
            try await eventually("the service account") { try await status(account, job) == 200 }
            let bound = try await platform.token("alice", uri: "token://default/job/\(job.id)")
            #expect(try await platform.ask(platform.host(job), [cookie("dat=\(bound)")]).status == 302)
            try await platform.grant("token://default/job/\(job.id)", .read, to: "alice")
            try await eventually("the job's own token") {
                try await platform.ask(platform.host(job), [cookie("dat=\(bound)")]).status == 200
            }
            try await platform.deleteUser("bob")
            try await eventually("a deleted user is nobody") { try await status("bob", other) == 302 }
            // The platform's own services visit nobody.
            let cluster = try await platform.token("cluster/default", kind: .cluster, cluster: "default")
            let service = try await platform.token("jobs-api", kind: .controlPlane)
            for token in [cluster, service] {
                #expect(try await platform.ask(platform.host(job), [("Authorization", "Bearer \(token)")]).status == 401)
            }
        }
    }

    @Test func whatIsNotThereLooksLikeWhatIsForbidden() async throws {
        try await Platform.run { (platform) async throws in
            let forbidden = platform.host(try platform.addJob())
            let bob = try await platform.token("bob")
            var seen: Set<String> = []
            for host in [
                forbidden, "\(JobID.random()).\(Platform.jobs)", "nothing--0123456789.\(Platform.jobs)", "x---y.\(Platform.jobs)",
                "a--b--c--0123456789.\(Platform.jobs)", "xn--johndoe.\(Platform.jobs)", "default.\(Platform.jobs)",
            ] {
                let answer = try await platform.ask(host, [cookie("dat=\(bob)"), ("Accept", "text/html")])
                #expect(answer.status == 403 && answer.isPage && answer.cookies.isEmpty && answer.location == nil, "\(host)")
                seen.insert(answer.body)
                #expect(try await platform.ask(host, [("Authorization", "Bearer \(bob)")]).body == #"{"error":"Forbidden"}"#)
            }
            #expect(seen.count == 1)
            #expect(seen.first?.contains("<strong>bob</strong>") == true && seen.first?.contains("/oauth/logout") == true)
            let page = try await platform.ask(forbidden, [cookie("dat=\(bob)"), ("Accept", "text/html")])
            #expect(page.headers.first(name: "Content-Security-Policy")?.contains("default-src 'none'") == true)
            #expect(page.headers.first(name: "Content-Security-Policy")?.contains("frame-ancestors 'none'") == true)
            #expect(
                page.headers.first(name: "X-Frame-Options") == "DENY" && page.headers.first(name: "X-Content-Type-Options") == "nosniff")
            #expect(!page.body.contains("<script") && page.headers.first(name: "Referrer-Policy") == "no-referrer")
        }
    }

    @Test func foreignAndMalformedHosts() async throws {
        try await Platform.run { (platform) async throws in
            let alice = try await platform.token("alice")
            for host in [
                "evil.example", "\(Platform.jobs).evil.example", "localhost", Platform.jobs, "a.b.\(Platform.jobs)", "api.org.example.org",
                "a.x\(Platform.jobs)", "x.grafana.default.org.example.org", "--hash.\(Platform.jobs)", "name--.\(Platform.jobs)",
                "\(String(repeating: "a", count: 64)).\(Platform.jobs)", "a_b.\(Platform.jobs)",
            ] {
                for headers in [[], [cookie("dat=\(alice)")], [("Sec-WebSocket-Key", "x")]] {
                    let answer = try await platform.ask(host, headers)
                    #expect(answer.status == 403 && answer.location == nil && answer.cookies.isEmpty, "\(host) \(headers)")
                    #expect(!answer.body.contains(host))
                }
            }
            for hosts in [
                [], ["a.\(Platform.jobs)", "b.\(Platform.jobs)"], ["a.\(Platform.jobs),b.\(Platform.jobs)"], ["127.0.0.1"], ["[::1]"],
            ] {
                var headers: HTTPHeaders = ["Cookie": "dat=\(alice)"]
                for host in hosts { headers.add(name: "X-Forwarded-Host", value: host) }
                let answer = try await platform.ingress.get("/oauth/authorize", headers: headers)
                #expect(answer.status == 400 && answer.location == nil && answer.cookies.isEmpty, "\(hosts)")
            }
            #expect(platform.neighbours.calls("jobs-api") == 0)
            #expect(try await platform.ingress.call(.POST, "/oauth/authorize").status == 405)
        }
    }

    @Test func theJobThatAnswersIsTheJobThatCounts() async throws {
        try await Platform.run { (platform) async throws in
            // A name is used again: an old job was shared, the new one was not.
            let old = try platform.addJob("trainer", status: .succeeded, age: 1000)
            let new = try platform.addJob("trainer", age: 10)
            try await platform.grant("job://default/acme/vision/\(old.id)", .read, to: "bob")
            let bob = [cookie("dat=\(try await platform.token("bob"))")]
            #expect(try await platform.ask(platform.namedHost(new), bob).status == 403)
            #expect(try await platform.ask(platform.host(old), bob).status == 200)
            // The same place in two clusters.
            let here = try platform.addJob("twin")
            let there = try platform.addJob("twin", cluster: "other")
            try await platform.grant("job://default/acme/vision/twin", .read, to: "bob")
            try await eventually("one of two clusters") { try await platform.ask(platform.namedHost(here), bob).status == 200 }
            #expect(try await platform.ask(platform.namedHost(there), bob).status == 403)
            // An id under another cluster's domain is no job there.
            #expect(try await platform.ask("\(here.id).jobs.other.org.example.org", bob).status == 403)
            // `ab` + `c` and `a` + `bc` have one host: either job may be the one that answers.
            let one = try platform.addJob("both", org: "ab", project: "c", age: 10)
            let two = try platform.addJob("both", org: "a", project: "bc", age: 20)
            #expect(platform.namedHost(one) == platform.namedHost(two))
            try await platform.grant("job://default/ab/c", .read, to: "bob")
            #expect(try await platform.ask(platform.namedHost(one), bob).status == 403)
            try await platform.grant("job://default/a/bc", .read, to: "bob")
            try await eventually("both") { try await platform.ask(platform.namedHost(one), bob).status == 200 }
            // Names that look like other things.
            let hex = try platform.addJob("a-0123456789")
            let alice = [cookie("dat=\(try await platform.token("alice"))")]
            #expect(try await platform.ask(platform.namedHost(hex), alice).status == 200)
            // Gone from the database while its ingress stands.
            platform.neighbours.change { $0.jobs.removeAll { $0.id == hex.id } }
            try await eventually("a forgotten job") { try await platform.ask(platform.namedHost(hex), alice).status == 403 }
        }
    }

    @Test func appsAreKnownByTheirZone() async throws {
        try await Platform.run { (platform) async throws in
            let id = UUID().uuidString.lowercased()
            platform.neighbours.change { state in
                state.apps = [
                    AppInstance(id: id, name: "my-shell", clusterName: "default", orgName: "acme", projectName: "vision"),
                    AppInstance(id: "1", name: "twice", clusterName: "default", orgName: "acme", projectName: "vision"),
                    AppInstance(id: "2", name: "twice", clusterName: "default", orgName: "acme", projectName: "vision"),
                    AppInstance(
                        id: "0", name: "elsewhere", clusterName: "other", orgName: "acme", projectName: "vision"),
                ]
            }
            let job = try platform.addJob("trainer")
            try await platform.grant("app://default/acme/vision", .read, to: "bob")
            try await platform.grant("app://other/acme/vision", .read, to: "bob")
            let bob = [cookie("dat=\(try await platform.token("bob"))")]
            for label in ["shell--\(id)", "shell--\(id)-grpc", "my-shell", "my-shell-grpc"] {
                #expect(try await platform.ask("\(label).\(Platform.apps)", bob).status == 200, "\(label)")
            }
            let asked = platform.neighbours.calls("jobs-api")
            for label in ["shell--\(UUID().uuidString.lowercased())", "twice", "elsewhere", "unknown", "trainer--\(job.orgProjectHash)"] {
                #expect(try await platform.ask("\(label).\(Platform.apps)", bob).status == 403, "\(label)")
            }
            #expect(platform.neighbours.calls("jobs-api") == asked)
            #expect(try await platform.ask("my-shell.\(Platform.apps)").status == 302)
        }
    }

    @Test func theVisitorsTokenDoesNotReachTheJob() async throws {
        try await Platform.run { (platform) async throws in
            let host = platform.host(try platform.addJob())
            let alice = try await platform.token("alice")
            let full = try await platform.ask(
                host,
                [
                    cookie("theme=dark; dat=\(alice); sat=old; __Host-ia-s=a; __Host-ia-n=b; ia-s=c; session=\"1\""), cookie("last=1"),
                    ("Authorization", "Basic " + Data("me:app-password".utf8).base64EncodedString()),
                ])
            #expect(full.status == 200 && full.headers["Cookie"] == ["theme=dark; session=\"1\"; last=1"])
            #expect(full.headers["Authorization"] == ["Basic " + Data("me:app-password".utf8).base64EncodedString()])
            let bare = try await platform.ask(host, [cookie("dat=\(alice)"), ("Authorization", "Bearer \(alice)")])
            #expect(bare.status == 200 && bare.headers["Cookie"].isEmpty && bare.headers["Authorization"].isEmpty)
            let hidden = try await platform.ask(
                host, [cookie("dat=\(alice)"), ("Authorization", "Basic " + Data("u:\(alice)".utf8).base64EncodedString())])
            #expect(hidden.status == 200 && hidden.headers["Authorization"].isEmpty)
        }
    }

    @Test func cookiesServeTheirOwnHost() async throws {
        try await Platform.run(["console.url": "https://console.example.org/"]) { (platform) async throws in
            let job = try platform.addJob("trainer")
            let host = platform.host(job)
            let alice = try await platform.token("alice")
            func status(_ origin: String, _ more: (String, String)..., header: Bool = false) async throws -> Int {
                let who = header ? ("Authorization", "Bearer \(alice)") : cookie("dat=\(alice)")
                return try await platform.ask(host, [who, ("Origin", origin)] + more).status
            }
            let foreign = [
                "https://x.\(Platform.jobs)", "https://evil.example", "null", "http://\(host)", "https://\(Platform.apps)", "garbage",
            ]
            for origin in foreign {
                #expect(try await status(origin, ("Sec-WebSocket-Key", "x")) == 403, "\(origin)")
                #expect(try await status(origin, ("X-Forwarded-Method", "POST")) == 403, "\(origin)")
                #expect(try await status(origin, ("X-Forwarded-Method", "options")) == 200)
                #expect(try await status(origin) == 200)
                #expect(try await status(origin, ("X-Forwarded-Method", "POST"), header: true) == 200)
            }
            for origin in ["https://\(host)", "https://\(host.uppercased()):443", "https://console.example.org", ""] {
                #expect(try await status(origin, ("Sec-WebSocket-Key", "x")) == 200, "\(origin)")
                #expect(try await status(origin, ("X-Forwarded-Method", "DELETE")) == 200, "\(origin)")
            }
            #expect(try await status("https://\(host)", ("Origin", "https://\(host)"), ("Sec-WebSocket-Key", "x")) == 403)
        }
        try await Platform.run(["ingress.cross.origin": "zone"]) { (platform) async throws in
            let host = platform.host(try platform.addJob())
            let alice = try await platform.token("alice")
            for (origin, expected) in [
                ("https://x.\(Platform.jobs)", 200), ("https://x.\(Platform.apps)", 200), ("https://x.jobs.other.org.example.org", 403),
                ("https://grafana.default.org.example.org", 403), ("https://evil.example", 403),
            ] {
                let answer = try await platform.ask(host, [cookie("dat=\(alice)"), ("Origin", origin), ("Sec-WebSocket-Key", "x")])
                #expect(answer.status == expected, "\(origin)")
            }
        }
    }

    @Test func whenNothingCanBeFoundOutNobodyPasses() async throws {
        try await Platform.run { (platform) async throws in
            let alice = try await platform.token("alice")
            platform.neighbours.change { $0.failing = ["jobs-api", "apps-api"] }
            for host in [platform.host(try platform.addJob()), "my-shell.\(Platform.apps)"] {
                let page = try await platform.ask(host, [cookie("dat=\(alice)"), ("Accept", "text/html")])
                #expect(page.status == 503 && page.isPage && page.headers.first(name: "Retry-After") != nil)
                let api = try await platform.ask(host, [("Authorization", "Bearer \(alice)")])
                #expect(api.status == 503 && api.error != nil && api.headers.first(name: "Retry-After") != nil)
            }
            platform.neighbours.change { $0.failing = [] }
            // Failures are not kept.
            #expect(try await platform.ask(platform.host(try platform.addJob()), [cookie("dat=\(alice)")]).status == 200)
        }
        // auth-api away.
        try await Platform.run(["ingress.call.time": "2"]) { (platform) async throws in
            let host = platform.host(try platform.addJob())
            let alice = try await platform.token("alice")
            try await eventually("alice passes") { try await platform.ask(host, [cookie("dat=\(alice)")]).status == 200 }
            platform.auth.assembly.shutDown()
            try await eventually("auth-api is away", within: .seconds(20)) {
                try await platform.ask(host, [cookie("dat=\(alice)")]).status == 503
            }
            #expect(try await platform.ask(host).status == 302)
        }
    }

    @Test func clustersComeAndGo() async throws {
        try await Platform.run { (platform) async throws in
            let alice = [cookie("dat=\(try await platform.token("alice"))")]
            let job = try platform.addJob(cluster: "new")
            try await platform.grant("job://new/acme/vision", .read, to: "alice")
            #expect(try await platform.ask(platform.host(job), alice).status == 403)
            platform.neighbours.change { state in state.clusters += [Platform.cluster("new")].compactMap { $0 } }
            try await eventually("the new cluster is known") { try await platform.ask(platform.host(job), alice).status == 200 }
            platform.neighbours.change { state in state.clusters.removeAll { $0.name.text == "new" } }
            try await eventually("it is forgotten") { try await platform.ask(platform.host(job), alice).status == 403 }
            let own = try platform.addJob()
            platform.neighbours.change { $0.failing = ["config-api"] }
            try await Task.sleep(for: .milliseconds(300))
            #expect(try await platform.ask(platform.host(own), alice).status == 200)
        }
    }

    @Test func manyAtOnceAreOneQuestion() async throws {
        try await Platform.run(["ingress.cache.time": "5"]) { (platform) async throws in
            let host = platform.host(try platform.addJob())
            let alice = try await platform.token("alice")
            let start = ContinuousClock.now
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for number in 0..<200 {
                    group.addTask { try await platform.ask(host, "/asset-\(number).js", [cookie("dat=\(alice)")]).status }
                }
                return try await group.reduce(into: Set()) { $0.insert($1) }
            }
            // One, and one more for each lifetime of the answer.
            let expected = 1 + Int((ContinuousClock.now - start) / .seconds(5))
            #expect(statuses == [200] && platform.neighbours.calls("jobs-api") <= expected)
        }
    }

    @Test func onePrincipalCannotAskForEver() async throws {
        try await Platform.run(["ingress.principal.rate": "2", "ingress.address.rate": "2", "ingress.trusted.proxies": "127.0.0.1"]) {
            (platform) async throws in
            let (alice, bob) = (try await platform.token("alice"), try await platform.token("bob"))
            /// What a hundred questions at once are answered with.
            func statuses(_ ask: @escaping @Sendable (Int) async throws -> TestAnswer) async throws -> Set<Int> {
                try await withThrowingTaskGroup(of: Int.self) { group in
                    for number in 0..<100 { group.addTask { try await ask(number).status } }
                    return try await group.reduce(into: Set()) { $0.insert($1) }
                }
            }
            @Sendable func guess() async throws -> TestAnswer {
                try await platform.ask("\(JobID.random()).\(Platform.jobs)", [("Authorization", "Bearer \(bob)")])
            }
            #expect(try await guess().status == 403)
            let guesses = try await statuses { _ in try await guess() }
            #expect(guesses.contains(429) && guesses.isSubset(of: [403, 429]))
            let job = platform.host(try platform.addJob())
            #expect(try await platform.ask(job, [cookie("dat=\(alice)")]).status == 200)
            // The gateway says who asks; what the visitor says of himself does not count.
            let visits = try await statuses { try await platform.ask(job, [("X-Forwarded-For", "10.0.0.\($0), 192.0.2.7")]) }
            #expect(visits.contains(429) && visits.isSubset(of: [302, 429]))
            #expect(try await platform.ask(job, [("X-Forwarded-For", "192.0.2.8")]).status == 302)
        }
    }

    @Test func largeAndOddRequests() async throws {
        try await Platform.run { (platform) async throws in
            let host = platform.host(try platform.addJob())
            let alice = try await platform.token("alice")
            let large = "big=" + String(repeating: "x", count: 64 << 10)
            let answer = try await platform.ask(host, [cookie("dat=\(alice); \(large)")])
            #expect(answer.status == 200 && answer.headers.first(name: "Cookie") == large)
            let conditional = try await platform.ask(
                host,
                [
                    cookie("dat=\(alice)"), ("If-None-Match", "*"), ("Range", "bytes=0-1"),
                    ("If-Modified-Since", "Thu, 01 Jan 2060 00:00:00 GMT"),
                ])
            #expect(conditional.status == 200)
            // A body that is announced and does not come.
            #expect(try await platform.ask(host, [cookie("dat=\(alice)"), ("Content-Type", "application/json")]).status == 200)
            // No Accept at all, as HTTP/1.0 clients; no protocol, no method, no URI.
            let bare = try await platform.ingress.get("/oauth/authorize", headers: ["X-Forwarded-Host": host])
            #expect(bare.status == 302)
            let huge = try await RawConnection.with(port: platform.ingress.port) { (connection) async throws in
                try await connection.send(
                    "GET /oauth/authorize HTTP/1.1\r\nHost: a\r\nX-Forwarded-Host: \(host)\r\nCookie: "
                        + String(repeating: "x", count: 200 << 10) + "\r\n\r\n")
                return try await connection.read(until: "\r\n")
            }
            #expect(huge?.hasPrefix("HTTP/1.1 431") == true, "\(huge ?? "")")
        }
    }

    @Test func nothingSecretIsLogged() async throws {
        try await Platform.run { (platform) async throws in
            let job = try platform.addJob()
            let alice = try await platform.token("alice")
            let host = platform.host(job)
            _ = try await platform.ask(host, [cookie("dat=\(alice)")])
            let redirect = try await platform.ask(host, "/secret-path", [cookie("dat=\(try await platform.token("bob"))")])
            #expect(redirect.status == 403)
            let sent = try await platform.ask(host, "/x")
            let login = try await platform.browser(of: "alice")
            _ = try await login.open(try #require(sent.location))
            _ = try await login.open("https://\(host)/lab")
            let state = "state-that-nobody-made"
            _ = try await platform.ingress.get("/oauth/callback?state=\(state)&code=code-of-somebody")
            let rd = try #require(sent.location?.components(separatedBy: "rd=").last)
            let text = platform.log.lines.joined()
            let cookies = await login.cookies
            for secret in [alice, rd, state, "code-of-somebody"] + cookies.map(\.value) where secret != "alice" {
                #expect(!text.contains(secret), "\(secret.prefix(12))…")
            }
            #expect(text.contains(#""decision":"forbidden""#) && text.contains(#""principal":"bob""#))
        }
    }
}

/// Waits for what is true a little later.
func eventually(_ what: String, within limit: Duration = .seconds(20), _ body: () async throws -> Bool) async throws {
    let deadline = ContinuousClock.now + limit
    while try await !body() {
        guard .now < deadline else {
            Issue.record("not within \(limit): \(what)")
            return
        }
        try await Task.sleep(for: .milliseconds(50))
    }
}
