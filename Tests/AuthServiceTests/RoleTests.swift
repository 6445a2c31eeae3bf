import Foundation
import Identity
import PlatformModel
import ServiceKit
import TestSupport
import Testing

@Suite(.serialized) struct RoleTests {
    @Test func membersHaveWhatTheRoleHasAndMayNotPassItOn() async throws {
        try await Auth.with { auth in
            let tokens = try await auth.users("alice", "alice/roles/x", "bob", "carol")
            try await auth.grant("job://c/p", "manage", to: "alice/roles/x")
            for action in ["read", "write"] {
                try await auth.grant("role://alice/roles/x", action, to: "bob")
                #expect(try await auth.holds("job://c/p/j", "manage", "bob"))
                #expect(try await auth.grant("role://alice/roles/x", "read", to: "carol", by: tokens[2]) == 403)
                #expect(try await auth.missing([("role://alice/roles/x", "manage")], of: "bob").count == 1)
            }
            // What is managed through a role counts for granting.
            #expect(try await auth.grant("job://c/p/j", "read", to: "carol", by: tokens[2]) == 201)
            try await auth.grant("role://alice/roles/x", "manage", to: "bob")
            #expect(try await auth.grant("role://alice/roles/x", "read", to: "carol", by: tokens[2]) == 201)
            #expect(
                try await auth.service.put(auth.path("alice/roles/x", "/permissions"), token: tokens[2], [[String: String]]()).status == 204
            )
            #expect(try await !auth.holds("job://c/p/j", "read", "bob"))
        }
    }

    @Test func administeringIsNotBeing() async throws {
        try await Auth.with { auth in
            let alice = try await auth.users("alice", "alice/roles/x")[0]
            try await auth.grant("job://c/p", "read", to: "alice/roles/x")
            #expect(try await auth.missing([("role://alice/roles/x", "manage")], of: "alice", by: alice) == [])
            #expect(try await auth.missing([("job://c/p", "read")], of: "alice", by: alice) == ["read job://c/p"])
        }
    }

    @Test func cyclesDiamondsAndGaps() async throws {
        try await Auth.with { auth in
            try await auth.users("u", "a", "b", "c", "d")
            for (from, to) in [("u", "a"), ("a", "b"), ("b", "a"), ("a", "c"), ("b", "d"), ("c", "d")] {
                #expect(try await auth.grant("role://\(to)", "read", to: from) == 201)
            }
            try await auth.grant("image://c/deep", "write", to: "d")
            #expect(try await auth.holds("image://c/deep", "write", "u"))
            #expect(try await auth.service.delete(auth.path("b"), token: auth.admin).status == 204)
            #expect(try await auth.holds("image://c/deep", "write", "u"))
            #expect(try await auth.service.delete(auth.path("c"), token: auth.admin).status == 204)
            #expect(try await !auth.holds("image://c/deep", "read", "u"))
            #expect(try await auth.permissions(of: "a")["role://c"] == nil)
            try await auth.users("c")
            try await auth.grant("role://d", "read", to: "c")
            #expect(try await !auth.holds("image://c/deep", "read", "u"))
        }
    }

    @Test func whatPublicHoldsEverybodyHolds() async throws {
        try await Auth.with { auth in
            try await auth.users("alice", "tools")
            try await auth.grant("image://c/tool", "read", to: "tools")
            try await auth.grant("role://tools", "read", to: "public")
            #expect(try await auth.holds("image://c/tool", "read", "alice"))
            #expect(try await auth.revoke("role://tools", from: "public").status == 204)
            #expect(try await !auth.holds("image://c/tool", "read", "alice"))
        }
    }

    @Test func replacementKeepsWhatIsImplicit() async throws {
        try await Auth.with { auth in
            let u = try await auth.users("alice")[0]
            try await auth.grant("job://c/a", "read", to: "alice")
            func put(_ permissions: [[String: String]], _ name: String = "alice") async throws -> Int {
                try await auth.service.put(auth.path(name, "/permissions"), token: auth.admin, permissions).status
            }
            #expect(try await put([["uri": "job://c/b", "action": "write"], ["uri": "user://alice", "action": "manage"]]) == 204)
            #expect(try await auth.permissions(of: "alice") == ["job://c/b": "write", "user://alice": "manage", "role://alice": "manage"])
            #expect(try await put([]) == 204)
            #expect(try await auth.permissions(of: "alice") == ["user://alice": "read", "role://alice": "manage"])
            #expect(try await auth.service.get("/api/v1/secured-ping", token: u).status == 200)
            #expect(try await put([], "nobody") == 404)
            #expect(try await put([["uri": "job://c/b", "action": "list"]]) == 400)
        }
    }

    @Test func grantsNeverLower() async throws {
        try await Auth.with { auth in
            try await auth.users("alice")
            func action(_ action: String) async throws -> String {
                try await auth.service.post(
                    auth.path("alice", "/permissions"), token: auth.admin, [["uri": "storage://c/o/p/x/", "action": action]]
                ).body
            }
            #expect(try await action("write") == #"[{"action":"write","uri":"storage://c/o/p/x/"}]"#)
            #expect(try await action("read") == #"[{"action":"write","uri":"storage://c/o/p/x/"}]"#)
            #expect(try await action("write") == #"[{"action":"write","uri":"storage://c/o/p/x/"}]"#)
            #expect(try await action("manage") == #"[{"action":"manage","uri":"storage://c/o/p/x/"}]"#)
            #expect(try await auth.revoke("storage://c/o/p/x", from: "alice").status == 204)
        }
    }

    @Test func uriEdges() async throws {
        try await Auth.with { auth in
            try await auth.users("alice")
            try await auth.grant("storage://default/acme", "read", to: "alice")
            try await auth.grant("cluster://DEFAULT", "read", to: "alice")
            try await auth.grant("storage://c/o/with%20space/%C3%A9", "write", to: "alice")
            try await auth.grant("blob:", "read", to: "alice")
            let asked = [
                ("storage://default/acme/vision/x", "read"), ("storage://default/acme2", "read"), ("storage://default", "read"),
                ("storage://default", "list"), ("storage://default/acme/", "read"), ("storage://default/acme", "list"),
                ("cluster://default/access", "read"), ("storage://c/o/with space/é/file", "write"), ("storage://c/o/with+space", "read"),
                ("blob://any/where", "read"), ("blob:", "read"), ("blob:", "write"), ("storage://default/Acme", "read"),
            ]
            let expected = [
                "read storage://default/acme2", "read storage://default", "list storage://default", "read storage://c/o/with+space",
                "write blob:", "read storage://default/Acme",
            ]
            #expect(try await auth.missing(asked, of: "alice") == expected)
            #expect(try await auth.missing(asked + asked, of: "alice") == expected + expected)
            let many = (0..<600).map { ("job://c/o/p/job-\($0)", "read") }
            #expect(try await auth.missing(many, of: "alice").count == 600)
            #expect(try await auth.missing(many, of: "admin").isEmpty)
            let query = "?uri=storage://c/o/with+space/%C3%A9"
            #expect(try await auth.permissions(of: "alice", query) == ["storage://c/o/with space/é": "write"])
        }
    }
}
