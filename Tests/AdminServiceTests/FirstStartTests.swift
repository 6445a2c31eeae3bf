import PlatformClients
import PlatformModel
import Testing

@Suite struct FirstStartTests {
    @Test func theAdminIsAnExplicitMemberEverywhere() async throws {
        try await Platform.withDefaults { (platform) async throws in
            let admin = try await platform.client("admin")
            let user = try #require(try await admin.user(PrincipalName("admin")))
            #expect(user.orgs?.map(\.role) == [.admin])
            #expect(user.clusters?.map(\.orgName?.text) == ["default", nil])
            #expect(user.clusters?.map(\.role) == [.user, .admin])
            #expect(user.clusters?.first?.quota == Quota(totalRunningJobs: 20))
            #expect(user.projects?.map(\.role) == [.admin])
            #expect(try await admin.clusters().map(\.name.text) == ["default"])
            #expect(try await admin.orgCluster(ClusterName("default"), OrgName("default"))?.quota == Quota(totalRunningJobs: 20))
            #expect(try await admin.clusterUser(ClusterName("default"), OrgName("default"), PrincipalName("admin"))?.role == .user)
        }
    }

    @Test func aSecondStartFindsEverythingThere() async throws {
        try await Platform.withDefaults { (platform) async throws in
            let admin = try await platform.client("admin")
            try await admin.createUser(AdminUser(name: "admin", email: "admin@example.org"))
            #expect(try await !admin.createCluster(AdminCluster(name: ClusterName("default"))))
            #expect(try await !admin.createOrg(Org(name: OrgName("default"))))
            #expect(try await !admin.createProject(.init(name: ProjectName("default")), ClusterName("default"), OrgName("default")))
            #expect(try await !admin.addOrg(OrgCluster(orgName: OrgName("default")), to: ClusterName("default")))
            #expect(try await !admin.addOrgUser(OrgUser(userName: "admin", role: .admin), to: OrgName("default")))
        }
    }

    @Test func whoeverKnowsServicesFindsTheDocumentsTheyNeed() async throws {
        try await Platform.withDefaults { (platform) async throws in
            for service in ["jobs-api", "config-api"] {
                let client = try await platform.client(service)
                #expect(try await client.user(PrincipalName("admin"))?.projects?.count == 1)
                #expect(try await client.user(PrincipalName("nobody")) == nil)
                #expect(try await client.orgCluster(ClusterName("default"), OrgName("default")) != nil)
            }
            let jobs = try await platform.client("jobs-api")
            #expect(try await jobs.org(OrgName("default"))?.balance == Balance())
            #expect(try await jobs.orgUser(OrgName("default"), PrincipalName("admin"))?.role == .admin)
            #expect(try await jobs.clusterUser(ClusterName("default"), OrgName("default"), PrincipalName("bob")) == nil)
        }
    }
}
