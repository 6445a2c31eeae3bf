import Foundation
import NIOHTTP1
import PlatformModel
import TestSupport
import Testing

@testable import AuthService

@Suite struct ServiceAccountTests {
    private static let base = "/api/v1/service_accounts"

    private func body(_ name: String?) -> [String: String?] {
        ["name": name, "default_cluster": "default", "default_project": "vision", "default_org": nil]
    }

    @Test func anAccountSignsInUntilItIsDeleted() async throws {
        try await Auth.with { auth in
            let tokens = try await auth.users("alice", "bob")
            let made = try await auth.service.post(Self.base, token: tokens[0], body("test.name"))
            #expect(made.status == 201)
            let account = try made.object()
            #expect(account["role"] as? String == "alice/service-accounts/test.name" && account["owner"] as? String == "alice")
            #expect(account["role_deleted"] as? Bool == false && account["default_org"] is NSNull)
            let id = try #require(account["id"] as? String)
            #expect(id.hasPrefix("service-account-") && UUID(uuidString: String(id.dropFirst(16))) != nil)
            let text = try #require(account["token"] as? String)
            let blob = try #require(Data(base64Encoded: text))
            let passed = try #require(try JSONSerialization.jsonObject(with: blob) as? [String: Any])
            #expect(passed["cluster"] as? String == "default" && passed["project_name"] as? String == "vision")
            #expect(passed["url"] as? String == OAuthSettings.localOrigin + "/api/v1" && passed["org_name"] == nil)
            let token = try #require(passed["token"] as? String)
            #expect(try await auth.service.get(auth.path("alice/service-accounts/test.name"), token: token).status == 200)
            #expect(try await auth.service.get("/api/v1/users/alice%3Aservice-accounts%3Atest.name", token: token).status == 200)
            // It holds nothing but what it is given.
            #expect(
                try await auth.missing([("job://default/x", "read")], of: "alice/service-accounts/test.name") == ["read job://default/x"])
            for key in [id, "test.name"] {
                let found = try await auth.service.get("\(Self.base)/\(key)", token: tokens[0])
                #expect(try found.status == 200 && found.object()["token"] == nil)
                #expect(try await auth.service.get("\(Self.base)/\(key)", token: tokens[1]).status == 404)
                #expect(try await auth.service.delete("\(Self.base)/\(key)", token: tokens[1]).status == 404)
            }
            #expect(try await auth.service.get(Self.base, token: tokens[1]).body == "[]")
            let lines = try await auth.service.get(Self.base, token: tokens[0], headers: ["Accept": "application/x-ndjson"])
            #expect(lines.body.split(separator: "\n").count == 1 && lines.headers.first(name: "Content-Type") == "application/x-ndjson")
            #expect(try await auth.service.delete("\(Self.base)/test.name", token: tokens[0]).status == 204)
            #expect(try await auth.service.get("/api/v1/secured-ping", token: token).status == 401)
            #expect(try await auth.service.delete("\(Self.base)/test.name", token: tokens[0]).status == 404)
            // A later one of that name does not revive the token.
            #expect(try await auth.service.post(Self.base, token: tokens[0], body("test.name")).status == 201)
            #expect(try await auth.service.get("/api/v1/secured-ping", token: token).status == 401)
        }
    }

    @Test func namesAndFields() async throws {
        try await Auth.with { auth in
            let alice = try await auth.users("alice")[0]
            for name in ["test--name", "a", "a.b-c.d0"] {
                #expect(try await auth.service.post(Self.base, token: alice, body(name)).status == 201, "\(name)")
            }
            for name in ["test_name", "a..b", "-a", "a-", "", ".", "A", "a/b", "a:b", String(repeating: "a", count: 64)] {
                let answer = try await auth.service.post(Self.base, token: alice, body(name))
                #expect(answer.status == 400 && answer.error?.contains("Invalid service account name") == true, "\(name)")
            }
            for key in ["default_cluster", "default_project"] {
                var wish = body("x")
                wish.removeValue(forKey: key)
                let answer = try await auth.service.post(Self.base, token: alice, wish)
                #expect(answer.status == 400 && answer.error?.contains("Missing data for required field") == true)
            }
            #expect(try await auth.service.post(Self.base, token: alice, ["name": 5]).status == 400)
            let again = try await auth.service.post(Self.base, token: alice, body("a"))
            #expect(try again.status == 409 && again.object()["code"] as? String == "unique" && again.object()["description"] is String)
            // Any number without a name, each with a role of its own.
            for _ in 0..<2 {
                let role = try await auth.service.post(Self.base, token: alice, body(nil)).object()["role"] as? String
                #expect(role?.firstMatch(of: /^alice\/service-accounts\/[0-9a-f]{16}$/) != nil)
            }
            // The role was there before.
            #expect(try await auth.service.post("/api/v1/users", token: alice, ["name": "alice/service-accounts/taken"]).status == 201)
            #expect(try await auth.service.post(Self.base, token: alice, body("taken")).status == 409)
            #expect(try await auth.service.get(Self.base + "/taken", token: alice).status == 404)
        }
    }

    @Test func whoMay() async throws {
        try await Auth.with { auth in
            let alice = try await auth.users("alice")[0]
            #expect(try await auth.service.post(Self.base, body("x")).status == 401)
            try await auth.grant("token://c/job/1", "read", to: "alice")
            let bound = try await auth.token("alice", uri: "token://c/job/1", issuedAt: Date() + 2)
            #expect(try await auth.service.get(Self.base, token: bound).status == 200)
            #expect(try await auth.service.post(Self.base, token: bound, body("x")).status == 403)
            #expect(try await auth.service.post(Self.base, token: alice, body("x")).status == 201)
            #expect(try await auth.service.delete(Self.base + "/x", token: bound).status == 403)
            // The role is gone already: the account goes all the same; with its owner it goes by itself.
            #expect(try await auth.service.delete(auth.path("alice/service-accounts/x"), token: alice).status == 204)
            #expect(try await auth.service.delete(Self.base + "/x", token: alice).status == 204)
            #expect(try await auth.service.post(Self.base, token: alice, body("y")).status == 201)
            #expect(try await auth.service.delete(auth.path("alice"), token: auth.admin).status == 204)
            #expect(try await auth.service.get(Self.base, token: alice).status == 401)
            #expect(try await auth.pool.query("SELECT 1 FROM service_accounts").isEmpty)
        }
    }
}
