import Foundation
import Kubernetes
import NIOHTTP1
import TestSupport
import Testing

@testable import SecretsService

/// The API as its clients see it (secrets.md 3, 9).
@Suite(.timeLimit(.minutes(5))) struct APITests {
    @Test func pings() async throws {
        try await Stage.with { stage in
            for path in ["/ping", "/api/v1/ping", "/api/v1/ping/secrets-api"] {
                let answer = try await stage.service.get(path)
                #expect(answer.status == 200 && answer.body == "Pong")
                #expect(answer.headers.first(name: "X-Service-Version")?.hasPrefix("platform-secrets/") == true)
            }
            let path = "/api/v1/secured-ping"
            let known = try await stage.service.get(path, token: stage.user("alice"))
            #expect(known.status == 200 && known.body == "Secured Pong")
            let nobody = try await stage.service.get(path)
            #expect(nobody.status == 401 && nobody.body == "401: Unauthorized")
            #expect(try await stage.service.get(path, token: stage.token("unknown")).status == 401)
            #expect(try await stage.service.get(path, token: "garbage").status == 401)
        }
    }

    @Test func aSecretsLife() async throws {
        try await Stage.with { stage in
            let alice = try await stage.writer()
            #expect(try await stage.list(token: alice).body == "[]")
            let made = try await stage.add("K1", "one", token: alice)
            #expect(made.status == 201 && !made.body.contains("value"))
            let entry = #"{"key":"K1","org_name":"acme","owner":"vision","project_name":"vision"}"#
            #expect(made.body == entry)
            let listed = try await stage.list(token: alice)
            #expect(listed.status == 200 && listed.body == "[\(entry)]")
            #expect(listed.headers.first(name: "Content-Type") == "application/json; charset=utf-8")
            #expect(listed.headers.first(name: "Cache-Control") == "no-store")
            // Other places have nothing, whether or not they are there.
            #expect(try await stage.list("org_name=other&project_name=vision", token: alice).body == "[]")
            #expect(try await stage.list("org_name=acme&project_name=other", token: alice).body == "[]")
            // A second one; case matters; replacing is silent.
            #expect(try await stage.add("k1", "two", token: alice).status == 201)
            for _ in 1...2 { #expect(try await stage.add("K1", "three", token: alice).status == 201) }
            #expect(try await stage.keys(token: alice) == ["K1", "k1"])
            let read = try await stage.get("K1", token: alice)
            #expect(read.status == 200 && read.headers.first(name: "Cache-Control") == "no-store")
            #expect(try read.json([String: String].self)["value"] == Data("three".utf8).base64EncodedString())
            #expect(try read.json(SecretEntry.self) == listed.json([SecretEntry].self).first)
            let head = try await stage.service.call(.HEAD, "/api/v1/secrets/K1?\(Stage.place)", token: alice)
            #expect(head.status == 200 && head.data.isEmpty)
            #expect(head.headers.first(name: "Content-Type") == read.headers.first(name: "Content-Type"))
            #expect(try await stage.service.call(.HEAD, "/api/v1/secrets/K2?\(Stage.place)", token: alice).status == 404)
            // Removing.
            let removed = try await stage.remove("K1", token: alice)
            #expect(removed.status == 204 && removed.data.isEmpty && !removed.headers.contains(name: "Content-Type"))
            #expect(try await stage.keys(token: alice) == ["k1"])
            #expect(try await stage.remove("k1", token: alice).status == 204)
            #expect(try await stage.list(token: alice).body == "[]")
            // A Secret without data is left, which is not in the way.
            #expect(try await stage.stored() == [:])
            #expect(try await stage.get("K1", token: alice).error == "Secret 'K1' not found")
            #expect(try await stage.add("K1", "again", token: alice).status == 201)
            #expect(try await stage.stored() == ["K1": Data("again".utf8)])
        }
    }

    @Test func whatIsNotThere() async throws {
        try await Stage.with { stage in
            let alice = try await stage.writer()
            for _ in 1...2 {
                let read = try await stage.get("nonexistent-key", token: alice)
                #expect(read.status == 404 && read.body == #"{"error":"Secret 'nonexistent-key' not found"}"#)
                let removed = try await stage.remove("unknown", token: alice)
                #expect(removed.status == 404 && removed.body == #"{"error":"Secret 'unknown' not found"}"#)
                // And once more with a Secret in the project.
                #expect(try await stage.add("other", "x", token: alice).status == 201)
            }
            #expect(try await stage.keys(token: alice) == ["other"])
        }
    }

    @Test func withoutATokenNothingIsTold() async throws {
        try await Stage.with { stage in
            let unknown = try await stage.token("unknown")
            for token in [nil, "garbage"] {
                #expect(try await stage.list("", token: token).status == 401)
                #expect(try await stage.get("K", "", token: token).status == 401)
                #expect(try await stage.add("K", "v", token: token).status == 401)
                // The body, which may be large, is not looked at before.
                #expect(try await stage.post("{", token: token).status == 401)
                #expect(try await stage.remove("K", token: token).status == 401)
            }
            for answer in [
                try await stage.list(token: unknown), try await stage.get("K", token: unknown),
                try await stage.add("K", "v", token: unknown), try await stage.remove("K", token: unknown),
            ] { #expect(answer.status == 401 && answer.body == "401: Unauthorized") }
            func asked(_ header: String) async throws -> TestAnswer {
                try await stage.service.get("/api/v1/secrets", headers: HTTPHeaders([("Authorization", header)]))
            }
            #expect(try await asked("Basic YTpi").error == "Unexpected authorization scheme")
            #expect(try await asked("Bearer").error == "No credentials")
            #expect(try await asked("Bearer garbage").status == 401)
        }
    }

    @Test func whoMayWhat() async throws {
        try await Stage.with { stage in
            let alice = try await stage.writer()
            let bob = try await stage.writer("bob")
            let slashed = try await stage.user("alice/service-accounts/bot", "write secret://default/acme/vision")
            let reader = try await stage.user("rita", "read secret://default/acme/vision/one")
            // To whom the tree says that something lies below.
            let lister = try await stage.user("lister", "read secret://default/acme/vision/three")
            let orgWide = try await stage.user("orgwide", "write secret://default/acme")
            let foreign = try await stage.user("foreign", "manage secret://other/acme", "manage secret://default/beta")
            let nobody = try await stage.user("nobody")
            let made = try await stage.add("one", "1", token: slashed)
            #expect(made.status == 201 && made.body.contains(#""owner":"vision""#))
            #expect(try await stage.add("two", "2", token: bob).status == 201)
            for token in [alice, bob, slashed, orgWide] { #expect(try await stage.keys(token: token) == ["one", "two"]) }
            // One key: that one, and no writing.
            #expect(try await stage.keys(token: reader) == ["one"])
            #expect(try await stage.get("one", token: reader).status == 200)
            #expect(try await stage.get("two", token: reader).status == 403)
            #expect(try await stage.add("one", "x", token: reader).status == 403)
            for token in [lister, foreign, nobody] {
                #expect(try await stage.list(token: token).body == "[]")
                // Whether or not there is one.
                for key in ["one", "none"] {
                    let read = try await stage.get(key, token: token)
                    #expect(read.status == 403)
                    #expect(read.body == #"{"missing":[{"action":"read","uri":"secret://default/acme/vision/\#(key)"}]}"#)
                    let removed = try await stage.remove(key, token: token)
                    #expect(removed.status == 403)
                    #expect(removed.body == #"{"missing":[{"action":"write","uri":"secret://default/acme/vision"}]}"#)
                }
                #expect(try await stage.add("one", "x", token: token).status == 403)
                // A key that cannot be: whoever may not write does not learn of rules.
                #expect(try await stage.remove("...", token: token).status == 403)
            }
            #expect(try await stage.stored() == ["one": Data("1".utf8), "two": Data("2".utf8)])
        }
    }

    /// `apolo secret ls --all-projects`.
    @Test func allProjectsOfAnOrganization() async throws {
        try await Stage.with { stage in
            let owner = try await stage.user("owner", "write secret://default/acme", "write secret://default/beta")
            for (org, project, key) in [
                ("acme", "vision", "b"), ("acme", "vision", "a"), ("acme", "audio", "z"), ("acme", "empty", "gone"),
                ("beta", "vision", "c"),
            ] { #expect(try await stage.add(key, "v", org: org, project: project, token: owner).status == 201) }
            #expect(try await stage.remove("gone", "org_name=acme&project_name=empty", token: owner).status == 204)
            let all = try await stage.list("org_name=acme", token: owner)
            #expect(try all.json([SecretEntry].self).map { "\($0.owner)/\($0.key)" } == ["audio/z", "vision/a", "vision/b"])
            #expect(all.headers.first(name: "Cache-Control") == "no-store")
            let reader = try await stage.user("reader", "read secret://default/acme/vision/a", "read secret://default/acme/audio")
            let some = try await stage.list("org_name=acme", token: reader).json([SecretEntry].self)
            #expect(some.map { "\($0.owner)/\($0.key)" } == ["audio/z", "vision/a"])
            #expect(try await stage.list("org_name=beta", token: reader).body == "[]")
            #expect(try await stage.list("org_name=acme", token: stage.user("nobody")).body == "[]")
            #expect(try await stage.list("org_name=acme").status == 401)
            #expect(try await stage.list("project_name=vision", token: owner).error == "org_name: is required")
        }
    }
}

extension Stage {
    fileprivate func list(_ query: String) async throws -> TestAnswer { try await list(query, token: nil) }
}
