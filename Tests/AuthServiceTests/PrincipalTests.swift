import Foundation
import Identity
import PlatformModel
import ServiceKit
import TestSupport
import Testing

@Suite(.serialized) struct PrincipalTests {
    @Test func rolesComeAndGo() async throws {
        try await Auth.with { auth in
            let tokens = try await auth.users("alice", "bob")
            #expect(try await auth.service.post("/api/v1/users", token: tokens[0], ["name": "alice/roles/x"]).status == 201)
            #expect(try await auth.service.get(auth.path("alice/roles/x"), token: tokens[0]).body == #"{"name":"alice/roles/x"}"#)
            #expect(try await auth.service.get("/api/v1/users/alice%3Aroles%3Ax", token: tokens[0]).status == 200)
            let again = try await auth.service.post("/api/v1/users", token: tokens[0], ["name": "alice/roles/x"])
            #expect(again.status == 409 && again.error?.contains("already exists") == true)
            #expect(try await auth.service.delete(auth.path("alice/roles/x"), token: tokens[1]).status == 403)
            #expect(try await auth.service.delete(auth.path("alice/roles/x"), token: tokens[0]).status == 204)
            for answer in [
                try await auth.service.delete(auth.path("alice/roles/x"), token: tokens[0]),
                try await auth.service.get(auth.path("alice/roles/x"), token: tokens[0]),
                try await auth.service.get(auth.path("alice/roles/x", "/permissions"), token: tokens[0]),
            ] {
                #expect(answer.status == 404 && answer.error == "user \"alice/roles/x\" was not found")
            }
        }
    }

    @Test func whoMayCreateWhat() async throws {
        try await Auth.with { auth in
            let alice = try await auth.users("alice")[0]
            func create(_ name: String, _ token: String) async throws -> Int {
                try await auth.service.post("/api/v1/users", token: token, ["name": name]).status
            }
            #expect(try await create("mallory", alice) == 403)
            #expect(try await create("bob/roles/x", alice) == 403)
            #expect(try await create("alicia/roles/x", alice) == 403)
            #expect(try await create("alice/manager", alice) == 403)
            #expect(try await create("alice/manager", auth.admin) == 201)
            #expect(try await create("nobody/roles/x", auth.admin) == 404)
            #expect(try await create("user", auth.admin) == 409)
            #expect(try await create("admin", auth.admin) == 409)
            for name in ["Alice", "a b", "a//b", "/a", "a/", ".", "a/../b", "a:b", ""] {
                #expect(try await create(name, auth.admin) == 400, "\(name)")
            }
            #expect(try await create("alice/service-accounts/test.name", alice) == 201)
            #expect(try await create("alice/service-accounts/test--name", alice) == 201)
            #expect(try await auth.service.get("/api/v1/users/alice:service-accounts:test--name", token: alice).status == 200)
        }
    }

    @Test func subrolesAreThoseBelowTheSlash() async throws {
        try await Auth.with { auth in
            let bob = try await auth.users("bob", "bobby", "bob/roles/a", "bobby/roles/b", "bob/roles/a/deep")[0]
            let answer = try await auth.service.get(auth.path("bob", "/subroles"), token: bob)
            #expect(answer.body == #"{"subroles":["bob/roles/a","bob/roles/a/deep"]}"#)
            #expect(try await auth.service.get(auth.path("bobby", "/subroles"), token: bob).status == 403)
            #expect(try await auth.service.get(auth.path("bob/roles/a/deep", "/subroles"), token: bob).body == #"{"subroles":[]}"#)
            // What is but the beginning of names need not be a principal.
            #expect(try await auth.service.get(auth.path("bob/roles", "/subroles"), token: bob).body == answer.body)
            #expect(try await auth.service.get(auth.path("bob/none", "/subroles"), token: bob).body == #"{"subroles":[]}"#)
            #expect(try await auth.service.get(auth.path("nobody/roles", "/subroles"), token: auth.admin).status == 404)
        }
    }

    @Test func deletionTakesEverythingAlong() async throws {
        try await Auth.with { auth in
            let tokens = try await auth.users("alice", "alice/roles/x", "alice/roles/x/y", "bob")
            try await auth.grant("job://c/p", "write", to: "alice/roles/x/y")
            try await auth.grant("role://alice/roles/x/y", "read", to: "bob")
            try await auth.grant("user://alice", "manage", to: "bob")
            #expect(try await auth.holds("job://c/p", "write", "bob"))
            #expect(try await auth.service.get("/api/v1/secured-ping", token: tokens[0]).status == 200)
            #expect(try await auth.service.delete(auth.path("alice"), token: auth.admin).status == 204)
            for token in tokens.prefix(3) { #expect(try await auth.service.get("/api/v1/secured-ping", token: token).status == 401) }
            #expect(try await !auth.holds("job://c/p", "write", "bob"))
            #expect(try await auth.permissions(of: "bob") == ["user://bob": "read", "role://bob": "manage"])
            // Whoever takes the names again starts with nothing: no members, no grants, no old tokens.
            try await auth.users("alice", "alice/roles/x", "alice/roles/x/y")
            #expect(try await !auth.holds("job://c/p", "read", "alice/roles/x/y"))
            #expect(try await !auth.holds("user://alice", "manage", "bob"))
            let old = try await auth.token("alice", issuedAt: Date() - 60)
            #expect(try await auth.service.get("/api/v1/secured-ping", token: old).status == 401)
            let new = try await auth.service.post(auth.path("alice", "/token"), token: auth.admin)
            let access = try #require(try new.object()["access_token"] as? String)
            #expect(try await auth.service.get("/api/v1/secured-ping", token: access).status == 200)
        }
    }

    @Test func thePlatformsOwnPrincipalsAreThere() async throws {
        try await Auth.with { auth in
            for name in ["compute", "cluster", "jobs-api", "admin-api", "config-api", "monitoring-api"] {
                let token = try await auth.token(name)
                #expect(try await auth.service.get(auth.path(name), token: token).status == 200)
                #expect(try await auth.service.delete(auth.path(name), token: auth.admin).status == 403)
            }
            #expect(try await !auth.holds("storage:", "manage", "cluster"))
            #expect(try await auth.permissions(of: "public") == ["user://public": "read", "role://public": "manage"])
            let compute = try await auth.token("compute")
            try await auth.users("alice")
            #expect(try await auth.missing([("job:", "read")], of: "alice", by: compute) == ["read job:"])
            #expect(try await auth.grant("token://c/job/1", "read", to: "alice", by: compute) == 201)
            #expect(try await auth.service.post(auth.path("alice", "/token"), token: compute).status == 200)
        }
    }
}
