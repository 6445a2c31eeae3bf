import PlatformClients
import PlatformModel
import TestSupport
import Testing

/// Names of what is new go into URIs, role names and namespaces: only names pass, and none that mean something else there.
@Suite struct NameTests {
    private static let bad = ["", "a", "ab", "-abc", "abc-", "a--b", "Abc", "a_b", "a.b", "a b", "a/b", "..", "abc\u{0}", "äöü", "a\nb"]
    private static let reserved = ["users", "orgs", "new", "roles", "manager", "access", "defaults", "projects", "cluster"]

    @Test func badNamesAreRefusedOnCreation() async throws {
        try await Platform.withDefaults { (platform) async throws in
            let projects = "/clusters/default/orgs/default/projects"
            for path in ["/orgs", "/clusters", "/users", projects] {
                for name in Self.bad {
                    let body: JSON = .object(["name": .string(name), "email": .string("x@example.org")])
                    let answer = try await platform.call("POST", path, as: "admin", body)
                    #expect(answer.status == 400 && answer.error?.isEmpty == false, "\(path) \(name.debugDescription) \(answer.status)")
                }
                for body: JSON in [.object([:]), .object(["name": .null]), .object(["name": .integer(5)]), .array([]), .null] {
                    #expect(try await platform.call("POST", path, as: "admin", body).status == 400, "\(path) \(body)")
                }
            }
            for path in ["/orgs", "/clusters", projects] {
                for name in Self.reserved {
                    let answer = try await platform.call("POST", path, as: "admin", .object(["name": .string(name)]))
                    #expect(answer.status == 400 && answer.error == "The name '\(name)' is reserved", "\(path) \(name)")
                }
            }
            for name in [
                "public", "compute", "cluster", "user", "users", "jobs-api", "admin-api", "config-api", "monitoring-api", "ingress-auth",
                "storage-api", "secrets-api", "disk-api",
            ] {
                let body: JSON = .object(["name": .string(name), "email": .string("\(name)@example.org")])
                let status = try await platform.call("POST", "/users", as: "admin", body).status
                #expect(status == 400 || status == 409, "\(name) \(status)")
            }
        }
    }

    @Test func namesHaveALength() async throws {
        try await Platform.withDefaults { (platform) async throws in
            func create(_ path: String, _ length: Int) async throws -> Int {
                let name = String(repeating: "n", count: length)
                let body: JSON = .object(["name": .string(name), "email": .string("\(path.dropFirst())\(length)@example.org")])
                return try await platform.call("POST", path, as: "admin", body).status
            }
            #expect(try await create("/users", 21) == 200)
            #expect(try await create("/users", 22) == 400)
            #expect(try await create("/clusters", 40) == 200)
            #expect(try await create("/clusters", 41) == 400)
            #expect(try await create("/orgs", 63) == 200)
            #expect(try await create("/orgs", 64) == 400)
            #expect(try await create("/clusters/default/orgs/default/projects", 3) == 200)
        }
    }

    @Test func mismatchesAndUnknownRolesAreRefused() async throws {
        try await Platform.withDefaults { (platform) async throws in
            try await platform.client("admin").addOrgUser(OrgUser(userName: "bob", role: .user), to: OrgName("default"))
            func body(_ fields: [String: String]) -> JSON { .object(fields.mapValues { .string($0) }) }
            let wrong: [(String, String, JSON)] = [
                ("PUT", "/clusters/default", body(["name": "other"])), ("PUT", "/users/bob", body(["name": "alice", "email": "b@x.y"])),
                ("PUT", "/orgs/default/users/bob", body(["user_name": "alice", "role": "user"])),
                ("PUT", "/clusters/default/orgs/default", body(["org_name": "other"])),
                ("PUT", "/clusters/default/orgs/default/users/bob", body(["user_name": "alice", "role": "user"])),
                ("PUT", "/clusters/default/orgs/default/users/bob", body(["user_name": "bob", "org_name": "other", "role": "user"])),
                ("PUT", "/clusters/default/orgs/default/users/bob", body(["user_name": "bob"])),
                ("PUT", "/clusters/default/orgs/default/projects/default/users/admin", body(["user_name": "bob", "role": "admin"])),
                ("PUT", "/orgs/default/users/bob", body(["user_name": "bob", "role": "Manager"])),
                ("PUT", "/orgs/default/users/bob", body(["user_name": "bob", "role": "member"])),
                ("POST", "/clusters/default/orgs/default/projects/default/users", body(["user_name": "bob", "role": "Reader"])),
                ("POST", "/clusters/default/users", body(["user_name": "bob"])), ("POST", "/orgs/default/users", body(["role": "user"])),
                ("PUT", "/users/bob", body(["name": "bob", "email": "no address"])),
            ]
            for (method, path, body) in wrong {
                let answer = try await platform.call(method, path, as: "admin", body)
                #expect(answer.status == 400 && answer.error?.isEmpty == false, "\(method) \(path) \(body) \(answer.status)")
            }
            // Of whom there is nobody, and who is there already.
            for (path, status) in [("/orgs/default/users", 404), ("/clusters/default/users", 404)] {
                #expect(try await platform.call("POST", path, as: "admin", body(["user_name": "nobody", "role": "user"])).status == status)
            }
            let again = try await platform.call("POST", "/orgs/default/users", as: "admin", body(["user_name": "bob", "role": "user"]))
            #expect(again.status == 409 && again.error == "User 'bob' already exists in org 'default'")
            let outside = body(["user_name": "alice", "org_name": "default", "role": "user"])
            let alice = try await platform.call("POST", "/clusters/default/users", as: "admin", outside)
            #expect(alice.status == 404 && alice.error == "User 'alice' not found in org 'default'")
        }
    }

    /// Whoever was named like an organization would rule its roles: also when both are made at once there is but one.
    @Test func aNameIsAUsersOrNot() async throws {
        try await Platform.withDefaults { (platform) async throws in
            for number in 0..<8 {
                let body: JSON = .object(["name": .string("same\(number)"), "email": .string("same\(number)@example.org")])
                let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                    for path in ["/users", number % 2 == 0 ? "/orgs" : "/clusters"] {
                        group.addTask { try await platform.call("POST", path, as: "admin", body).status }
                    }
                    return try await group.reduce(into: []) { $0.append($1) }.sorted()
                }
                #expect(statuses == [200, 409], "\(number)")
            }
        }
    }

    /// `job://c/legacy` is one place, whether of a project without an organization or of an organization.
    @Test func projectsWithoutAnOrganizationShareNoNameWithOne() async throws {
        try await Platform.withDefaults { (platform) async throws in
            func create(_ path: String, _ name: String, as user: String = "admin") async throws -> TestAnswer {
                try await platform.call("POST", path, as: user, .object(["name": .string(name)]))
            }
            #expect(try await create("/clusters/default/projects", "legacy").status == 200)
            let org = try await create("/orgs", "legacy", as: "bob")
            #expect(org.status == 409 && org.error == "The name 'legacy' is taken by a project of cluster 'default'")
            #expect(try await !platform.holds("bob", "job://default/legacy", .read))
            // Elsewhere it may be, but not come here.
            #expect(try await create("/orgs?skip_auto_add_to_clusters=true", "legacy", as: "bob").status == 200)
            let joining: JSON = .object(["org_name": .string("legacy"), "default_role": .string("user")])
            #expect(try await platform.call("POST", "/clusters/default/orgs", as: "admin", joining).status == 409)
            let project = try await create("/clusters/default/projects", "default")
            #expect(project.status == 409 && project.error == "The name 'default' is taken by an organization")
            // With an organization a project may have its name.
            #expect(try await create("/clusters/default/orgs/default/projects", "legacy").status == 200)
        }
    }
}
