import Foundation
import PlatformClients
import PlatformModel
import Testing

@testable import AdminService

@Suite struct AuditTests {
    private let org = OrgName(checked: "default")

    @Test func everyChangeOfABalanceIsWrittenDown() async throws {
        try await Platform.withDefaults { (platform) async throws in
            _ = try await platform.call("PATCH", "/orgs/default/balance", as: "admin", .object(["credits": .string("10")]))
            for _ in 0..<2 {
                _ = try await platform.call(
                    "POST", "/orgs/default/spending?idempotency_key=k7", as: "admin", .object(["spending": .string("2.5")]))
            }
            let lines = try await platform.audit("target=orgs/default&limit=2")
            guard case .object(let spent)? = lines.first, case .object(let set)? = lines.last else {
                Issue.record("no lines")
                return
            }
            #expect(spent["event"] == .string("spending") && spent["caller"] == .string("admin"))
            #expect(spent["idempotency_key"] == .string("k7"))
            #expect(spent["old"] == .object(["spent_credits": .string("0"), "credits": .string("10")]))
            #expect(spent["new"] == .object(["spent_credits": .string("2.5"), "credits": .string("7.5")]))
            #expect(set["event"] == .string("balance") && set["old"] == .object(["spent_credits": .string("0")]))
        }
    }

    /// Who was let in, given a role, given a quota, and thrown out, by whom.
    @Test func everyChangeOfAMembershipIsWrittenDown() async throws {
        try await Platform.withDefaults { (platform) async throws in
            let member = "/orgs/default/users/bob"
            let inCluster = "/clusters/default/orgs/default/users/bob"
            let projects = "/clusters/default/orgs/default/projects"
            func role(_ role: String) -> JSON { .object(["user_name": .string("bob"), "role": .string(role), "quota": .object([:])]) }
            let changes: [(String, String, JSON?)] = [
                ("POST", "/orgs/default/users", role("user")), ("PUT", member, role("manager")), ("PUT", inCluster, role("manager")),
                ("PATCH", "\(inCluster)/quota", .object(["quota": .object(["total_running_jobs": .integer(3)])])),
                ("POST", projects, .object(["name": .string("mine")])), ("PUT", "\(projects)/mine", .object(["is_default": .bool(true)])),
                ("POST", "\(projects)/mine/users", role("reader")), ("PUT", "\(projects)/mine/users/bob", role("writer")),
                ("DELETE", "\(projects)/mine/users/bob", nil), ("DELETE", "\(projects)/mine", nil), ("DELETE", inCluster, nil),
                ("PATCH", "/orgs/default/defaults", .object(["credits": .string("5")])),
                ("PATCH", "/clusters/default/orgs/default/defaults", .object([:])), ("DELETE", member, nil),
            ]
            for (method, path, body) in changes {
                let before = try await platform.audit("limit=1").first
                #expect(try await platform.call(method, path, as: "admin", body).status < 300, "\(method) \(path)")
                let after = try await platform.audit("limit=1").first
                #expect(after != before, "\(method) \(path)")
            }
            // What changes nothing is no change.
            try await platform.client("admin").addOrgUser(OrgUser(userName: "alice", role: .user), to: org)
            let before = try await platform.audit("limit=1").first
            let same: JSON = .object(["user_name": .string("alice"), "role": .string("user")])
            #expect(try await platform.call("PUT", "/orgs/default/users/alice", as: "admin", same).status == 200)
            #expect(try await platform.audit("limit=1").first == before)
        }
    }

    @Test func operatorsReadItPageByPage() async throws {
        try await Platform.withDefaults { (platform) async throws in
            #expect(try await platform.call("GET", "/audit", as: "bob").status == 403)
            let all = try await platform.audit()
            var page = try await platform.call("GET", "/audit?limit=2", as: "admin").json(JSON.self)
            var seen: [JSON] = []
            while case .object(let fields) = page, case .array(let items)? = fields["items"], !items.isEmpty {
                seen += items
                guard case .integer(let next)? = fields["next"] else { break }
                page = try await platform.call("GET", "/audit?limit=2&before=\(next)", as: "admin").json(JSON.self)
            }
            #expect(seen == all && all.count >= 5)
            #expect(try await platform.audit("caller=nobody") == [])
            for query in ["limit=0", "limit=1001", "event=nosuch", "before=x", "since=yesterday"] {
                #expect(try await platform.call("GET", "/audit?\(query)", as: "admin").status == 400, "\(query)")
            }
        }
    }

    @Test func anAccountMakesOnlySoMuchInAnHour() async throws {
        let limits = ["admin.orgs-per-hour": "2", "admin.clusters-per-hour": "1", "admin.users-per-hour": "1"]
        try await Platform.withDefaults(settings: limits) { (platform) async throws in
            func create(_ path: String, _ name: String, as user: String) async throws -> Int {
                let body: JSON = .object(["name": .string(name), "email": .string("\(name)@example.org")])
                let answer = try await platform.call("POST", path, as: user, body)
                if answer.status == 429 { #expect(answer.headers.first(name: "Retry-After").flatMap { Int($0) } ?? 0 > 3_000) }
                return answer.status
            }
            // Many at once are no way around it.
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for number in 0..<5 { group.addTask { try await create("/orgs", "org\(number)", as: "bob") } }
                return try await group.reduce(into: []) { $0.append($1) }.sorted()
            }
            #expect(statuses == [200, 200, 429, 429, 429])
            // Nor are service accounts.
            try await platform.authClient("bob").createUser(PrincipalName("bob/service-accounts/ci"))
            #expect(try await create("/orgs", "by-account", as: "bob/service-accounts/ci") == 429)
            #expect(try await create("/clusters", "one", as: "bob") == 200)
            #expect(try await create("/clusters", "two", as: "bob") == 429)
            #expect(try await create("/orgs", "another", as: "alice") == 200)
            // Who may make users but is no operator.
            try await platform.authClient("admin").grant([Permission(ResourceURI(.user), .manage)], to: PrincipalName("alice"))
            #expect(try await create("/users", "carol", as: "alice") == 200)
            #expect(try await create("/users", "dave", as: "alice") == 429)
            // The same again makes nothing, and operators are not counted.
            #expect(try await create("/users", "carol", as: "alice") == 200)
            for number in 0..<4 { #expect(try await create("/orgs", "admins\(number)", as: "admin") == 200) }
        }
    }
}
