import Foundation
import Identity
import PlatformClients
import PlatformModel
import Testing

@Suite struct SpendingTests {
    private let org = OrgName(checked: "default")

    private static func spend(_ amount: String) -> JSON { .object(["spending": .string(amount)]) }

    private static func credits(_ body: [String: JSON]) -> JSON { .object(body) }

    /// One balance of an organization and one of each member, wherever they are read or charged.
    @Test func aChargeIsSeenEverywhere() async throws {
        try await Platform.withDefaults { (platform) async throws in
            try await platform.client("admin").addOrgUser(OrgUser(userName: "bob", role: .user), to: org)
            _ = try await platform.call("PATCH", "/orgs/default/balance", as: "admin", .object(["credits": .string("10")]))
            let first = try await platform.call("POST", "/orgs/default/spending", as: "admin", Self.spend("3.25"))
            #expect(first.status == 200)
            #expect(try first.json(Org.self).balance == Balance(spentCredits: Money(Decimal(3.25)), credits: Money(Decimal(6.75))))
            let second = try await platform.call("POST", "/clusters/default/orgs/default/spending", as: "admin", Self.spend("6.75"))
            #expect(try second.json(OrgCluster.self).balance == Balance(spentCredits: Money(10), credits: .zero))
            // At exactly zero, and below it.
            let third = try await platform.call("POST", "/orgs/default/spending", as: "admin", Self.spend("0.000000000000000001"))
            #expect(third.body.contains(#""credits":"-0.000000000000000001""#))
            #expect(try await platform.client("admin").org(org)?.balance?.isExhausted == true)
            // An unlimited balance stays so; what was spent grows.
            for path in ["/orgs/default/users/bob/spending", "/clusters/default/orgs/default/users/bob/spending"] {
                #expect(try await platform.call("POST", path, as: "admin", Self.spend("2")).status == 200)
            }
            let bob = try await platform.call("GET", "/orgs/default/users/bob", as: "admin").json(OrgUser.self)
            #expect(bob.balance == Balance(spentCredits: Money(4)))
            let member = try await platform.call("GET", "/clusters/default/orgs/default/users/bob", as: "bob").json(ClusterUser.self)
            #expect(member.balance == bob.balance)
            // An older client sets the member's balance by way of the cluster.
            let set = try await platform.call(
                "PATCH", "/clusters/default/orgs/default/users/bob/balance?with_user_info=true", as: "admin",
                .object(["credits": .integer(5)]))
            #expect(try set.json(ClusterUser.self).balance?.credits == Money(5))
            #expect(set.body.contains(#""credits":"5""#) && set.body.contains("bob@example.org"))
            // What a service account spends is its owner's.
            let account = try await platform.call(
                "POST", "/orgs/default/users/bob/service-accounts/ci/spending", as: "admin", Self.spend("1"))
            #expect(try account.json(OrgUser.self).balance == Balance(spentCredits: Money(5), credits: Money(4)))
            // A refund.
            let refund = try await platform.call("POST", "/orgs/default/users/bob/spending", as: "admin", Self.spend("-1"))
            #expect(try refund.json(OrgUser.self).balance == Balance(spentCredits: Money(4), credits: Money(5)))
        }
    }

    @Test func onlyBillingCharges() async throws {
        try await Platform.withDefaults { (platform) async throws in
            let admin = try await platform.client("admin")
            try await admin.createOrg(Org(name: OrgName("elsewhere")))
            for (user, role) in [("alice", OrgRole.admin), ("bob", .user)] {
                try await admin.addOrgUser(OrgUser(userName: user, role: role), to: org)
            }
            // A person who manages the cluster is no biller.
            try await admin.addClusterUser(ClusterUser(userName: "alice", role: .admin), to: ClusterName("default"))
            let paths = [
                "/orgs/default/spending", "/orgs/default/users/bob/spending", "/clusters/default/orgs/default/spending",
                "/clusters/default/orgs/default/users/bob/spending",
            ]
            for path in paths {
                for user in ["alice", "bob"] {
                    let answer = try await platform.call("POST", path, as: user, Self.spend("1"))
                    #expect(answer.status == 403, "\(path) \(user)")
                    #expect(answer.body == #"{"missing": [{"uri": "cluster:", "action": "manage"}]}"#)
                }
            }
            #expect(
                try await platform.call("POST", "/clusters/default/debts", as: "alice", .object(["credits": .string("1")])).status == 403)
            #expect(try await admin.org(org)?.balance == Balance())
            // The services of a cluster charge what was spent there, and give nothing back.
            try await platform.authClient().createUser(PrincipalName("cluster/default"))
            let token = try await platform.signer.sign(
                TokenClaims(name: PrincipalName("cluster/default"), kind: .cluster, cluster: "default", issuedAt: Date() + 2))
            func charge(_ path: String, _ amount: String) async throws -> Int {
                try await platform.admin.call(.POST, Platform.base + path, token: token, body: Self.spend(amount)).status
            }
            for path in paths { #expect(try await charge(path, "1") == 200, "\(path)") }
            #expect(try await charge("/orgs/default/spending", "-1") == 403)
            #expect(try await charge("/orgs/elsewhere/spending", "1") == 403)
            #expect(try await charge("/clusters/another/orgs/default/spending", "1") == 403)
            // Nor is a debt a way to charge those who are in another cluster, or nowhere.
            for name in ["elsewhere", "default"] {
                let debt: JSON = .object(["credits": .string("100"), "org_name": .string(name)])
                let path = Platform.base + "/clusters/default/debts"
                #expect(try await platform.admin.call(.POST, path, token: token, body: debt).status == 204)
            }
            #expect(try await admin.org(OrgName("elsewhere"))?.balance?.spentCredits == .zero)
            #expect(try await admin.org(org)?.balance?.spentCredits == Money(102))
        }
    }

    /// Credits come from whoever runs the clusters, not from the organization itself.
    @Test func anOrganizationDoesNotGiveItselfCredits() async throws {
        try await Platform.withDefaults { (platform) async throws in
            let admin = try await platform.client("admin")
            try await admin.addOrgUser(OrgUser(userName: "bob", role: .admin), to: org)
            let body: JSON = .object(["additional_credits": .string("100")])
            let refused = #"{"missing": [{"uri": "cluster://default/orgs/default", "action": "write"}]}"#
            for path in ["/orgs/default/balance", "/clusters/default/orgs/default/balance"] {
                let answer = try await platform.call("PATCH", path, as: "bob", body)
                #expect(answer.status == 403 && answer.body == refused, "\(path)")
            }
            // A stranger hears neither of the organization nor of its clusters.
            for name in ["default", "nosuch"] {
                let answer = try await platform.call("PATCH", "/orgs/\(name)/balance", as: "alice", body)
                #expect(answer.status == 403 && answer.error == "User alice does not have access to org \(name)")
            }
            // A manager of the cluster does.
            try await admin.addClusterUser(ClusterUser(userName: "alice", role: .manager), to: ClusterName("default"))
            _ = try await platform.call("PATCH", "/orgs/default/balance", as: "alice", .object(["credits": .string("1")]))
            let added = try await platform.call("PATCH", "/clusters/default/orgs/default/balance", as: "alice", body)
            #expect(try added.json(OrgCluster.self).balance?.credits == Money(101))
            // The same on adding and replacing: named credits are set, others stay; what was spent is never taken from a body.
            _ = try await platform.call("POST", "/orgs/default/spending", as: "admin", Self.spend("1"))
            var put: [String: JSON] = ["org_name": .string("default"), "balance": .object(["spent_credits": .string("0")])]
            func replace() async throws -> Balance? {
                try await platform.call("PUT", "/clusters/default/orgs/default", as: "admin", .object(put)).json(OrgCluster.self).balance
            }
            #expect(try await replace() == Balance(spentCredits: Money(1), credits: Money(100)))
            put["balance"] = .object(["spent_credits": .string("0"), "credits": .string("7")])
            #expect(try await replace() == Balance(spentCredits: Money(1), credits: Money(7)))
        }
    }

    @Test func whoIsGoneLeavesDebts() async throws {
        try await Platform.withDefaults { (platform) async throws in
            let admin = try await platform.client("admin")
            try await admin.addOrgUser(OrgUser(userName: "bob", role: .user), to: org)
            #expect(try await platform.call("DELETE", "/orgs/default/users/bob", as: "admin").status == 204)
            let key = "?idempotency_key=one-consumption"
            let charge = try await platform.call("POST", "/orgs/default/users/bob/spending" + key, as: "admin", Self.spend("2"))
            #expect(charge.status == 404 && charge.error == "User 'bob' not found in org 'default'")
            let debt: JSON = .object(["credits": .string("2"), "org_name": .string("default"), "user_name": .string("bob")])
            for _ in 0..<2 { #expect(try await platform.call("POST", "/clusters/default/debts" + key, as: "admin", debt).status == 204) }
            let log = try await platform.audit("event=debt&target=clusters/default")
            #expect(log.count == 1)
            // Who is back by then is charged.
            try await admin.addOrgUser(OrgUser(userName: "bob", role: .user), to: org)
            #expect(try await platform.call("POST", "/clusters/default/debts?idempotency_key=two", as: "admin", debt).status == 204)
            #expect(try await admin.orgUser(org, PrincipalName("bob"))?.balance?.spentCredits == Money(2))
            let noOrg: JSON = .object(["credits": .string("2"), "user_name": .string("bob")])
            #expect(try await platform.call("POST", "/clusters/default/debts", as: "admin", noOrg).status == 400)
        }
    }

    @Test func aKeyCountsOnceForItsCallerAndRoute() async throws {
        try await Platform.withDefaults { (platform) async throws in
            try await platform.client("admin").addOrgUser(OrgUser(userName: "bob", role: .manager), to: org)
            func change(_ path: String, _ amount: String, as name: String = "admin") async throws -> Int {
                let body: JSON = .object(["additional_credits": .string(amount)])
                return try await platform.call("PATCH", "\(path)?idempotency_key=k", as: name, body).status
            }
            func left() async throws -> Money? {
                try await platform.client("admin").orgUser(org, PrincipalName("bob"))?.balance?.credits
            }
            _ = try await platform.call("PATCH", "/orgs/default/users/bob/balance", as: "admin", .object(["credits": .string("0.5")]))
            for _ in 0..<2 { #expect(try await change("/orgs/default/users/bob/balance", "1") == 200) }
            #expect(try await left() == Money(Decimal(1.5)))
            // Another amount: refused, and nothing happens.
            #expect(try await change("/orgs/default/users/bob/balance", "2") == 409)
            // However the path is written.
            #expect(try await change("/orgs/def%61ult/users/%62ob/balance", "1") == 200)
            #expect(try await left() == Money(Decimal(1.5)))
            // Another caller with the same key is another change, and so is another route.
            #expect(try await change("/orgs/default/users/bob/balance", "1", as: "bob") == 200)
            #expect(try await left() == Money(Decimal(2.5)))
            #expect(try await change("/clusters/default/orgs/default/users/bob/balance", "1") == 200)
            #expect(try await left() == Money(Decimal(3.5)))
            // What failed used up no key.
            #expect(try await change("/orgs/default/users/alice/balance", "1") == 404)
            try await platform.client("admin").addOrgUser(OrgUser(userName: "alice", role: .user), to: org)
            #expect(try await change("/orgs/default/users/alice/balance", "1") == 200)
            #expect(try await change("/orgs/default/balance", "1", as: "alice") == 403)
            let long = String(repeating: "k", count: 256)
            let refused = try await platform.call("PATCH", "/orgs/default/balance?idempotency_key=\(long)", as: "admin", .object([:]))
            #expect(refused.status == 400)
        }
    }

    @Test func concurrentChargesAndTopUpsAllCount() async throws {
        try await Platform.withDefaults { (platform) async throws in
            _ = try await platform.call("PATCH", "/orgs/default/balance", as: "admin", .object(["credits": .string("100")]))
            try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<10 {
                    group.addTask { try await platform.call("POST", "/orgs/default/spending", as: "admin", Self.spend("3")).status }
                    group.addTask {
                        let body: JSON = .object(["additional_credits": .string("2")])
                        return try await platform.call("PATCH", "/orgs/default/balance", as: "admin", body).status
                    }
                    // The same charge from many replicas of the billing service at once.
                    group.addTask {
                        try await platform.call("POST", "/orgs/default/spending?idempotency_key=same", as: "admin", Self.spend("7")).status
                    }
                }
                for try await status in group { #expect(status == 200) }
            }
            let balance = try await platform.client("admin").org(org)?.balance
            #expect(balance == Balance(spentCredits: Money(37), credits: Money(83)))
        }
    }

    @Test func badAmountsAreRefused() async throws {
        try await Platform.withDefaults { (platform) async throws in
            let huge = "99999999999999999999"
            let bodies: [JSON] = [
                .object([:]), .object(["credits": .string("1"), "additional_credits": .string("1")]), .object(["credits": .string("1e3")]),
                .object(["credits": .string("NaN")]), .object(["credits": .string("1,000")]), .object(["credits": .bool(true)]),
                .object(["additional_credits": .null]), .array([]),
            ]
            for path in [
                "/orgs/default/balance", "/orgs/default/users/admin/balance", "/clusters/default/orgs/default/balance",
                "/clusters/default/orgs/default/users/admin/balance",
            ] {
                for body in bodies { #expect(try await platform.call("PATCH", path, as: "admin", body).status == 400, "\(path) \(body)") }
            }
            for body: JSON in [.object([:]), .object(["spending": .null]), .object(["spending": .string("")])] {
                #expect(try await platform.call("POST", "/orgs/default/spending", as: "admin", body).status == 400, "\(body)")
            }
            // More than the column holds.
            _ = try await platform.call("PATCH", "/orgs/default/balance", as: "admin", .object(["credits": .string(huge)]))
            let more: JSON = .object(["additional_credits": .string(huge)])
            let overflow = try await platform.call("PATCH", "/orgs/default/balance", as: "admin", more)
            #expect(overflow.status == 400 && overflow.error == "The amount is larger than can be stored")
            // A number is read as well as a text, and always written as one; zero is not unlimited.
            let zero = try await platform.call("PATCH", "/orgs/default/balance", as: "admin", .object(["credits": .integer(0)]))
            #expect(zero.body.contains(#""credits":"0""#))
            let none = try await platform.call("PATCH", "/orgs/default/balance", as: "admin", .object(["credits": .null]))
            #expect(try none.json(Org.self).balance?.credits == nil)
        }
    }
}
