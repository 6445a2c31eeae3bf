import Foundation
import Identity
import PlatformModel
import ServiceKit
import TestSupport
import Testing

/// The behaviour that was seen of the original server, one test a line or a few.
@Suite(.serialized) struct VectorTests {
    @Test func aNewUserReadsItselfAndTheAdminManagesEverything() async throws {
        try await Auth.with { auth in
            let u = try await auth.users("alice")[0]
            #expect(try await auth.missing([("user://alice", "read")], of: "alice", by: u) == [])
            #expect(try await auth.missing([("user:", "manage")], of: "alice", by: u) == ["manage user:"])
            #expect(try await auth.missing([("user:", "manage")], of: "admin") == [])
            #expect(try await auth.grant("user:", "manage", to: "alice") == 201)
            #expect(try await auth.missing([("user:", "manage"), ("user://bob", "manage")], of: "alice", by: u) == [])
            #expect(try await auth.missing([("storage://any/thing", "read")], of: "alice", by: u) == ["read storage://any/thing"])
            for scheme in ResourceScheme.allCases {
                #expect(try await auth.holds("\(scheme.rawValue)://x/y", "manage", "admin"))
            }
        }
    }

    @Test func nobodyAsksAboutAnother() async throws {
        try await Auth.with { auth in
            let u = try await auth.users("alice", "alicia")[0]
            for name in ["admin", "alicia", "nobody-there"] {
                let answer = try await auth.service.post(
                    auth.path(name, "/permissions/check"), token: u, [["uri": "job:", "action": "read"]])
                #expect(answer.status == 403 && !answer.body.contains("missing"))
                #expect(try await auth.service.get(auth.path(name), token: u).status == 403)
                #expect(try await auth.service.get(auth.path(name, "/permissions"), token: u).status == 403)
                #expect(try await auth.service.get(auth.path(name, "/permissions/shared"), token: u).status == 403)
                #expect(try await auth.service.get(auth.path(name, "/subroles"), token: u).status == 403)
                #expect(try await auth.service.get(auth.path(name, "/permissions/tree?uri=job:"), token: u).status == 403)
            }
            let unknown = try await auth.service.post(
                auth.path("nobody-there", "/permissions/check"), token: auth.admin, [["uri": "job:", "action": "read"]])
            #expect(unknown.status == 404 && unknown.error == "user \"nobody-there\" was not found")
        }
    }

    @Test func whatCannotBeReadIsRefused() async throws {
        try await Auth.with { auth in
            try await auth.users("alice")
            func check(_ uri: String, _ action: String = "read") async throws -> TestAnswer {
                try await auth.service.post(
                    auth.path("alice", "/permissions/check"), token: auth.admin, [["uri": uri, "action": action]])
            }
            let unknown = try await check("unknown:")
            #expect(unknown.status == 422 && unknown.error == "Unknown resource type: unknown")
            for uri in [
                "job:job-id", "storage:/", "storage:///", "job://c//p", "job://c/../p", "job://c/a%2Fb", "job", "",
                "role://alice/x%0Aadmin", "job://c/a%00",
            ] {
                #expect(try await check(uri).status == 400, "\(uri)")
            }
            for action in ["create", "forbid", "deny", ""] { #expect(try await check("job:", action).status == 400) }
            for action in ["list", "deny", "create"] { #expect(try await auth.grant("job://c", action, to: "alice") == 400) }
            #expect(try await auth.grant("job:job-id", "read", to: "alice") == 400)
            #expect(try await auth.grant("nope://x", "read", to: "alice") == 422)
            let empty = try await auth.service.post(auth.path("alice", "/permissions"), token: auth.admin, [String]())
            #expect(empty.status == 400 && empty.error?.contains("list length is less than 1") == true)
            for body: [[String: Int]] in [[[:]], [["uri": 1]], [["action": 2]]] {
                #expect(try await auth.service.post(auth.path("alice", "/permissions"), token: auth.admin, body).status == 400)
            }
            #expect(try await auth.service.post(auth.path("alice", "/permissions"), token: auth.admin, ["uri": "job:"]).status == 400)
            #expect(try await auth.grant("job://c", "read", to: "nobody") == 404)
            #expect(try await auth.revoke("job://c", from: "nobody").status == 404)
            #expect(
                try await auth.service.delete(auth.path("alice", "/permissions"), token: auth.admin).error
                    == "\"uri\" request parameter is missing")
            #expect(try await auth.revoke("job:x", from: "alice").status == 400)
            #expect(try await auth.revoke("nope:", from: "alice").status == 422)
        }
    }

    @Test func aManagerSharesAndTakesBack() async throws {
        try await Auth.with { auth in
            let tokens = try await auth.users("anna", "bert")
            try await auth.grant("job://c/a", "manage", to: "anna")
            try await auth.grant("storage://c/a", "manage", to: "anna")
            let answer = try await auth.service.post(
                auth.path("bert", "/permissions"), token: tokens[0],
                [["uri": "job://c/a", "action": "manage"], ["uri": "storage://c/a/", "action": "read"]])
            #expect(answer.status == 201)
            #expect(
                try JSONDecoder().decode([[String: String]].self, from: answer.data) == [
                    ["uri": "job://c/a", "action": "manage"], ["uri": "storage://c/a/", "action": "read"],
                ])
            #expect(try await auth.missing([("job://c/a/x", "manage"), ("storage://c/a/x", "read")], of: "bert", by: tokens[1]) == [])
            #expect(try await auth.missing([("storage://c/a", "write")], of: "bert") == ["write storage://c/a"])
            #expect(try await auth.revoke("job://c/a", "storage://c/a", from: "bert", by: tokens[0]).status == 204)
            #expect(
                try await auth.missing([("job://c/a", "read"), ("storage://c/a", "read")], of: "bert") == [
                    "read job://c/a", "read storage://c/a",
                ])
        }
    }

    @Test func nobodyGrantsToItselfButTheAdmin() async throws {
        try await Auth.with { auth in
            let anna = try await auth.users("anna")[0]
            try await auth.grant("job://c/a", "manage", to: "anna")
            let answer = try await auth.service.post(
                auth.path("anna", "/permissions"), token: anna, [["uri": "job://c/a", "action": "read"]])
            #expect(answer.status == 403 && answer.error == "Adding self user is forbidden")
            #expect(
                try await auth.service.put(auth.path("anna", "/permissions"), token: anna, [["uri": "job://c/a", "action": "read"]]).status
                    == 403)
            #expect(try await auth.grant("job://c/x", "read", to: "admin") == 201)
        }
    }

    @Test func readingIsNotPassingOn() async throws {
        try await Auth.with { auth in
            let tokens = try await auth.users("bert", "dora")
            try await auth.grant("job://c/admin", "read", to: "bert")
            try await auth.grant("job://c/admin", "write", to: "dora")
            #expect(try await auth.grant("job://c/admin", "read", to: "dora", by: tokens[0]) == 403)
            #expect(try await auth.revoke("job://c/admin", from: "dora", by: tokens[0]).status == 403)
            #expect(try await auth.holds("job://c/admin", "write", "dora"))
            #expect(try await auth.service.put(auth.path("dora", "/permissions"), token: tokens[0], [[String: String]]()).status == 403)
        }
    }

    @Test func revokingWhatIsNotThereHasNoEffect() async throws {
        try await Auth.with { auth in
            try await auth.users("alice")
            for name in ["admin", "public", "alice"] {
                let answer = try await auth.revoke("storage://c/x", from: name)
                #expect(answer.status == 400 && answer.error == "Operation has no effect")
            }
            try await auth.grant("storage://c/x", "read", to: "alice")
            #expect(try await auth.revoke("storage://c/x", "storage://c/y", from: "alice").status == 204)
        }
    }

    @Test func whoLosesItselfIsNobody() async throws {
        try await Auth.with { auth in
            let u = try await auth.users("alice")[0]
            #expect(try await auth.service.get(auth.path("alice"), token: u).status == 200)
            #expect(try await auth.revoke("user://alice", from: "alice").status == 204)
            #expect(try await auth.missing([("user://alice", "read")], of: "alice") == ["read user://alice"])
            #expect(try await auth.service.get(auth.path("alice"), token: u).status == 401)
            #expect(try await auth.service.get("/api/v1/secured-ping", token: u).status == 401)
            try await auth.grant("user://alice", "read", to: "alice")
            #expect(try await auth.service.get("/api/v1/secured-ping", token: u).body == "Secured Pong")
        }
    }

    @Test func trees() async throws {
        try await Auth.with { auth in
            let tokens = try await auth.users("company", "company/team", "tom")
            let own = try await auth.tree("uri=user://company/team", of: "company/team", by: tokens[1])
            #expect(own.path == "/company/team" && own.root == .init(action: .read))
            try await auth.grant("storage://test-cluster/u", "manage", to: "tom")
            #expect(try await auth.tree("uri=storage://test-cluster/u", of: "tom", by: tokens[2]).root == .init(action: .manage))
            let below = try await auth.tree("uri=storage://test-cluster/u/my_dir", of: "tom")
            #expect(below.path == "/test-cluster/u/my_dir" && below.root == .init(action: .manage))
            #expect(try await auth.tree("uri=storage://test-cluster/other", of: "tom").root == .init(action: .deny))
            for uri in ["storage:", "storage://", "storage%3A%2F%2F"] {
                let tree = try await auth.tree("uri=\(uri)", of: "tom")
                let expected = PermissionTree.Node(
                    action: .list, children: ["test-cluster": .init(action: .list, children: ["u": .init(action: .manage)])])
                #expect(tree.path == "/" && tree.root == expected)
            }
            for bad in ["?uri=storage:/", "?uri=storage:///", "", "?uri=", "?uri=job:&depth=-1", "?uri=job:&depth=x"] {
                #expect(try await auth.service.get(auth.path("tom", "/permissions/tree" + bad), token: tokens[2]).status == 400)
            }
            #expect(try await auth.service.get(auth.path("tom", "/permissions/tree?uri=x:"), token: tokens[2]).status == 422)
            #expect(try await auth.tree("uri=storage:&depth=2", of: "tom").root.children["test-cluster"] != nil)
            #expect(try await auth.tree("uri=storage:&depth=1", of: "tom").root == .init(action: .list))
            #expect(try await auth.tree("uri=storage:&depth=0", of: "tom").root == .init(action: .list))
        }
    }

    @Test func sharingOfADirectoryAndAFileBelow() async throws {
        try await Auth.with { auth in
            let tokens = try await auth.users("uma", "tim")
            try await auth.grant("storage://c/uma", "manage", to: "uma")
            try await auth.grant("storage://c/uma/dir", "read", to: "tim", by: tokens[0])
            try await auth.grant("storage://c/uma/dir/file", "write", to: "tim", by: tokens[0])
            try await auth.grant("job://c/other", "read", to: "tim")
            func shared(_ query: String = "") async throws -> [String] {
                let answer = try await auth.service.get(auth.path("uma", "/permissions/shared" + query), token: tokens[0])
                return try JSONDecoder().decode([[String: String]].self, from: answer.data).map {
                    "\($0["user"] ?? "") \($0["action"] ?? "") \($0["uri"] ?? "")"
                }
            }
            let both = ["tim read storage://c/uma/dir", "tim write storage://c/uma/dir/file"]
            #expect(try await shared() == both)
            #expect(try await shared("?uri=storage://c/uma/dir") == both)
            #expect(try await shared("?uri=storage:") == both)
            #expect(try await shared("?uri=storage://c/uma/dir/file") == [both[1]])
            #expect(try await shared("?uri=job:") == [])
            #expect(try await auth.tree("uri=storage://c/uma", of: "tim").root.action == .list)
            #expect(try await auth.revoke("storage://c/uma/dir", from: "tim", by: tokens[0]).status == 204)
            #expect(try await shared() == [both[1]])
            #expect(try await auth.holds("storage://c/uma/dir/file", "write", "tim"))
        }
    }

    @Test func flatLists() async throws {
        try await Auth.with { auth in
            let u = try await auth.users("alice", "alice/roles/x")[0]
            #expect(try await auth.permissions(of: "alice", by: u) == ["user://alice": "read", "role://alice": "manage"])
            try await auth.grant("storage://c/alice", "manage", to: "alice")
            try await auth.grant("storage://c/alice/deep/file", "write", to: "alice")
            try await auth.grant("image://c/shared", "read", to: "alice/roles/x")
            try await auth.grant("role://alice/roles/x", "read", to: "alice")
            let list = try await auth.permissions(of: "alice", by: u)
            #expect(list["image://c/shared"] == "read" && list["role://alice/roles/x"] == "read")
            #expect(try await auth.permissions(of: "alice", "?expand_roles=false")["image://c/shared"] == nil)
            #expect(try await auth.permissions(of: "alice", "?uri=storage://c/alice/some") == ["storage://c/alice/some": "manage"])
            #expect(try await auth.permissions(of: "alice", "?uri=storage://c/alice") == ["storage://c/alice": "manage"])
            #expect(
                try await auth.permissions(of: "alice", "?uri=storage:") == [
                    "storage://c/alice": "manage", "storage://c/alice/deep/file": "write",
                ])
            #expect(
                try await auth.permissions(of: "alice", "?uri=storage://c") == [
                    "storage://c/alice": "manage", "storage://c/alice/deep/file": "write",
                ])
            #expect(try await auth.permissions(of: "alice", "?uri=blob:") == [:])
            #expect(try await auth.service.get(auth.path("alice", "/permissions?uri=nope:"), token: u).status == 422)
        }
    }
}
