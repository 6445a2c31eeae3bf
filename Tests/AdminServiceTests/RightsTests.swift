import Foundation
import Identity
import PlatformClients
import PlatformModel
import Testing

/// Who may do what to whom, and what outsiders learn by trying.
@Suite struct RightsTests {
    private let cluster = ClusterName(checked: "default")
    private let org = OrgName(checked: "default")

    private func role(_ user: String, _ role: String, _ more: [String: JSON] = [:]) -> JSON {
        .object(["user_name": .string(user), "role": .string(role)].merging(more) { $1 })
    }

    /// A default role is given to whoever comes next, so it is a grant like any other.
    @Test func nobodySetsADefaultRoleAboveHisOwn() async throws {
        try await Platform.withDefaults { (platform) async throws in
            let admin = try await platform.client("admin")
            try await admin.addOrgUser(OrgUser(userName: "bob", role: .manager), to: org)
            try await admin.addClusterUser(ClusterUser(userName: "alice", role: .manager), to: cluster)
            let refused = #"{"missing": [{"uri": "cluster://default/orgs/default/projects", "action": "manage"}]}"#
            let defaults = "/clusters/default/orgs/default/defaults"
            let answer = try await platform.call("PATCH", defaults, as: "bob", .object(["default_role": .string("admin")]))
            #expect(answer.status == 403 && answer.body == refused)
            #expect(try await platform.call("PATCH", defaults, as: "bob", .object(["default_role": .string("manager")])).status == 200)
            let put: JSON = .object(["org_name": .string("default"), "default_role": .string("admin")])
            let replaced = try await platform.call("PUT", "/clusters/default/orgs/default", as: "alice", put)
            #expect(replaced.status == 403 && replaced.body == refused)
            #expect(try await platform.call("PUT", "/clusters/default/orgs/default", as: "admin", put).status == 200)
        }
    }

    @Test func managersNeitherMakeNorTouchAdministrators() async throws {
        try await Platform.withDefaults { (platform) async throws in
            let admin = try await platform.client("admin")
            try await admin.addOrgUser(OrgUser(userName: "bob", role: .manager), to: org)
            try await admin.addOrgUser(OrgUser(userName: "alice", role: .user), to: org)
            let needed = #"{"missing": [{"uri": "org://default/admins", "action": "write"}]}"#
            // Of others, of himself, of a new member, and taking it from one.
            for (user, wanted) in [("alice", "admin"), ("bob", "admin"), ("admin", "user")] {
                let answer = try await platform.call("PUT", "/orgs/default/users/\(user)", as: "bob", role(user, wanted))
                #expect(answer.status == 403 && answer.body == needed, "\(user)")
            }
            try await admin.createUser(AdminUser(name: "carol", email: "carol@example.org"))
            #expect(try await platform.call("POST", "/orgs/default/users", as: "bob", role("carol", "admin")).body == needed)
            #expect(try await platform.call("PUT", "/orgs/default/users/alice", as: "bob", role("alice", "manager")).status == 200)
            #expect(try await platform.call("PUT", "/orgs/default/users/alice", as: "bob", role("alice", "user")).status == 200)
            // In the cluster on behalf of the organization, too.
            let member = "/clusters/default/orgs/default/users"
            #expect(try await platform.call("PUT", "\(member)/bob", as: "bob", role("bob", "admin", ["quota": .object([:])])).status == 403)
            #expect(try await platform.call("PUT", "\(member)/bob", as: "alice", role("bob", "user")).status == 403)
            // Direct managers of a cluster make no administrators of it.
            try await admin.addClusterUser(ClusterUser(userName: "bob", role: .manager), to: cluster)
            let direct = "/clusters/default/users"
            #expect(try await platform.call("PUT", "\(direct)/bob", as: "bob", role("bob", "admin")).status == 403)
            #expect(try await platform.call("POST", direct, as: "bob", role("carol", "admin")).status == 403)
            #expect(try await platform.call("PUT", "\(direct)/admin", as: "bob", role("admin", "user")).status == 403)
            #expect(try await platform.call("DELETE", "\(direct)/admin", as: "bob").status == 403)
            #expect(try await platform.call("POST", direct, as: "bob", role("carol", "user")).status == 200)
            // The last administrator stays, whoever asks.
            let last = try await platform.call("PUT", "/orgs/default/users/admin", as: "admin", role("admin", "manager"))
            #expect(last.status == 400 && last.error == "Last org admin cannot be demoted")
        }
    }

    @Test func ordinaryMembersGetTheExactRefusals() async throws {
        try await Platform.withDefaults { (platform) async throws in
            let admin = try await platform.client("admin")
            for user in ["alice", "bob"] { try await admin.addOrgUser(OrgUser(userName: user, role: .user), to: org) }
            for user in ["alice", "bob"] {
                try await admin.addProjectUser(ProjectUser(userName: user, role: .writer), cluster, org, ProjectName("default"))
            }
            func missing(_ uri: String) -> String { #"{"missing": [{"uri": "\#(uri)", "action": "write"}]}"# }
            let remove = try await platform.call("DELETE", "/orgs/default/users/alice", as: "bob")
            #expect(remove.status == 403 && remove.body == missing("org://default/users"))
            let delete = try await platform.call("DELETE", "/orgs/default", as: "bob")
            #expect(delete.status == 403 && delete.body == missing("org://default"))
            let project = "cluster://default/orgs/default/projects/default"
            let users = "/clusters/default/orgs/default/projects/default/users"
            let change = try await platform.call("PUT", "\(users)/alice", as: "bob", .object(["role": .string("reader")]))
            #expect(change.status == 403 && change.body == missing("\(project)/users"))
            #expect(try await platform.call("DELETE", "\(users)/alice", as: "bob").body == missing("\(project)/users/alice/delete"))
            #expect(try await platform.call("DELETE", "\(users)/admin", as: "bob").body == missing("\(project)/admins"))
            // Leaving is anyone's right.
            #expect(try await platform.call("DELETE", "\(users)/bob", as: "bob").status == 204)
            // Who is no member is not told who administers the project.
            for user in ["admin", "alice", "nobody"] {
                let answer = try await platform.call("DELETE", "\(users)/\(user)", as: "bob")
                #expect(answer.body == missing("\(project)/users/\(user)/delete"))
            }
            // Not even a member of the organization becomes one of a project in a cluster that he does not use.
            #expect(try await platform.call("DELETE", "/clusters/default/orgs/default/users/bob", as: "admin").status == 204)
            let add = try await platform.call("POST", users, as: "admin", .object(["user_name": .string("bob")]))
            #expect(add.status == 404 && add.error == "User 'default/bob' not found in cluster 'default'")
        }
    }

    /// Members of one organization in a cluster learn nothing of the members of another there.
    @Test func membersOfOtherOrganizationsAreHidden() async throws {
        try await Platform.withDefaults { (platform) async throws in
            let admin = try await platform.client("admin")
            try await admin.createOrg(Org(name: OrgName("other")), joiningDefaultClusters: true)
            try await admin.addOrgUser(OrgUser(userName: "alice", role: .user), to: OrgName("other"))
            try await admin.addOrgUser(OrgUser(userName: "bob", role: .user), to: org)
            for path in ["/clusters/default/orgs/other/users", "/clusters/default/orgs/nosuch/users"] {
                #expect(try await platform.call("GET", path + "?with_user_info=true", as: "bob").status == 403, "\(path)")
            }
            // An organization that is not there looks like one that is not his.
            for name in ["other", "nosuch"] {
                for path in ["/orgs/\(name)/users?with_user_info=true", "/orgs/\(name)/users/alice", "/orgs/\(name)/users/nobody"] {
                    let answer = try await platform.call("GET", path, as: "bob")
                    #expect(answer.status == 403 && answer.error == "User bob does not have access to org \(name)", "\(path)")
                }
            }
            // The cluster's names are open to those who use it; whose members they are and their addresses are not.
            let all = try await platform.call("GET", "/clusters/default/users?with_user_info=true", as: "bob")
            #expect(try all.json([ClusterUser].self).map(\.userName).contains("alice"))
            #expect(!all.body.contains("example.org") && !all.body.contains("other"))
            let own = try await platform.call("GET", "/clusters/default/orgs/default/users?with_user_info=true", as: "bob")
            #expect(own.body.contains("bob@example.org"))
            let names = try await platform.call("GET", "/clusters/default/orgs/default/users?only_usernames=true", as: "admin")
            #expect(names.body == #"[{"user_name":"admin"},{"user_name":"bob"}]"#)
            // A service account does not do what its owner may not.
            try await platform.authClient("bob").createUser(PrincipalName("bob/service-accounts/ci"))
            #expect(try await platform.call("GET", "/orgs/other/users", as: "bob/service-accounts/ci").status == 403)
            #expect(try await platform.call("GET", "/users", as: "bob/service-accounts/ci").status == 403)
        }
    }

    /// `apolo config show` with a service account's token: quotas and credits are its owner's, the rest is not.
    @Test func aServiceAccountIsShownWhatItLivesOn() async throws {
        try await Platform.withDefaults { (platform) async throws in
            try await platform.client("admin").addOrgUser(OrgUser(userName: "bob", role: .admin), to: org)
            for account in ["bob/service-accounts/ci", "alice/service-accounts/ci", "bob/team"] {
                try await platform.authClient("admin").createUser(PrincipalName(account))
            }
            let present = "/clusters/default/orgs/default"
            let shown = try await platform.call("GET", present, as: "bob/service-accounts/ci")
            #expect(try shown.json(OrgCluster.self).quota == Quota(totalRunningJobs: 20))
            let own = "\(present)/users/bob/service-accounts/ci"
            #expect(try await platform.call("GET", own, as: "bob/service-accounts/ci").json(ClusterUser.self).userName == "bob")
            let refused = #"{"missing": [{"uri": "cluster://default/orgs/default/access", "action": "read"}]}"#
            for account in ["alice/service-accounts/ci", "bob/team"] {
                #expect(try await platform.call("GET", present, as: account).body == refused, "\(account)")
            }
            let put: JSON = .object(["org_name": .string("default")])
            #expect(try await platform.call("PUT", present, as: "bob/service-accounts/ci", put).status == 403)
            for path in ["/orgs/default", "/orgs/default/users", "\(present)/users", "\(present)/users/admin"] {
                #expect(try await platform.call("GET", path, as: "bob/service-accounts/ci").status == 403, "\(path)")
            }
            // Out with its owner.
            #expect(try await platform.call("DELETE", "/orgs/default/users/bob", as: "admin").status == 204)
            #expect(try await platform.call("GET", present, as: "bob/service-accounts/ci").body == refused)
        }
    }

    @Test func clustersTokensSeeTheirOwnClusterOnly() async throws {
        try await Platform.withDefaults { (platform) async throws in
            let admin = try await platform.client("admin")
            try await admin.createCluster(AdminCluster(name: ClusterName("second")))
            try await platform.authClient().createUser(PrincipalName("cluster/second"))
            let token = try await platform.signer.sign(
                TokenClaims(name: PrincipalName("cluster/second"), kind: .cluster, cluster: "second", issuedAt: Date() + 2))
            func get(_ path: String) async throws -> TestAnswerStatus {
                let answer = try await platform.admin.get(Platform.base + path, token: token)
                return TestAnswerStatus(status: answer.status, body: answer.body)
            }
            #expect(try await get("/clusters/second/projects") == TestAnswerStatus(status: 200, body: "[]"))
            #expect(try await get("/clusters/default/projects") == TestAnswerStatus(status: 200, body: "[]"))
            #expect(try await get("/clusters/second/users").status == 200)
            for path in ["/clusters/default", "/clusters/default/users", "/clusters/default/orgs/default/users", "/orgs/default"] {
                #expect(try await get(path).status == 403, "\(path)")
            }
        }
    }

    struct TestAnswerStatus: Equatable {
        let status: Int
        let body: String
    }

    /// Names go into URIs, statements and paths: only names pass.
    @Test func badNamesAreRefusedInPaths() async throws {
        let names = ["..", ".", "%2e%2e", "a%2Fb", "UPPER", "a", "a_b", "a--b", "-ab", "ab-", "a%00b", "a%27%20OR%201=1", "Ünï"]
        try await Platform.with { (platform) async throws in
            for name in names {
                for path in [
                    "/orgs/\(name)", "/clusters/\(name)", "/clusters/\(name)/orgs", "/orgs/\(name)/users", "/clusters/good/orgs/\(name)",
                    "/clusters/good/orgs/good/projects/\(name)",
                ] {
                    let status = try await platform.call("GET", path.addingPercentEncodingOnce, as: "admin").status
                    #expect(status == 400 || status == 404, "\(path) \(status)")
                }
            }
        }
    }
}

extension String {
    /// What is not ASCII, escaped; the rest as it is.
    fileprivate var addingPercentEncodingOnce: String {
        unicodeScalars.map { $0.isASCII ? String($0) : String($0).utf8.map { String(format: "%%%02X", $0) }.joined() }.joined()
    }
}
