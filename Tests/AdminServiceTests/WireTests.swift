import PlatformClients
import PlatformModel
import Testing

@Suite struct WireTests {
    @Test func strangersLearnNothing() async throws {
        try await Platform.withDefaults { (platform) async throws in
            for path in ["/clusters", "/orgs", "/clusters/default/orgs", "/clusters/default/projects"] {
                #expect(try await platform.call("GET", path, as: "bob").body == "[]", "\(path)")
            }
            for org in ["default", "nosuch"] {
                let answer = try await platform.call("GET", "/orgs/\(org)", as: "bob")
                #expect(answer.status == 403 && answer.error == "User bob does not have access to org \(org)")
                #expect(try await platform.call("DELETE", "/orgs/\(org)", as: "bob").status == 403)
            }
            #expect(try await platform.call("GET", "/users", as: "bob").status == 403)
            #expect(try await platform.call("GET", "/users/alice", as: "bob").status == 403)
            #expect(try await platform.call("GET", "/clusters/default/orgs/default/users/bob", as: "bob").status == 404)
            #expect(
                try await platform.call("POST", "/users", as: "bob", .object(["name": .string("eve"), "email": .string("e@x.y")])).status
                    == 403)
            #expect(try await platform.admin.get(Platform.base + "/clusters").status == 401)
            #expect(try await platform.admin.get(Platform.base + "/clusters", token: "garbage").status == 401)
            // Signed, but of nobody who exists.
            #expect(try await platform.call("GET", "/clusters", as: "nobody").status == 401)
        }
    }

    @Test func theSecondFaceOfAuth() async throws {
        try await Platform.withDefaults { (platform) async throws in
            #expect(try await platform.admin.get(Platform.base + "/ping").body == "Pong")
            let verify = try await platform.call("POST", "/users/bob/token/verify", as: "bob")
            #expect(verify.status == 200 && verify.body == #"{"verified":true}"#)
            #expect(try await platform.call("POST", "/users/alice/token/verify", as: "bob").status == 401)
            let owner = try await platform.authClient("bob")
            try await owner.createUser(PrincipalName("bob/service-accounts/ci"))
            let question: JSON = .array([.object(["uri": .string("job://default/x"), "action": .string("read")])])
            for path in ["bob/service-accounts/ci", "bob:service-accounts:ci"] {
                let answer = try await platform.call("POST", "/users/\(path)/permissions/check", as: "bob", question)
                #expect(answer.status == 200)
                #expect(try answer.json(MissingPermissions.self).missing.map(\.uri.text) == ["job://default/x"])
            }
            let token = try await platform.call("POST", "/users/bob/token", as: "admin", .object([:])).json(IssueTokenResponse.self)
            let clusters = try await platform.admin.get(Platform.base + "/clusters", token: token.accessToken)
            #expect(clusters.status == 200)
            #expect(try await platform.call("POST", "/users/admin/token", as: "bob", .object([:])).status == 403)
        }
    }

    @Test func namesShareOneSpace() async throws {
        try await Platform.withDefaults { (platform) async throws in
            func create(_ path: String, _ name: String) async throws -> Int {
                try await platform.call("POST", path, as: "admin", .object(["name": .string(name), "email": .string("\(name)@x.y")])).status
            }
            #expect(try await create("/orgs", "bob") == 409)
            #expect(try await create("/clusters", "jobs-api") == 409)
            #expect(try await create("/users", "default") == 409)
            #expect(try await create("/orgs", "users") == 400)
            #expect(try await create("/orgs", "No_Good") == 400)
            #expect(try await create("/orgs", String(repeating: "a", count: 64)) == 400)
            // The same user again is the same user; with another address it is not.
            #expect(try await create("/users", "carol") == 200)
            #expect(try await create("/users", "carol") == 200)
            let other: JSON = .object(["name": .string("carol"), "email": .string("other@x.y")])
            #expect(try await platform.call("POST", "/users", as: "admin", other).status == 409)
        }
    }

    @Test func quotasAndBalancesChangeOncePerKey() async throws {
        try await Platform.withDefaults { (platform) async throws in
            let quota = "/clusters/default/orgs/default/users/admin/quota"
            func change(_ body: JSON, _ key: String = "") async throws -> (Int, Int?) {
                let answer = try await platform.call("PATCH", quota + key, as: "admin", body)
                return (answer.status, try? answer.json(ClusterUser.self).quota?.totalRunningJobs)
            }
            func jobs(_ number: Int64) -> JSON { .object(["total_running_jobs": .integer(number)]) }
            #expect(try await change(.object(["quota": jobs(5)])) == (200, 5))
            for _ in 0..<2 { #expect(try await change(.object(["additional_quota": jobs(3)]), "?idempotency_key=k1") == (200, 8)) }
            #expect(try await change(.object(["additional_quota": jobs(4)]), "?idempotency_key=k1").0 == 409)
            #expect(try await change(.object(["additional_quota": jobs(-9)])).0 == 400)
            #expect(try await change(.object([:])).0 == 400)
            #expect(try await change(.object(["quota": .object([:])])) == (200, nil))
            #expect(try await change(.object(["additional_quota": jobs(3)])) == (200, nil))
            let balance = try await platform.call("PATCH", "/orgs/default/balance", as: "admin", .object(["credits": .string("12.50")]))
            #expect(try balance.json(Org.self).balance == Balance(credits: Money("12.5")))
            let added = try await platform.call(
                "PATCH", "/orgs/default/balance", as: "admin", .object(["additional_credits": .string("-20.000000000000000001")]))
            #expect(added.body.contains(#""credits":"-7.500000000000000001""#))
            let shown = try await platform.call("GET", "/clusters/default/orgs/default", as: "admin").json(OrgCluster.self)
            #expect(shown.balance?.isExhausted == true)
        }
    }

    @Test func listsForTheClient() async throws {
        try await Platform.withDefaults { (platform) async throws in
            try await platform.client("admin").addOrgUser(OrgUser(userName: "bob", role: .user), to: OrgName("default"))
            let members = try await platform.call("GET", "/orgs/default/users?with_user_info=true&roles=user", as: "bob").json(
                [OrgUser].self)
            #expect(members.map(\.userName) == ["bob"])
            #expect(members.first?.userInfo?.firstName == "Bob")
            #expect(try await platform.call("GET", "/orgs/default/users?roles=boss", as: "bob").status == 400)
            // An ordinary member sees names, a manager everything.
            let names = try await platform.call("GET", "/clusters/default/orgs/default/users", as: "bob").json([ClusterUser].self)
            #expect(names.map(\.userName) == ["admin", "bob"] && names.allSatisfy { $0.role == nil && $0.balance == nil })
            let full = try await platform.call("GET", "/clusters/default/orgs/default/users?with_user_info=true", as: "admin")
            #expect(try full.json([ClusterUser].self).allSatisfy { $0.role != nil && $0.userInfo?.email.isEmpty == false })
            // A service account is a member where its owner is.
            let account = "bob/service-accounts/ci"
            try await platform.authClient("bob").createUser(PrincipalName(account))
            let path = "/clusters/default/orgs/default/users/\(account)"
            #expect(try await platform.call("GET", path, as: account).json(ClusterUser.self).userName == "bob")
            #expect(try await platform.call("GET", "/orgs/default/users/\(account)", as: account).json(OrgUser.self).role == .user)
            let project = try await platform.call("GET", "/clusters/default/orgs/default/projects/default", as: "admin").object()
            #expect(project["is_default"] as? Bool == false && project["default_role"] as? String == "writer")
            let cluster: JSON = .object([
                "name": .string("default"), "default_role": .string("user"), "maintenance": .bool(false),
                "default_quota": .object(["total_running_jobs": .string("5")]),
            ])
            let put = try await platform.call("PUT", "/clusters/default", as: "admin", cluster).json(AdminCluster.self)
            #expect(put.defaultQuota == Quota(totalRunningJobs: 5) && put.defaultCredits == nil)
        }
    }
}
