import Foundation
import Identity
import PlatformClients
import PlatformModel
import ServiceKit
import TestSupport
import Testing

/// The token of the software inside a cluster.
@Suite(.timeLimit(.minutes(5)))
struct TokenTests {
    private let name = "default"

    private func document(_ plane: ControlPlane) async throws -> ClusterDocument {
        try #require(try await plane.configClient("jobs-api").cluster(ClusterName(name)))
    }

    private func token(_ plane: ControlPlane) async throws -> String {
        try #require(try await document(plane).credentials?["neuro"]?["token"]?.string)
    }

    @Test func everyClusterHasATokenThatOpensItsOwnDoorsAlone() async throws {
        try await ControlPlane.run { (plane) async throws in
            try await plane.start()
            try await plane.configClient("admin").createCluster(ClusterName("other"))
            #expect(try await document(plane).credentials?["neuro"]?["url"]?.string == "http://127.0.0.1:8080")
            let token = try await token(plane)
            let claims = try await TokenVerifier(keys: plane.signer.publicKeys).verify(token)
            #expect(claims.name.text == "cluster/default" && claims.kind == .cluster && claims.cluster == "default")

            let own = ConfigClient(http: plane.config.http, baseURL: plane.config.url, token: Secret(token))
            let seen = try await own.clusters()
            #expect(seen.map(\.name.text) == ["default"] && seen.first?.kubernetes != nil)
            #expect(try await own.cluster(ClusterName("other")) == nil)
            let path = "/api/v1/clusters/default"
            let pools = JSON.parse(#"{"orchestrator": {"resource_pool_types": [{"name": "pool", "cpu": 2}]}}"#)
            #expect(try await plane.config.patch(path, token: token, pools).status == 200)
            #expect(try await plane.config.patch(path, token: token, JSON.parse(#"{"location": "x"}"#)).status == 403)
            #expect(try await plane.config.delete(path, token: token).status == 403)
            #expect(try await plane.config.post("/api/v1/clusters", token: token, ["name": "third"]).status == 403)

            // At auth-api it reads what is in its cluster, and changes nothing.
            let caller = Caller(name: "cluster/default", token: token, kind: .cluster, cluster: "default")
            let auth = AuthClient(http: plane.auth.http, baseURL: plane.auth.url)
            let asked = try ["job://default", "job://other", "cluster://other/access"].map { Permission(try ResourceURI($0), .read) }
            let write = Permission(try ResourceURI("job://default"), .write)
            #expect(
                try await auth.check(asked + [write], as: caller).map(\.uri.text) == [
                    "job://other", "cluster://other/access", "job://default",
                ])
        }
    }

    @Test func theTokenEndsWithItsClusterAndANewOneBegins() async throws {
        try await ControlPlane.run { (plane) async throws in
            try await plane.start()
            let old = try await token(plane)
            #expect(try await plane.config.get("/api/v1/clusters/default", token: old).status == 200)
            #expect(try await plane.config.delete("/api/v1/clusters/default", token: plane.token("admin")).status == 204)
            #expect(try await plane.config.get("/api/v1/clusters", token: old).status == 401)
            try await plane.configClient("admin").createCluster(ClusterName(name))
            let new = try await token(plane)
            #expect(try await plane.config.get("/api/v1/clusters/default", token: new).status == 200)
            #expect(try await plane.config.get("/api/v1/clusters", token: old).status == 401)
        }
    }

    @Test func anOrganizationOfTheSameNameIsSomebodyElse() async throws {
        try await ControlPlane.run { (plane) async throws in
            try await plane.start()
            let token = try await token(plane)
            let admin = AdminClient(
                http: plane.admin.http, baseURL: plane.admin.url + "/apis/admin/v1", token: Secret(try await plane.token("admin")))
            let org = try OrgName(name)
            try await admin.addOrgUser(OrgUser(userName: "alice", role: .admin), to: org)
            // An administrator of the organization can neither act for the cluster nor read what it sees.
            let alice = try await plane.token("alice")
            for principal in ["cluster:default", "default"] {
                #expect(try await plane.auth.post("/api/v1/users/\(principal)/token", token: alice).status == 403)
            }
            #expect(try await !plane.config.get("/api/v1/clusters/default", token: alice).body.contains("credentials"))
            // The organization goes and the cluster does not notice.
            #expect(try await plane.admin.delete("/apis/admin/v1/orgs/default", token: plane.token("admin")).status < 300)
            #expect(try await plane.config.get("/api/v1/clusters/default", token: token).status == 200)
        }
    }

    @Test func aTokenThatWasGivenIsKept() async throws {
        try await Platform.run { platform in
            let admin = try await platform.token("admin")
            let body = ["name": "company", "token": "GIVEN-TOKEN"]
            let made = try await platform.service.post("/api/v1/clusters", token: admin, body)
            #expect(made.status == 201 && !made.body.contains("GIVEN-TOKEN"))
            let own: ClusterDocument = try await platform.service.get(
                "/api/v1/clusters/company", token: platform.ownToken("company")
            ).json()
            #expect(own.credentials?["neuro"]?["token"]?.string == "GIVEN-TOKEN")
        }
    }

    @Test func aClusterGetsItsTokenLaterIfItMust() async throws {
        try await Platform.run(settings: ["config.token.interval": "0.1", "public.helm.url": "oci://charts.example.com"]) { platform in
            platform.neighbours.issuesNoTokens = true
            try await platform.makeCluster("company")
            let jobs = platform.client(try await platform.token("jobs-api", kind: .controlPlane))
            var changes = jobs.clusterChanges().makeAsyncIterator()
            #expect(try await changes.next()?.first?.credentials == nil)
            platform.neighbours.issuesNoTokens = false
            let credentials = try await changes.next()?.first?.credentials
            #expect(credentials?["neuro"]?["token"]?.string == "token-of-cluster/company")
            #expect(credentials?["neuro_helm"]?["url"]?.string == "oci://charts.example.com")
        }
    }
}
