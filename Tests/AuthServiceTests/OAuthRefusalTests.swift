import Foundation
import Identity
import PlatformModel
import TestSupport
import Testing

@testable import AuthService

/// Every way in which a client's request is wrong.
@Suite struct OAuthRefusalTests {
    @Test func requestsThatLeadNowhere() async throws {
        try await Auth.with { auth in
            let browser = try await auth.person("alice")
            let client = TestClient()
            let addresses = [
                "http://localhost:54540", "http://127.0.0.1:54543", "http://127.0.0.1:54540/", "http://127.0.0.1:54540/x",
                "https://127.0.0.1:54540", "http://127.0.0.1:54540@evil.example", "http://evil.example", "HTTP://127.0.0.1:54540", "",
            ]
            for address in addresses {
                let answer = try await browser.get(client.authorize(["redirect_uri": address]))
                #expect(answer.status == 400 && answer.location == nil, "\(address)")
                #expect(answer.headers.first(name: "Content-Type")?.hasPrefix("text/html") == true)
            }
            for id in ["nobody", "", "Apolo-CLI"] {
                let answer = try await browser.get(client.authorize(["client_id": id]))
                #expect(answer.status == 400 && answer.location == nil, "\(id)")
            }
            #expect(try await browser.get(client.authorize(["client_id": nil])).status == 400)
            #expect(try await browser.get(client.authorize() + "&redirect_uri=http://evil.example").status == 400)
            for port in 54540...54542 {
                #expect(try await browser.get(client.authorize(["redirect_uri": "http://127.0.0.1:\(port)"])).status == 303)
            }
        }
    }

    @Test func requestsThatAreAnsweredToTheClient() async throws {
        try await Auth.with { auth in
            let browser = try await auth.person("alice")
            let client = TestClient()
            let cases: [([String: String?], String)] = [
                (["response_type": "token"], "unsupported_response_type"), (["response_type": nil], "unsupported_response_type"),
                (["code_challenge_method": "plain"], "invalid_request"), (["code_challenge_method": nil], "invalid_request"),
                (["code_challenge": nil], "invalid_request"), (["code_challenge": "short"], "invalid_request"),
                (["code_challenge": String(repeating: "+", count: 43)], "invalid_request"),
                (["audience": "https://other"], "invalid_target"),
                (["response_mode": "fragment"], "invalid_request"), (["request": "e30.e30."], "request_not_supported"),
                (["request_uri": "https://x"], "request_uri_not_supported"), (["prompt": "none login"], "invalid_request"),
                (["max_age": "-1"], "invalid_request"), (["nonce": String(repeating: "n", count: 600)], "invalid_request"),
            ]
            for (changes, error) in cases {
                let answer = try await browser.get(client.authorize(changes.merging(["state": "s"]) { first, _ in first }))
                #expect(answer.redirected("error") == error && answer.redirected("state") == "s", "\(changes)")
                #expect(answer.redirected("code") == nil && answer.location?.hasPrefix("http://127.0.0.1:54540?") == true)
            }
            let twice = try await browser.get(client.authorize() + "&scope=openid")
            #expect(twice.redirected("error") == "invalid_request")
        }
    }

    @Test func aCodeIsOfOneUseAndOfOneClient() async throws {
        try await Auth.with { auth in
            let browser = try await auth.person("alice")
            func code(_ client: TestClient) async throws -> String {
                try #require(try await browser.get(client.authorize()).redirected("code"))
            }
            let client = TestClient()
            let changes = [
                ["code_verifier": OpaqueToken.random().text], ["code_verifier": "short"], ["redirect_uri": "http://127.0.0.1:54541"],
                ["redirect_uri": "http://localhost:54540"],
            ]
            for change in changes {
                let code = try await code(client)
                let answer = try await auth.tokens(client.exchange(code, change))
                #expect(answer.status == 400 && answer.refusal == "invalid_grant", "\(change)")
                // Whoever guessed wrong has burnt it.
                #expect(try await auth.tokens(client.exchange(code)).refusal == "invalid_grant")
            }
            let used = try await code(client)
            let first = try await auth.tokens(client.exchange(used)).object()
            let refresh = try #require(first["refresh_token"] as? String)
            #expect(try await auth.refresh(refresh).status == 200)
            #expect(try await auth.tokens(client.exchange(used)).refusal == "invalid_grant")
            #expect(try await auth.refresh(refresh).refusal == "invalid_grant")
            #expect(try await auth.audit("event=code_reused").count == 1 + changes.count)
            let old = try await code(client)
            try await auth.pool.execute("UPDATE authorization_codes SET expires_at = now() WHERE hash = \(OpaqueToken(old).hash)")
            #expect(try await auth.tokens(client.exchange(old)).refusal == "invalid_grant")
            // Of many that come at once one succeeds, and what it got is taken back.
            let raced = try await code(client)
            let answers = try await withThrowingTaskGroup(of: TestAnswer.self) { group in
                for _ in 0..<6 { group.addTask { try await auth.tokens(client.exchange(raced)) } }
                return try await group.reduce(into: [TestAnswer]()) { $0.append($1) }
            }
            let won = answers.filter { $0.status == 200 }
            #expect(won.count == 1)
            #expect(try await auth.refresh(try #require(won[0].object()["refresh_token"] as? String)).status == 400)
        }
    }

    @Test func badRequestsForTokens() async throws {
        try await Auth.with { auth in
            let client = TestClient()
            let cases: [([String: String], Int, String)] = [
                ([:], 400, "invalid_request"), (["grant_type": "password"], 400, "unsupported_grant_type"),
                (["grant_type": "authorization_code"], 400, "invalid_request"),
                (["grant_type": "authorization_code", "client_id": "apolo-cli"], 400, "invalid_request"),
                (client.exchange(OpaqueToken.random().text), 400, "invalid_grant"),
                (client.exchange("x", ["client_id": "nobody"]), 401, "invalid_client"),
                (client.exchange("x", ["client_secret": "some secret"]), 401, "invalid_client"),
                (["grant_type": "refresh_token", "client_id": "apolo-cli", "refresh_token": ""], 400, "invalid_request"),
                (["grant_type": "refresh_token", "client_id": "apolo-cli", "refresh_token": "unknown"], 400, "invalid_grant"),
                (["grant_type": "client_credentials", "client_id": "apolo-cli"], 400, "unauthorized_client"),
            ]
            for (form, status, error) in cases {
                let answer = try await auth.tokens(form)
                #expect(answer.status == status && answer.refusal == error, "\(form): \(answer.body)")
                #expect(try answer.object()["error_description"] is String && answer.headers.first(name: "Cache-Control") == "no-store")
            }
            #expect(try await auth.form("/auth/token", "grant_type=refresh_token&grant_type=x").status == 400)
            #expect(try await auth.form("/auth/token", "{}", type: "text/plain").refusal == "invalid_request")
            #expect(try await auth.form("/auth/token", "[1]", type: "application/json").refusal == "invalid_request")
            #expect(try await auth.form("/auth/token", String(repeating: "a", count: 20_000)).status == 413)
            #expect(try await auth.service.get("/auth/token").status == 405)
        }
    }

    @Test func aRefreshTokenEndsWithItsPrincipal() async throws {
        try await Auth.with { auth in
            let alice = try await auth.login(auth.person("alice"))
            let bobsBrowser = try await auth.person("bob")
            let bob = try await auth.login(bobsBrowser)
            #expect(try await auth.refresh(alice.refresh, "orrery-web").refusal == "invalid_grant")
            #expect(try await auth.service.delete(auth.path("alice"), token: auth.admin).status == 204)
            #expect(try await auth.refresh(alice.refresh).refusal == "invalid_grant")
            #expect(try await auth.service.get("/api/v1/secured-ping", token: alice.access).status == 401)
            // Whoever takes the name gets nothing of the former holder's.
            try await auth.users("alice")
            #expect(try await auth.refresh(alice.refresh).refusal == "invalid_grant")
            #expect(try await auth.signIn(Browser(auth), "alice").status == 403)
            // Without `read` on itself nobody signs in, although the session and the password are there.
            try await auth.revoke("user://bob", from: "bob")
            #expect(try await auth.refresh(bob.refresh).refusal == "invalid_grant")
            #expect(try await bobsBrowser.get(TestClient().authorize()).location?.hasPrefix("/auth/sign-in") == true)
            #expect(try await auth.signIn(Browser(auth), "bob").status == 403)
            // One that nobody has used for a long time has ended too.
            let carol = try await auth.login(auth.person("carol"))
            try await auth.pool.execute("UPDATE refresh_tokens SET last_used_at = now() - interval '100 days'")
            #expect(try await auth.refresh(carol.refresh).refusal == "invalid_grant")
        }
    }

    @Test func machineClients() async throws {
        let secret = "a secret of a machine client"
        let clients =
            #"[{"id":"robot","secret":"\#(secret)","principal":"robot"},{"id":"web","secret":"\#(secret)","redirect_uris":["https://w.example/cb"]}]"#
        try await Auth.with(["oauth.clients": clients]) { auth in
            let body = [
                "grant_type": "client_credentials", "client_id": "robot", "client_secret": secret, "audience": OAuthSettings.localOrigin,
            ]
            #expect(try await auth.service.post("/auth/token", body).refusal == "invalid_grant")
            try await auth.users("robot")
            let answer = try await auth.service.post("/auth/token", body)
            #expect(answer.status == 200)
            let object = try answer.object()
            #expect(object["token_type"] as? String == "Bearer" && object["expires_in"] as? Int == 86_400 && object["refresh_token"] == nil)
            let token = try #require(object["access_token"] as? String)
            #expect(try await auth.service.get(auth.path("robot"), token: token).status == 200)
            for (key, value) in [("client_secret", "wrong"), ("client_id", "web"), ("client_id", "nobody"), ("audience", "https://other")] {
                let status = try await auth.service.post("/auth/token", body.merging([key: value]) { $1 }).status
                #expect(status == 400 || status == 401, "\(key)")
            }
            var basic = body
            basic["client_id"] = nil
            basic["client_secret"] = nil
            let pair = Data("robot:\(secret.formEscaped)".utf8).base64EncodedString()
            #expect(try await auth.tokens(basic, headers: ["Authorization": "Basic \(pair)"]).status == 200)
            let wrong = try await auth.tokens(basic, headers: ["Authorization": "Basic \(Data("robot:x".utf8).base64EncodedString())"])
            #expect(wrong.status == 401 && wrong.headers.first(name: "WWW-Authenticate")?.hasPrefix("Basic") == true)
            // A client with a secret needs secret and verifier.
            let browser = try await auth.person("alice")
            let web = TestClient(id: "web", redirectURI: "https://w.example/cb")
            let code = try #require(try await browser.get(web.authorize()).redirected("code"))
            #expect(try await auth.tokens(web.exchange(code)).refusal == "invalid_client")
            #expect(try await auth.tokens(web.exchange(code, ["client_secret": secret])).status == 200)
        }
    }

    @Test(arguments: [
        #"[{"id":"x","secret":"short"}]"#, #"[{"id":"x","principal":"p"}]"#, #"[{"id":"apolo-cli"}]"#, "{}",
        #"[{"id":"x","redirect_uris":["http://example.org/cb"]}]"#, #"[{"id":"x","redirect_uris":["javascript:alert(1)"]}]"#,
    ]) func badListsOfClientsStopTheStart(clients: String) async throws {
        await #expect(throws: (any Error).self) { try await Auth.with(["oauth.clients": clients]) { _ in } }
    }
}
