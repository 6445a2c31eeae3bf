import Foundation
import PlatformClients
import PlatformModel
import TestSupport
import Testing

/// `GET /config`.
@Suite(.timeLimit(.minutes(5)))
struct BootstrapTests {
    private let signInKeys: Set = [
        "auth_url", "token_url", "logout_url", "client_id", "audience", "headless_callback_url", "success_redirect_url",
    ]

    private func keys(_ answer: TestAnswer) throws -> Set<String> { Set(try answer.object().keys) }

    @Test func anyoneLearnsHowToSignInAndNothingElse() async throws {
        try await Platform.run { platform in
            try await platform.makeCluster("company")
            let answer = try await platform.service.get("/api/v1/config")
            #expect(answer.status == 200)
            #expect(try answer.object()["authorized"] as? Bool == false)
            #expect(try keys(answer).isSuperset(of: signInKeys))
            #expect(try keys(answer).isDisjoint(with: ["clusters", "orgs", "projects", "admin_url", "vcluster_url"]))
            #expect(!answer.body.contains("null"))
        }
    }

    @Test func tokensThatDoNotStandGetTheAnonymousAnswer() async throws {
        try await Platform.run { platform in
            platform.neighbours.revoke("gone")
            let expired = try await platform.token("admin", expiresAt: Date(timeIntervalSinceNow: -3600))
            let foreign = try await platform.token("admin") + "x"
            for token in ["garbage", expired, foreign, try await platform.token("gone")] {
                let answer = try await platform.service.get("/api/v1/config", token: token)
                #expect(answer.status == 200)
                #expect(try answer.object()["authorized"] as? Bool == false)
                #expect(try keys(answer).isSuperset(of: signInKeys))
                #expect(try keys(answer).isDisjoint(with: ["clusters", "projects"]))
            }
        }
    }

    /// Elsewhere such a header is refused; the client cannot go on without this document.
    @Test(arguments: ["Bearer", "Bearer ", "Basic YTpi", "garbage", ""]) func aHeaderThatCannotBeReadIsNoIdentity(header: String)
        async throws
    {
        try await Platform.run { platform in
            let answer = try await platform.service.get("/api/v1/config", headers: ["Authorization": header])
            #expect(answer.status == 200)
            #expect(try answer.object()["authorized"] as? Bool == false)
            #expect(try keys(answer).isSuperset(of: signInKeys))
            #expect(try keys(answer).isDisjoint(with: ["clusters", "projects"]))
        }
    }

    @Test func aMemberSeesClustersOrgsAndProjects() async throws {
        try await Platform.run { platform in
            try await platform.makeCluster("second")
            try await platform.makeCluster("first")
            platform.neighbours.add(
                AdminUser(
                    name: "alice", email: "a@example.com",
                    orgs: [OrgUser(userName: "alice", orgName: try OrgName("acme"), role: .admin)],
                    clusters: [
                        ClusterUser(userName: "alice", clusterName: try ClusterName("first"), role: .user, orgName: try OrgName("acme")),
                        ClusterUser(userName: "alice", clusterName: try ClusterName("unknown"), role: .user, orgName: try OrgName("acme")),
                        ClusterUser(userName: "alice", clusterName: try ClusterName("second"), role: .user, orgName: nil),
                        ClusterUser(userName: "alice", clusterName: try ClusterName("first"), role: .user, orgName: try OrgName("other")),
                    ],
                    projects: [
                        ProjectUser(
                            projectName: try ProjectName("research"), clusterName: try ClusterName("first"), orgName: try OrgName("acme"),
                            userName: "alice", role: .writer)
                    ]))
            // A service account works with its owner's memberships.
            for name in ["alice", "alice/service-accounts/robot"] {
                let answer = try await platform.service.get("/api/v1/config", token: try await platform.token(name))
                let document: BootstrapDocument = try answer.json()
                #expect(document.authorized)
                #expect(document.orgs?.map(\.name.text) == ["acme"])
                #expect(document.clusters?.map(\.name.text) == ["first"])
                let cluster = try #require(document.clusters?.first)
                #expect(cluster.orgs.map(\.text) == ["acme", "other"])
                #expect(cluster.usersURL == "https://platform.example.com/api/v1/users")
                #expect(cluster.resourcePresets.map(\.preset.name) == ["cpu-small"])
                #expect(cluster.resourcePresets.first?.preset.availableResourcePoolNames == ["cpu"])
                #expect(document.projects?.map(\.role) == [.writer])
                #expect(document.adminURL == "https://platform.example.com/apis/admin/v1")
                #expect(document.vclusterURL == "https://platform.example.com/apis/vcluster/v1")
                #expect(answer.headers.first(name: "Cache-Control") == "no-store")
                #expect(!answer.body.contains("credentials"))
            }
        }
    }

    @Test func whomTheAdminDoesNotKnowHasNothing() async throws {
        try await Platform.run { platform in
            let answer = try await platform.service.get("/api/v1/config", token: try await platform.token("newcomer"))
            #expect(answer.status == 200)
            let document: BootstrapDocument = try answer.json()
            #expect(document.authorized && document.clusters == [] && document.projects == [] && document.orgs == [])
        }
    }

    @Test func volumesWithAPathAreForThoseWhoMayReadThem() async throws {
        try await Platform.run { platform in
            try await platform.makeCluster("company")
            let patch = JSON.parse(
                """
                {"storage": {"url": "https://s.example.com", "volumes": [{"name": "default"}, {"name": "team", "path": "/team"},
                 {"name": "other", "path": "/other"}]}}
                """)
            #expect(try await platform.service.patch("/api/v1/clusters/company", token: platform.token("admin"), patch).status == 200)
            platform.neighbours.add(
                AdminUser(
                    name: "alice", email: "a@example.com",
                    clusters: [
                        ClusterUser(userName: "alice", clusterName: try ClusterName("company"), role: .user, orgName: try OrgName("acme"))
                    ]))
            try platform.neighbours.grant("alice", "storage://company/team", .read)
            let document: BootstrapDocument = try await platform.service.get(
                "/api/v1/config", token: try await platform.token("alice")
            ).json()
            #expect(document.clusters?.first?.storageVolumes.map(\.name) == ["default", "team"])
        }
    }
}
