import Foundation
import PlatformClients
import PlatformModel
import Testing

/// Lists are whole and in one order; what is included is there, what was not asked for is not.
@Suite struct ListTests {
    private let cluster = ClusterName(checked: "default")
    private let org = OrgName(checked: "default")

    @Test func includesAreThereWhenAskedForOnly() async throws {
        try await Platform.withDefaults { (platform) async throws in
            let plain = try await platform.call("GET", "/users/bob", as: "bob").object()
            #expect(Set(plain.keys) == ["name", "email", "first_name", "created_at"])
            #expect((plain["created_at"] as? String)?.hasSuffix("+00:00") == true)
            // Empty, and there.
            let all = try await platform.call("GET", "/users/bob?include=orgs&include=clusters&include=projects", as: "bob").object()
            for key in ["orgs", "clusters", "projects"] { #expect((all[key] as? [Any])?.isEmpty == true, "\(key)") }
            let one = try await platform.call("GET", "/users/admin?include=projects", as: "admin")
            let keys = try one.object().keys
            #expect(keys.contains("projects") && !keys.contains("orgs") && !keys.contains("clusters"))
            #expect(
                one.body.contains(
                    #""projects":[{"cluster_name":"default","org_name":"default","project_name":"default","role":"admin"}]"#))
            #expect(try await platform.call("GET", "/users/nobody", as: "admin").status == 404)
            let orgs = try await platform.call("GET", "/users/admin?include=orgs&include=clusters", as: "admin").body
            #expect(orgs.contains(#""orgs":[{"balance":{"spent_credits":"0"},"org_name":"default","role":"admin"}]"#), "\(orgs)")
            // A direct membership has no organization.
            #expect(orgs.contains(#"{"balance":{"spent_credits":"0"},"cluster_name":"default","quota":{},"role":"admin"}"#), "\(orgs)")
        }
    }

    /// There are no pages: a client would not ask for the next.
    @Test func listsAreWholeAndSorted() async throws {
        try await Platform.withDefaults { (platform) async throws in
            let admin = try await platform.client("admin")
            let users = (0..<40).map { "user\($0)" }
            for user in users.shuffled() {
                try await admin.createUser(AdminUser(name: user, email: "\(user)@example.org"))
                try await admin.addOrgUser(OrgUser(userName: user, role: .user), to: org)
            }
            let sorted = (users + ["admin"]).sorted()
            for path in ["/orgs/default/users", "/clusters/default/orgs/default/users"] {
                for query in ["", "?limit=5&offset=3&with_user_info=true"] {
                    let list = try await platform.call("GET", path + query, as: "admin").json([ClusterUser].self)
                    #expect(list.map(\.userName) == sorted, "\(path)\(query)")
                    #expect(list.allSatisfy { ($0.userInfo != nil) == (query != "") })
                }
            }
            for name in ["zeta", "acme", "mid"] {
                try await admin.createOrg(Org(name: OrgName(name)), joiningDefaultClusters: true)
                try await admin.createProject(.init(name: ProjectName(name)), cluster, org)
                try await admin.createCluster(AdminCluster(name: ClusterName("c-\(name)")))
            }
            #expect(
                try await platform.call("GET", "/orgs", as: "admin").json([Org].self).map(\.name.text) == [
                    "acme", "default", "mid", "zeta",
                ])
            #expect(try await admin.clusters().map(\.name.text) == ["c-acme", "c-mid", "c-zeta", "default"])
            #expect(try await admin.projects(cluster).map(\.name.text) == ["acme", "default", "mid", "zeta"])
            let present = try await platform.call("GET", "/clusters/default/orgs", as: "admin").json([OrgCluster].self)
            #expect(present.map(\.orgName.text) == ["acme", "default", "mid", "zeta"])
        }
    }

    @Test func rolesFilterAndOneFlagInEveryForm() async throws {
        try await Platform.withDefaults { (platform) async throws in
            let admin = try await platform.client("admin")
            try await admin.addOrgUser(OrgUser(userName: "alice", role: .manager), to: org)
            try await admin.addOrgUser(OrgUser(userName: "bob", role: .user), to: org)
            func names(_ query: String) async throws -> [String?] {
                try await platform.call("GET", "/orgs/default/users?\(query)", as: "bob").json([OrgUser].self).map(\.userName)
            }
            #expect(try await names("roles=manager&roles=admin") == ["admin", "alice"])
            #expect(try await names("roles=user") == ["bob"])
            for flag in ["1", "true", "yes", "True", "YES"] {
                let answer = try await platform.call("GET", "/orgs/default/users/alice?with_user_info=\(flag)", as: "bob")
                #expect(answer.body.contains("alice@example.org"), "\(flag)")
            }
            for flag in ["0", "false", "no", "on", ""] {
                let answer = try await platform.call("GET", "/orgs/default/users/alice?with_user_info=\(flag)", as: "bob")
                #expect(!answer.body.contains("user_info"), "\(flag)")
            }
            // One and the same cluster by way of two organizations is there twice.
            try await admin.createOrg(Org(name: OrgName("other")), joiningDefaultClusters: true)
            try await admin.addOrgUser(OrgUser(userName: "bob", role: .user), to: OrgName("other"))
            let clusters = try await platform.client("bob").user(PrincipalName("bob"))?.clusters
            #expect(
                clusters?.map(\.orgName?.text) == ["default", "other"] && clusters?.map(\.clusterName?.text) == ["default", "default"])
        }
    }

    /// Zero is a number like others; absent is unlimited; a project may share its name with one elsewhere.
    @Test func quotasOfNewMembersComeFromTheNearest() async throws {
        try await Platform.withDefaults { (platform) async throws in
            let admin = try await platform.client("admin")
            let defaults: JSON = .object(["quota": .object(["total_running_jobs": .integer(0)]), "default_role": .string("member")])
            #expect(try await platform.call("PATCH", "/clusters/default/orgs/default/defaults", as: "admin", defaults).status == 200)
            _ = try await platform.call("PATCH", "/orgs/default/defaults", as: "admin", .object(["credits": .string("234")]))
            try await admin.addOrgUser(OrgUser(userName: "bob", role: .user), to: org)
            try await admin.addOrgUser(OrgUser(userName: "alice", role: .manager), to: org)
            let bob = try await platform.call("GET", "/clusters/default/orgs/default/users/bob", as: "bob")
            #expect(bob.body.contains(#""quota":{"total_running_jobs":0}"#) && bob.body.contains(#""credits":"234""#), "\(bob.body)")
            #expect(try bob.json(ClusterUser.self).role == .member)
            #expect(try await admin.orgUser(org, PrincipalName("alice"))?.balance == Balance())
            // A member of a cluster makes no projects.
            let made = try await platform.call(
                "POST", "/clusters/default/orgs/default/projects", as: "bob", .object(["name": .string("mine")]))
            #expect(made.body == #"{"missing": [{"uri": "cluster://default/orgs/default/projects/new", "action": "write"}]}"#)
            try await admin.createOrg(Org(name: OrgName("other")), joiningDefaultClusters: true)
            try await admin.createProject(.init(name: ProjectName("same")), cluster, org)
            try await admin.createProject(.init(name: ProjectName("same")), cluster, OrgName("other"))
            let twice = try await platform.call(
                "POST", "/clusters/default/orgs/other/projects", as: "admin", .object(["name": .string("same")]))
            #expect(twice.status == 409 && twice.error == "Project 'same' already exists")
            // Who joins later joins the default projects.
            _ = try await platform.call(
                "PUT", "/clusters/default/orgs/default/projects/same", as: "admin",
                .object(["is_default": .bool(true), "default_role": .string("reader")]))
            #expect(try await platform.client("bob").user(PrincipalName("bob"))?.projects == [])
            try await admin.createUser(AdminUser(name: "carol", email: "carol@example.org"))
            try await admin.addOrgUser(OrgUser(userName: "carol", role: .user), to: org)
            #expect(try await platform.client("carol").user(PrincipalName("carol"))?.projects?.map(\.role) == [.reader])
        }
    }
}
