import PlatformClients
import PlatformModel
import Testing

@Suite struct MembershipTests {
    private let cluster = ClusterName(checked: "default")
    private let org = OrgName(checked: "default")

    /// The second user of a platform: in the organization, with a project of its own.
    @Test func aMemberMakesAProjectOfItsOwnAndSeesNoOther() async throws {
        try await Platform.withDefaults { (platform) async throws in
            #expect(try await platform.holds("bob", "cluster://default/access", .read) == false)
            try await platform.client("admin").addOrgUser(OrgUser(userName: "bob", role: .user), to: org)
            #expect(try await platform.holds("bob", "cluster://default/access", .read))
            #expect(try await platform.holds("bob", "org://default", .read))
            let bob = try await platform.client("bob")
            try await bob.createProject(.init(name: ProjectName("bobs")), cluster, org)
            #expect(try await platform.holds("bob", "job://default/default/bobs", .manage))
            #expect(try await !platform.holds("bob", "job://default/default/default", .read))
            #expect(try await bob.projects(cluster).map(\.name.text) == ["bobs"])
            #expect(try await bob.clusters().map(\.name.text) == ["default"])
            let user = try #require(try await bob.user(PrincipalName("bob")))
            #expect(user.projects?.map(\.projectName?.text) == ["bobs"])
            #expect(user.clusters?.map(\.orgName?.text) == ["default"])
            #expect(user.orgs?.map(\.role) == [.user])
            // The admin, who manages everything, sees both.
            #expect(try await platform.client("admin").projects(cluster).map(\.name.text) == ["bobs", "default"])
        }
    }

    @Test func rolesGiveWhatTheySayAndLoseItAtOnce() async throws {
        try await Platform.withDefaults { (platform) async throws in
            let admin = try await platform.client("admin")
            for user in ["alice", "bob"] { try await admin.addOrgUser(OrgUser(userName: user, role: .user), to: org) }
            try await admin.addProjectUser(ProjectUser(userName: "bob", role: .reader), cluster, org, ProjectName("default"))
            #expect(try await platform.holds("bob", "job://default/default/default/job-1", .read))
            #expect(try await !platform.holds("bob", "job://default/default/default", .write))
            let users = "/clusters/default/orgs/default/projects/default/users"
            #expect(try await platform.call("PUT", "\(users)/bob", as: "admin", .object(["role": .string("manager")])).status == 200)
            #expect(try await platform.holds("bob", "storage://default/default/default", .manage))
            #expect(try await !platform.holds("bob", "cluster://default/orgs/default/projects/default/admins", .write))
            // A manager adds others, but no administrators.
            let alice: JSON = .object(["user_name": .string("alice")])
            #expect(try await platform.call("POST", users, as: "bob", alice).json(ProjectUser.self).role == .writer)
            let refused = try await platform.call("PUT", "\(users)/alice", as: "bob", .object(["role": .string("admin")]))
            #expect(refused.status == 403)
            #expect(
                refused.body
                    == #"{"missing": [{"uri": "cluster://default/orgs/default/projects/default/admins", "action": "write"}]}"#)
            #expect(try await platform.call("DELETE", "\(users)/bob", as: "bob").status == 204)
            #expect(try await !platform.holds("bob", "job://default/default/default", .read))
            #expect(try await platform.call("DELETE", "\(users)/admin", as: "admin").error == "Last project admin cannot be removed")
            #expect(
                try await platform.call("PUT", "\(users)/admin", as: "admin", .object(["role": .string("reader")])).error
                    == "Last project admin cannot be demoted")
        }
    }

    @Test func leavingTheOrganizationTakesEverything() async throws {
        try await Platform.withDefaults { (platform) async throws in
            let admin = try await platform.client("admin")
            try await admin.addOrgUser(OrgUser(userName: "bob", role: .manager), to: org)
            try await admin.addProjectUser(ProjectUser(userName: "bob", role: .writer), cluster, org, ProjectName("default"))
            #expect(try await platform.holds("bob", "job://default/default/anything", .manage))
            #expect(try await platform.holds("bob", "role://default/manager", .read))
            #expect(try await platform.call("DELETE", "/orgs/default/users/bob", as: "bob").error == "Org users cannot remove themselves")
            #expect(
                try await platform.call("DELETE", "/orgs/default/users/admin", as: "bob").error
                    == "User bob has to have admin access to remove other admin users")
            #expect(try await platform.call("DELETE", "/orgs/default/users/bob", as: "admin").status == 204)
            for (uri, action) in [
                ("job://default/default/default", Action.read), ("cluster://default/access", .read), ("org://default", .read),
                ("role://default/manager", .read),
            ] { #expect(try await !platform.holds("bob", uri, action), "\(uri)") }
            let user = try #require(try await admin.user(PrincipalName("bob")))
            #expect(user.clusters == [] && user.projects == [] && user.orgs == [])
            #expect(try await platform.authClient().exists(PrincipalName("default/default/users/bob")) == false)
        }
    }

    @Test func membersOfARoleCannotPassItOn() async throws {
        try await Platform.withDefaults { (platform) async throws in
            try await platform.client("admin").addOrgUser(OrgUser(userName: "bob", role: .manager), to: org)
            for role in ["default/manager", "default/default/manager", "default/default/users/bob"] {
                #expect(try await platform.holds("bob", "role://\(role)", .read), "\(role)")
                #expect(try await !platform.holds("bob", "role://\(role)", .write), "\(role)")
            }
        }
    }

    /// A past defect gave administrators of an organization in a cluster the rights of the whole cluster.
    @Test func orgScopedAdministratorsRuleNothingElse() async throws {
        try await Platform.withDefaults { (platform) async throws in
            let admin = try await platform.client("admin")
            try await admin.createOrg(Org(name: OrgName("other")), joiningDefaultClusters: true)
            try await admin.addOrgUser(OrgUser(userName: "bob", role: .user), to: org)
            let path = "/clusters/default/orgs/default/users/bob"
            let body: JSON = .object(["user_name": .string("bob"), "role": .string("admin"), "quota": .object([:])])
            #expect(try await platform.call("PUT", path, as: "admin", body).json(ClusterUser.self).quota == .unlimited)
            #expect(try await platform.holds("bob", "cluster://default/orgs/default/projects/default/admins", .manage))
            for uri in ["cluster://default", "cluster://default/orgs/other", "job://default/other", "cluster://default/users"] {
                #expect(try await !platform.holds("bob", uri, .read), "\(uri)")
            }
            #expect(try await platform.call("GET", "/clusters/default/orgs/other", as: "bob").status == 403)
            #expect(
                try await platform.call("PUT", "/clusters/default/orgs/default", as: "bob", .object(["org_name": .string("default")]))
                    .body == #"{"missing": [{"uri": "cluster://default/orgs/default", "action": "write"}]}"#)
        }
    }
}
