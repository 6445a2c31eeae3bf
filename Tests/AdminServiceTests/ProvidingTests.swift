import Foundation
import PlatformClients
import PlatformModel
import Testing

/// Anybody can make a cluster and manages it then. That must give no hold on organizations that others made.
@Suite struct ProvidingTests {
    private let org = OrgName(checked: "default")

    private func joining(_ org: String, _ more: [String: JSON] = [:]) -> JSON {
        .object(["org_name": .string(org), "default_role": .string("user"), "maintenance": .bool(false)].merging(more) { $1 })
    }

    private func balance(_ credits: String) -> [String: JSON] {
        ["balance": .object(["spent_credits": .string("0"), "credits": .string(credits)])]
    }

    @Test func aClusterOfOnesOwnDrawsNobodyIn() async throws {
        try await Platform.withDefaults { (platform) async throws in
            #expect(try await platform.call("POST", "/clusters", as: "bob", .object(["name": .string("bobs")])).status == 200)
            // Neither told whether the organization is there.
            for name in ["default", "nosuch"] {
                let answer = try await platform.call("POST", "/clusters/bobs/orgs", as: "bob", joining(name))
                #expect(answer.status == 403 && answer.error == "User bob does not have access to org \(name)")
            }
            let admin = try await platform.client("admin")
            try await admin.addOrgUser(OrgUser(userName: "bob", role: .manager), to: org)
            let member = try await platform.call("POST", "/clusters/bobs/orgs", as: "bob", joining("default"))
            #expect(member.status == 403 && member.body == #"{"missing": [{"uri": "org://default", "action": "write"}]}"#)
            // An administrator of the organization, in a cluster of others: theirs to say.
            try await admin.createCluster(AdminCluster(name: ClusterName("others")))
            #expect(
                try await platform.call("PUT", "/orgs/default/users/bob", as: "admin", .object(["role": .string("admin")])).status == 200)
            let elsewhere = try await platform.call("POST", "/clusters/others/orgs", as: "bob", joining("default"))
            #expect(elsewhere.body == #"{"missing": [{"uri": "cluster://others/orgs/default", "action": "write"}]}"#)
            #expect(try await platform.call("POST", "/clusters/bobs/orgs", as: "bob", joining("default")).status == 200)
        }
    }

    /// An administrator of an organization brings it to a cluster of his own, and still does not print money.
    @Test func creditsAreSetByWhoManagesEveryCluster() async throws {
        try await Platform.withDefaults { (platform) async throws in
            let admin = try await platform.client("admin")
            try await admin.addOrgUser(OrgUser(userName: "bob", role: .admin), to: org)
            _ = try await platform.call("PATCH", "/orgs/default/balance", as: "admin", .object(["credits": .string("10")]))
            _ = try await platform.call("POST", "/clusters", as: "bob", .object(["name": .string("bobs")]))
            let text =
                "The credits of org default count in every cluster it is in: only who manages all of them, or the platform, may change them"
            let printed = try await platform.call("POST", "/clusters/bobs/orgs", as: "bob", joining("default", balance("1000")))
            #expect(printed.status == 403 && printed.error == text)
            #expect(try await platform.call("GET", "/clusters/bobs/orgs", as: "bob").body == "[]")
            // What is already so may be said, as a client does that sends back what it read.
            #expect(try await platform.call("POST", "/clusters/bobs/orgs", as: "bob", joining("default", balance("10"))).status == 200)
            let more: JSON = .object(["additional_credits": .string("1000")])
            for path in ["/orgs/default/balance", "/clusters/bobs/orgs/default/balance"] {
                let answer = try await platform.call("PATCH", path, as: "bob", more)
                #expect(answer.status == 403 && answer.error == text, "\(path)")
            }
            let put = try await platform.call("PUT", "/clusters/bobs/orgs/default", as: "bob", joining("default", balance("1000")))
            #expect(put.status == 403 && put.error == text)
            #expect(try await platform.call("PUT", "/clusters/bobs/orgs/default", as: "bob", joining("default")).status == 200)
            #expect(try await admin.org(org)?.balance == Balance(credits: Money(10)))
            // Who manages the other cluster too may.
            try await admin.addClusterUser(ClusterUser(userName: "bob", role: .manager), to: ClusterName("default"))
            #expect(try await platform.call("PATCH", "/clusters/bobs/orgs/default/balance", as: "bob", more).status == 200)
            #expect(try await platform.call("PATCH", "/orgs/default/balance", as: "bob", more).status == 200)
            #expect(try await admin.org(org)?.balance == Balance(credits: Money(2010)))
        }
    }

    /// An organization that is in no cluster is provided for by the platform alone.
    @Test func whoIsInNoClusterGetsCreditsFromThePlatform() async throws {
        try await Platform.withDefaults { (platform) async throws in
            let body: JSON = .object(["credits": .string("5")])
            let skip = "/orgs?skip_auto_add_to_clusters=true"
            #expect(try await platform.call("POST", skip, as: "bob", .object(["name": .string("bobs-org")])).status == 200)
            let refused = try await platform.call("PATCH", "/orgs/bobs-org/balance", as: "bob", body)
            #expect(refused.status == 403 && refused.body == #"{"missing": [{"uri": "cluster:", "action": "manage"}]}"#)
            #expect(try await platform.call("PATCH", "/orgs/bobs-org/balance", as: "admin", body).status == 200)
        }
    }

    @Test func addingAndReplacingTakeTheCreditsOfTheBody() async throws {
        try await Platform.withDefaults { (platform) async throws in
            let admin = try await platform.client("admin")
            try await admin.createOrg(Org(name: OrgName("acme")), joiningDefaultClusters: true)
            #expect(try await platform.call("DELETE", "/clusters/default/orgs/acme", as: "admin").status == 204)
            let at = "/clusters/default/orgs"
            let made = try await platform.call("POST", at, as: "admin", joining("acme", balance("100"))).json(OrgCluster.self)
            #expect(made.balance == Balance(credits: Money(100)))
            #expect(try await admin.org(OrgName("acme"))?.balance == Balance(credits: Money(100)))
            #expect(try await platform.call("DELETE", "\(at)/acme", as: "admin").status == 204)
            // Named by no body, they stay.
            let again = try await platform.call("POST", at, as: "admin", joining("acme")).json(OrgCluster.self)
            #expect(again.balance == Balance(credits: Money(100)))
            let changed = try await platform.call("PUT", "\(at)/acme", as: "admin", joining("acme", balance("80.5"))).json(OrgCluster.self)
            #expect(changed.balance == Balance(credits: Money(Decimal(80.5))))
            #expect(try await platform.audit("event=balance&target=orgs/acme").count == 2)
        }
    }

    @Test func replacingAMemberTakesTheCreditsOfTheBody() async throws {
        try await Platform.withDefaults { (platform) async throws in
            let admin = try await platform.client("admin")
            try await admin.addOrgUser(OrgUser(userName: "bob", role: .user), to: org)
            _ = try await platform.call("POST", "/orgs/default/users/bob/spending", as: "admin", .object(["spending": .string("3")]))
            func put(_ body: [String: JSON]) async throws -> OrgUser {
                let all = body.merging(["user_name": .string("bob"), "role": .string("user")]) { $1 }
                return try await platform.call("PUT", "/orgs/default/users/bob", as: "admin", .object(all)).json(OrgUser.self)
            }
            #expect(try await put(balance("8")).balance == Balance(spentCredits: Money(3), credits: Money(8)))
            #expect(try await put([:]).balance == Balance(spentCredits: Money(3), credits: Money(8)))
            #expect(try await admin.orgUser(org, PrincipalName("bob"))?.balance?.credits == Money(8))
            // A balance without credits is unlimited.
            let none = try await put(["balance": .object(["spent_credits": .string("0")])])
            #expect(none.balance == Balance(spentCredits: Money(3)))
            let line = try await platform.audit("target=orgs/default/users/bob&limit=1").first
            guard case .object(let fields)? = line, case .object(let old)? = fields["old"] else {
                Issue.record("\(String(describing: line))")
                return
            }
            #expect(fields["event"] == .string("update"))
            #expect(old["balance"] == .object(["spent_credits": .string("3"), "credits": .string("8")]))
        }
    }
}
