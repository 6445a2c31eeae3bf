import AsyncHTTPClient
import Crypto
import Foundation
import Identity
import NIOCore
import NIOHTTP1
import PlatformModel
import ServiceKit
import TestSupport
import Testing

@testable import AuthService

/// What is left of auth.md 16 and 17 beside the other files; see README.md.
@Suite(.serialized) struct EdgeTests {
    @Test func theLegacyUpdateIsNotThere() async throws {
        try await Auth.with { auth in
            let answer = try await auth.service.put(auth.path("admin"), token: auth.admin, ["email": "a@example.org"])
            let allowed = Set(
                (answer.headers.first(name: "Allow") ?? "").split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) })
            #expect(answer.status == 405 && allowed.isSuperset(of: ["GET", "DELETE"]) && !allowed.contains("PUT"))
        }
    }

    @Test func aWholeSchemeInEveryPlace() async throws {
        try await Auth.with { auth in
            let alice = try await auth.users("alice")[0]
            for uri in ["blob:", "blob://"] {
                let answer = try await auth.service.post(
                    auth.path("alice", "/permissions"), token: auth.admin, [["uri": uri, "action": "write"]])
                #expect(answer.status == 201 && answer.body == #"[{"action":"write","uri":"\#(uri)"}]"#)
                #expect(try await auth.missing([("blob:", "write"), ("blob://", "write"), ("blob://c/o", "write")], of: "alice") == [])
                #expect(try await auth.permissions(of: "alice", "?uri=\(uri)") == ["blob:": "write"])
                #expect(try await auth.tree("uri=\(uri)", of: "alice", by: alice).root == .init(action: .write))
                #expect(try await auth.revoke(uri == "blob:" ? "blob://" : "blob:", from: "alice").status == 204)
                #expect(try await !auth.holds("blob://c", "read", "alice"))
            }
        }
    }

    @Test func urisInQueriesAreReadAsForms() async throws {
        try await Auth.with { auth in
            try await auth.users("alice")
            func held(_ query: String) async throws -> [String: String] { try await auth.permissions(of: "alice", "?uri=" + query) }
            try await auth.grant("storage://c/o/a%2Bb", "read", to: "alice")
            try await auth.grant("storage://c/o/a%20b", "write", to: "alice")
            try await auth.grant("storage://c/o/ü&=;%23%3F%25", "read", to: "alice")
            // A plus is a space, as forms have it; one that is meant is escaped.
            #expect(try await Array(held("storage://c/o/a+b").values) == ["write"])
            #expect(try await Array(held("storage://c/o/a%20b").values) == ["write"])
            #expect(try await Array(held("storage%3A%2F%2Fc%2Fo%2Fa%2520b").values) == ["write"])
            #expect(try await Array(held("storage://c/o/a%2Bb").values) == ["read"])
            #expect(try await Array(held("storage://c/o/%C3%BC%26%3D;%2523%253F%2525").values) == ["read"])
            // Of repeated ones a revocation takes all.
            let query = "?uri=storage://c/o/a+b&uri=storage://c/o/a%2Bb&uri=storage://c/none"
            #expect(try await auth.service.delete(auth.path("alice", "/permissions" + query), token: auth.admin).status == 204)
            #expect(try await held("storage://c/o/a%2Bb").isEmpty)
            #expect(try await held("storage://c/o/a%20b").isEmpty)
        }
    }

    /// S13: one normaliser for all.
    @Test(arguments: [
        "job://c/../p", "job://c/./p", "job://c/a%2Fb", "job://c/a%00", "job://c/%0A", "job://c//p", "job:/c", "job:c", "job://c/a\u{7}",
        "job://%2e%2e/p",
    ])
    func whatIsRefusedSomewhereIsRefusedEverywhere(uri: String) async throws {
        try await Auth.with { auth in
            try await auth.users("alice")
            let body = [["uri": uri, "action": "read"]]
            let query = "?uri=" + (uri.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? "")
            let answers = [
                try await auth.service.post(auth.path("alice", "/permissions"), token: auth.admin, body),
                try await auth.service.put(auth.path("alice", "/permissions"), token: auth.admin, body),
                try await auth.service.post(auth.path("alice", "/permissions/check"), token: auth.admin, body),
                try await auth.service.delete(auth.path("alice", "/permissions" + query), token: auth.admin),
                try await auth.service.get(auth.path("alice", "/permissions" + query), token: auth.admin),
                try await auth.service.get(auth.path("alice", "/permissions/shared" + query), token: auth.admin),
                try await auth.service.get(auth.path("alice", "/permissions/tree" + query), token: auth.admin),
            ]
            for (place, answer) in answers.enumerated() { #expect(answer.status == 400 && answer.error != nil, "\(place): \(answer.body)") }
        }
    }

    @Test func bodiesHaveBounds() async throws {
        try await Auth.with(["tree.limit": "5"]) { auth in
            try await auth.users("alice")
            func post(_ rest: String, _ count: Int) async throws -> Int {
                let list = (0..<count).map { ["uri": "job://c/\($0)", "action": "read"] }
                return try await auth.service.post(auth.path("alice", rest), token: auth.admin, list).status
            }
            #expect(try await post("/permissions/check", 1_000) == 200)
            #expect(try await post("/permissions/check", 1_001) == 400)
            #expect(try await post("/permissions", 10_001) == 400)
            let large = [["uri": "job://c/" + String(repeating: "a", count: 1 << 20), "action": "read"]]
            #expect(try await auth.service.post(auth.path("alice", "/permissions/check"), token: auth.admin, large).status == 413)
            #expect(try await post("/permissions", 6) == 201)
            let tree = try await auth.service.get(auth.path("alice", "/permissions/tree?uri=job:"), token: auth.admin)
            #expect(tree.status == 400 && tree.error?.contains("more than 5 grants") == true)
            #expect(try await auth.tree("uri=job://c/3", of: "alice").root == .init(action: .read))
        }
    }

    @Test func bodiesOfAnotherShape() async throws {
        try await Auth.with { auth in
            try await auth.users("alice")
            let bodies = [
                "", "null", "{}", "\"x\"", "[1]", "[\"job:\"]", "[null]", "[[]]", "[{}]", #"[{"uri":"job:"}]"#, #"[{"action":"read"}]"#,
                #"[{"uri":1,"action":"read"}]"#, #"[{"uri":"job:","action":2}]"#, #"[{"uri":null,"action":"read"}]"#,
                #"[{"uri":["job:"],"action":"read"}]"#, #"{"uri":"job:","action":"read"}"#, #"[{"uri":"job:","action":"read"}"#,
                #"[{"uri":"job:","action":"read"}]x"#, #"[{"uri":"job:","action":"READ"}]"#, "[\u{fffd}",
            ]
            for body in bodies {
                for (method, rest) in [(HTTPMethod.POST, "/permissions/check"), (.POST, "/permissions"), (.PUT, "/permissions")] {
                    var request = HTTPClientRequest(url: auth.service.url + auth.path("alice", rest))
                    request.method = method
                    request.headers = ["Authorization": "Bearer \(auth.admin)", "Content-Type": "application/json"]
                    request.body = .bytes(ByteBuffer(string: body))
                    let answer = try await auth.service.call(request)
                    #expect(answer.status == 400 && answer.error != nil, "\(method) \(rest) \(body): \(answer.status) \(answer.body)")
                }
            }
            #expect(try await auth.permissions(of: "alice") == ["user://alice": "read", "role://alice": "manage"])
        }
    }

    /// S1, S2
    @Test func keysThatAreNoneStopTheStart() async throws {
        let pem = TokenSigner.generatePEM()
        let keys = ["", "secret", "changeme", "neuro", String(pem.dropLast(60)), P384.Signing.PrivateKey().pemRepresentation]
        for key in keys {
            await #expect(throws: (any Error).self, "\(key.prefix(40))") {
                try await withService(AuthService.self, settings: ["auth.signing-keys": key]) { _ in }
            }
        }
        // What is wrong above is the key and nothing else.
        try await withService(AuthService.self, settings: ["auth.signing-keys": pem]) { _ in }
    }

    /// S14: a walk through roles ends, however many there are.
    @Test func aChainOfManyRolesEnds() async throws {
        try await Auth.with { auth in
            try await auth.users("alice")
            // At once: nothing says that they changed.
            try await auth.pool.transaction { connection in
                try await connection.execute("INSERT INTO principals (name) SELECT 'r' || i FROM generate_series(0, 1500) AS i")
                try await connection.execute(
                    """
                    INSERT INTO grants (principal, uri, scheme, segments, action, role)
                    SELECT 'r' || i, 'role://r' || (i + 1), 'role', ARRAY['r' || (i + 1)], 2, 'r' || (i + 1) FROM generate_series(0, 1499) AS i
                    """)
                try await connection.execute(
                    """
                    INSERT INTO grants (principal, uri, scheme, segments, action)
                    SELECT 'r' || i, 'job://c/' || i, 'job', ARRAY['c', i::text], 2 FROM generate_series(0, 1500) AS i
                    """)
            }
            try await auth.grant("role://r0", "read", to: "alice")
            let asked = [("job://c/500", "read"), ("job://c/1500", "read")]
            #expect(try await auth.missing(asked, of: "alice") == ["read job://c/1500"])
            try await auth.waitForCopy()
            #expect(try await auth.missing(asked, of: "alice") == ["read job://c/1500"])
        }
    }

    /// S11
    @Test func namesCannotBeTriedOneAfterTheOther() async throws {
        try await Auth.with { auth in
            let tokens = try await auth.users("alice", "bob")
            try await auth.grant("job://c/alice", "manage", to: "alice")
            var statuses: [Int] = []
            for index in 0..<Int(RefusalLimit.burst) * 3 {
                statuses.append(try await auth.grant("job://c/alice", "read", to: "nobody\(index)", by: tokens[0]))
                if statuses.last == 429 { break }
            }
            #expect(Set(statuses) == [404, 429])
            // Known and unknown alike; others and administrators are not concerned.
            let answer = try await auth.service.post(
                auth.path("bob", "/permissions"), token: tokens[0], [["uri": "job://c/x", "action": "read"]])
            #expect(answer.status == 429 && answer.headers.first(name: "Retry-After") != nil)
            #expect(try await auth.grant("job://c/x", "read", to: "nobody", by: tokens[1]) == 404)
            for index in 0..<Int(RefusalLimit.burst) + 5 { #expect(try await auth.grant("job://c/x", "read", to: "no\(index)") == 404) }
        }
    }

    @Test func refusalsAreForgottenWithTime() throws {
        let limit = RefusalLimit()
        let start = ContinuousClock.now
        for _ in 0..<Int(RefusalLimit.burst) {
            try limit.admit("a", now: start)
            limit.refused("a", now: start)
        }
        #expect(throws: PlatformError.self) { try limit.admit("a", now: start) }
        try limit.admit("b", now: start)
        try limit.admit("a", now: start + .seconds(2))
    }

    /// S7: one name space.
    @Test func takenNamesAreTakenForAll() async throws {
        try await Auth.with { auth in
            try await auth.users("acme")
            for name in ["acme", "user", "public", "compute", "cluster", "ingress-auth"] + BuiltInPrincipals.services {
                #expect(try await auth.service.post("/api/v1/users", token: auth.admin, ["name": name]).status == 409, "\(name)")
            }
            let alice = try await auth.users("alice")[0]
            for name in ["alice/manager", "alice/admin", "alice/users", "alice/users/bob", "acme/roles/x"] {
                #expect(try await auth.service.post("/api/v1/users", token: alice, ["name": name]).status == 403, "\(name)")
            }
        }
    }

    /// S9: nobody gets by another what it does not hold itself.
    @Test func nobodyRaisesItself() async throws {
        try await Auth.with { auth in
            let alice = try await auth.users("alice", "alice/roles/x", "bob")[0]
            try await auth.grant("job://c/alice", "manage", to: "alice")
            func put(_ uri: String, _ name: String) async throws -> Int {
                try await auth.service.put(auth.path(name, "/permissions"), token: alice, [["uri": uri, "action": "read"]]).status
            }
            #expect(try await put("job://c/alice/j", "alice/roles/x") == 204)
            #expect(try await put("job://c/other", "alice/roles/x") == 403)
            #expect(try await put("job://c/alice", "bob") == 403)
            for name in ["alice", "bob", "admin"] {
                #expect(try await auth.service.post(auth.path(name, "/token"), token: alice).status == 403, "\(name)")
            }
            // Who manages a principal with more rights than its own does not become it.
            try await auth.grant("user://bob", "manage", to: "alice")
            #expect(try await auth.service.post(auth.path("bob", "/token"), token: alice).status == 200)
            try await auth.grant("job://c/secret", "read", to: "bob")
            #expect(try await auth.service.post(auth.path("bob", "/token"), token: alice).status == 403)
        }
    }

    /// S17: a token says what kind of caller it is for.
    @Test func tokensSayTheirKind() async throws {
        try await Auth.with { auth in
            let keys = try await auth.service.get("/.well-known/jwks.json").json(PublicKeySet.self)
            try await auth.users("cluster/default", "alice")
            func claims(_ name: String) async throws -> TokenClaims {
                let answer = try await auth.service.post(auth.path(name, "/token"), token: auth.admin)
                return try await TokenVerifier(keys: keys).verify(try #require(try answer.object()["access_token"] as? String))
            }
            let cluster = try await claims("cluster/default")
            #expect(cluster.kind == .cluster && cluster.cluster == "default")
            #expect(try await claims("jobs-api").kind == .controlPlane)
            #expect(try await claims("alice").kind == .user)
        }
    }

    /// Clocks of issuer and verifier may differ by a minute.
    @Test func clocksMayDiffer() async throws {
        try await Auth.with { auth in
            for (ahead, status) in [(55.0, 200), (-55, 200), (600, 401)] {
                let token = try await auth.token("admin", issuedAt: Date() + ahead)
                #expect(try await auth.service.get("/api/v1/secured-ping", token: token).status == status, "\(ahead)")
            }
        }
    }

    @Test func aTokenServesManyAtOnce() async throws {
        try await Auth.with { auth in
            let alice = try await auth.users("alice")[0]
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<40 { group.addTask { try await auth.service.get(auth.path("alice"), token: alice).status } }
                return try await group.reduce(into: Set<Int>()) { $0.insert($1) }
            }
            #expect(statuses == [200])
            #expect(try await auth.service.delete(auth.path("alice"), token: auth.admin).status == 204)
            #expect(try await auth.service.get(auth.path("alice"), token: alice).status == 401)
        }
    }

    /// Two processes of one client renew at once.
    @Test func oneRefreshTokenServesTwoAtOnce() async throws {
        try await Auth.with { auth in
            let login = try await auth.login(auth.person("alice"))
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<6 { group.addTask { try await auth.refresh(login.refresh).status } }
                return try await group.reduce(into: Set<Int>()) { $0.insert($1) }
            }
            #expect(statuses == [200])
            #expect(try await auth.refresh(login.refresh).status == 200)
        }
    }

    /// S12
    @Test func tokensAreNotLogged() async throws {
        try await Auth.with { auth in
            let alice = try await auth.users("alice")[0]
            let signature = try #require(alice.split(separator: ".").last)
            _ = try await auth.service.get("/api/v1/users/alice?neuro-auth-token=\(alice)")
            _ = try await auth.service.get("/api/v1/users/alice", headers: ["Sec-WebSocket-Protocol": "x, bearer.apolo.us-\(alice)"])
            _ = try await auth.service.get("/api/v1/users/alice", token: alice)
            let bad = try await auth.service.get("/api/v1/users/alice", token: alice + "x")
            #expect(bad.status == 401 && !bad.body.contains(signature))
            let issued = try await auth.service.post(auth.path("alice", "/token"), token: auth.admin).object()["access_token"] as? String
            let text = auth.service.log.lines.joined()
            #expect(text.contains("/api/v1/users/alice") && !text.contains(signature))
            #expect(!text.contains(try #require(issued?.split(separator: ".").last)))
        }
    }

    /// Section 8 and S20: for the console alone, never for whoever asks.
    @Test func pagesOfTheConsoleMayCallServiceAccounts() async throws {
        let console = "https://console.example.org"
        try await Auth.with(["console.origins": console]) { auth in
            let alice = try await auth.users("alice")[0]
            let base = "/api/v1/service_accounts"
            func call(_ method: HTTPMethod, _ path: String, _ origin: String, _ token: String? = alice) async throws -> TestAnswer {
                var headers: HTTPHeaders = ["Origin": origin, "Access-Control-Request-Method": "POST"]
                if let token { headers.add(name: "Authorization", value: "Bearer \(token)") }
                return try await auth.service.call(method, path, headers: headers)
            }
            let asked = try await call(.OPTIONS, base, console, nil)
            #expect(asked.status == 200 && asked.headers.first(name: "Access-Control-Allow-Origin") == console)
            #expect(asked.headers.first(name: "Access-Control-Allow-Credentials") == "true")
            #expect(asked.headers.first(name: "Access-Control-Allow-Methods") == "POST")
            #expect(try await call(.OPTIONS, base + "/x", console, nil).status == 403, "no POST there")
            let elsewhere = try await call(.OPTIONS, "/api/v1/users", console, nil)
            #expect(elsewhere.status == 405 && elsewhere.headers.first(name: "Access-Control-Allow-Origin") == nil)
            for (path, status) in [(base, 200), (base + "/none", 404)] {
                let answer = try await call(.GET, path, console)
                #expect(answer.status == status && answer.headers.first(name: "Access-Control-Allow-Origin") == console)
                #expect(answer.headers["Vary"].contains("Origin"))
            }
            for origin in ["https://evil.example", "null", console + ".evil.example", "http://console.example.org", "*", ""] {
                for method in [HTTPMethod.OPTIONS, .GET] {
                    let answer = try await call(method, base, origin)
                    #expect(answer.headers.first(name: "Access-Control-Allow-Origin") == nil, "\(origin)")
                    #expect(answer.headers.first(name: "Access-Control-Allow-Credentials") == nil, "\(origin)")
                }
            }
        }
        try await Auth.with { auth in
            let answer = try await auth.service.call(.OPTIONS, "/api/v1/service_accounts", headers: ["Origin": console])
            #expect(answer.status == 405 && answer.headers.first(name: "Access-Control-Allow-Origin") == nil)
        }
        await #expect(throws: (any Error).self) { try await Auth.with(["console.origins": "https://*.example.org"]) { _ in } }
    }
}
