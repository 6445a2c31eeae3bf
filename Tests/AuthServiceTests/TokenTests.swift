import Foundation
import Identity
import PlatformModel
import ServiceKit
import TestSupport
import Testing

@Suite(.serialized) struct TokenTests {
    @Test func issuedTokensAreTheirPrincipals() async throws {
        try await Auth.with { auth in
            let alice = try await auth.users("alice")[0]
            let answer = try await auth.service.post(auth.path("alice", "/token"), token: auth.admin, [String: String]())
            #expect(answer.status == 200)
            let token = try #require(try answer.object()["access_token"] as? String)
            #expect(try await auth.service.get(auth.path("alice"), token: token).body == #"{"name":"alice"}"#)
            #expect(try await auth.service.post(auth.path("alice", "/token"), token: alice).status == 403)
            #expect(try await auth.service.post(auth.path("nobody", "/token"), token: auth.admin).status == 404)
            for uri in ["job://c/x", "token:x", "token:"] {
                #expect(try await auth.service.post(auth.path("alice", "/token"), token: auth.admin, ["uri": uri]).status == 400, "\(uri)")
            }
            #expect(try await auth.service.post(auth.path("alice", "/token"), token: auth.admin, ["uri": "x:"]).status == 422)
        }
    }

    @Test(arguments: ["direct", "broader", "role"]) func boundTokensStandWithTheirGrant(way: String) async throws {
        try await Auth.with { auth in
            try await auth.users("alice", "helpers")
            let answer = try await auth.service.post(
                auth.path("alice", "/token"), token: auth.admin, ["uri": "token://c/job/job-1", "job_id": "job-1"])
            let token = try #require(try answer.object()["access_token"] as? String)
            #expect(try await auth.service.get(auth.path("alice"), token: token).status == 401)
            let (holder, uri) =
                way == "direct"
                ? ("alice", "token://c/job/job-1") : way == "broader" ? ("alice", "token://c") : ("helpers", "token://c/job")
            if way == "role" { try await auth.grant("role://helpers", "read", to: "alice") }
            try await auth.grant(uri, "read", to: holder)
            #expect(try await auth.service.get(auth.path("alice"), token: token).status == 200)
            #expect(try await auth.missing([("user://alice", "read")], of: "alice", by: token) == [])
            #expect(try await auth.service.post(auth.path("alice", "/token"), token: token).status == 403)
            #expect(try await auth.revoke(uri, from: holder).status == 204)
            #expect(try await auth.service.get(auth.path("alice"), token: token).status == 401)
            let check = try await auth.service.post(
                auth.path("alice", "/permissions/check"), token: token, [["uri": "user://alice", "action": "read"]])
            #expect(check.status == 401 && !check.body.contains("missing"))
        }
    }

    @Test func aBoundTokenMakesNoOther() async throws {
        try await Auth.with { auth in
            let bound = try await auth.token("admin", uri: "token://c/job/1")
            #expect(try await auth.service.get(auth.path("admin"), token: bound).status == 200)
            #expect(try await auth.service.post(auth.path("admin", "/token"), token: bound).status == 403)
        }
    }

    @Test func badTokensAre401Everywhere() async throws {
        try await Auth.with { auth in
            let stranger = try await TokenSigner(pem: TokenSigner.generatePEM()).sign(TokenClaims(name: PrincipalName("admin")))
            let expired = try await auth.signer.sign(TokenClaims(name: PrincipalName("admin"), expiresAt: Date() - 60))
            let unknown = try await auth.token("nobody")
            let parts = auth.admin.split(separator: ".")
            let none = "eyJhbGciOiJub25lIn0." + parts[1] + "."
            for token in ["INVALID", "a.b.c", stranger, expired, unknown, none] {
                for path in ["/api/v1/users/admin", "/api/v1/secured-ping", "/api/v1/users/admin/permissions/tree?uri=job:"] {
                    let answer = try await auth.service.get(path, token: token)
                    #expect(answer.status == 401 && answer.headers.first(name: "WWW-Authenticate")?.hasPrefix("Bearer") == true)
                }
                let check = try await auth.service.post(
                    "/api/v1/users/admin/permissions/check", token: token, [["uri": "job:", "action": "read"]])
                #expect(check.status == 401 && !check.body.contains("missing"))
            }
            for route in auth.service.assembly.routes where route.access == .principal {
                let path = route.path.replacingOccurrences(of: "{name}", with: "admin").replacingOccurrences(of: "{name...}", with: "admin")
                #expect(try await auth.service.call(.init(rawValue: route.method.rawValue), path).status == 401, "\(route)")
            }
            #expect(try await auth.service.get("/api/v1/ping").body == "Pong")
            #expect(try await auth.service.get("/ping").body == "Pong")
        }
    }

    @Test func theSecondFace() async throws {
        try await Auth.with { auth in
            let tokens = try await auth.users("alice", "alice/service-accounts/ci", "bob")
            let base = "/apis/admin/v1/users/"
            for name in ["alice/service-accounts/ci", "alice:service-accounts:ci"] {
                let answer = try await auth.service.post(
                    base + name + "/permissions/check", token: auth.admin, [["uri": "user://alice/service-accounts/ci", "action": "read"]])
                #expect(answer.status == 200 && answer.body == #"{"missing":[]}"#)
                #expect(try await auth.service.post(base + name + "/token/verify", token: tokens[1]).body == #"{"verified":true}"#)
                #expect(try await auth.service.post(base + name + "/token/verify", token: tokens[2]).status == 401)
                #expect(try await auth.service.post(base + name + "/token", token: auth.admin, ["job_id": "job-7"]).status == 200)
            }
            let missing = try await auth.service.post(
                base + "bob/permissions/check", token: tokens[2], [["uri": "job:", "action": "read"]])
            #expect(missing.status == 200 && missing.body == #"{"missing":[{"action":"read","uri":"job:"}]}"#)
        }
    }

    @Test func keysArePublishedAndOldOnesStillVerify() async throws {
        let (old, new) = (TokenSigner.generatePEM(), TokenSigner.generatePEM())
        try await Auth.with(["auth.signing-keys": new + "\n" + old]) { auth in
            let set = try await auth.service.get("/.well-known/jwks.json").json(PublicKeySet.self)
            #expect(set.keys.count == 2 && Set(set.keys.map(\.kid)).count == 2)
            #expect(try await !auth.service.get("/.well-known/jwks.json").body.contains("\"d\""))
            let token = try await TokenSigner(pem: old).sign(TokenClaims(name: PrincipalName("admin")))
            let answer = try await auth.service.post("/api/v1/users/admin/token", token: token)
            let issued = try #require(try answer.object()["access_token"] as? String)
            let claims = try await TokenVerifier(keys: set).verify(issued)
            #expect(claims.name.text == "admin" && claims.expiresAt == nil)
            let header = String(decoding: try #require(Data(base64Encoded: String(issued.prefix { $0 != "." }) + "==")), as: UTF8.self)
            #expect(header.contains(try await TokenSigner(pem: new).keyID))
        }
    }
}
