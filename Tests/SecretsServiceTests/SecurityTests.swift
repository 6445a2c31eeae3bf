import Foundation
import Kubernetes
import NIOHTTP1
import PlatformModel
import ServiceKit
import ServiceTestSupport
import TestSupport
import Testing

@testable import SecretsService

/// What must not happen (secrets.md 11), and what happens when others are away.
@Suite(.timeLimit(.minutes(5))) struct SecurityTests {
    @Test func onlyAPermittedWriteMakesANamespace() async throws {
        try await Stage.with { stage in
            let before = try await stage.namespaces()
            let nobody = try await stage.user("nobody")
            let everything = try await stage.user("everything", "manage secret://default")
            for token in [nobody, everything] {
                _ = try await stage.list("org_name=invented&project_name=by-me", token: token)
                _ = try await stage.list("org_name=invented", token: token)
                _ = try await stage.get("K", "org_name=invented&project_name=by-me", token: token)
                _ = try await stage.remove("K", "org_name=invented&project_name=by-me", token: token)
            }
            #expect(try await stage.add("K", "v", token: nobody).status == 403)
            #expect(try await stage.add("K", "!", org: "acme", project: "UPPER", token: everything).status == 400)
            #expect(try await stage.namespaces() == before)
            #expect(try await stage.add("K", "v", token: everything).status == 201)
            #expect(try await stage.namespaces().count == before.count + 1)
        }
    }

    /// A namespace of the right name that is somebody else's.
    @Test(arguments: [["platform.apolo.us/org": "other", "platform.apolo.us/project": "vision"], [:]])
    func aForeignNamespaceIsRefused(_ labels: [String: String]) async throws {
        try await Stage.with { stage in
            let alice = try await stage.writer()
            try await stage.kubernetes.create(.namespaces, Namespace(metadata: ObjectMeta(name: Stage.namespace, labels: labels)))
            let answer = try await stage.add("K", "v", token: alice)
            #expect(answer.status == 409 && answer.error == "The namespace of project 'vision' belongs to somebody else")
            #expect(try await stage.stored() == nil)
            #expect(try await stage.kubernetes.list(.networkPolicies, in: Stage.namespace).items.isEmpty)
        }
    }

    /// Neither the log, nor the metrics, nor any refusal tells a value.
    @Test func valuesAreNeverTold() async throws {
        let log = TestLog()
        try await Stage.with(log: log) { stage in
            let alice = try await stage.writer()
            let nobody = try await stage.user("nobody")
            let marks = ["hunter2hunter2", Data("hunter2hunter2".utf8).base64EncodedString()]
            var told: [String] = []
            told.append(try await stage.add("K", marks[0], token: alice).body)
            told.append(try await stage.add("K", marks[0], token: nobody).body)
            told.append(try await stage.add("...", marks[0], token: alice).body)
            told.append(try await stage.list(token: alice).body)
            for body in [#"{"key":"K","value":"\#(marks[1])x"}"#, #"{"value":"\#(marks[1])""#, #""\#(marks[1])""#] {
                told.append(try await stage.post(body, token: alice).body)
            }
            try await faults(stage, [["match": ["method": "PATCH"], "action": "status", "status": 500, "count": 1]])
            let failed = try await stage.add("K", marks[0], token: alice)
            #expect(failed.status == 503)
            told.append(failed.body)
            #expect(try await stage.get("K", token: alice).status == 200)
            for mark in marks { #expect(!told.joined().contains(mark) && !log.lines.joined().contains(mark)) }
            #expect(!log.lines.joined().contains(alice))
        }
    }

    @Test func permissionsCountAtOnce() async throws {
        try await Stage.with { stage in
            let alice = try await stage.writer()
            #expect(try await stage.add("K", "v", token: alice).status == 201)
            let uri = "secret%3A%2F%2Fdefault%2Facme%2Fvision"
            let revoked = try await stage.auth.delete("/api/v1/users/alice/permissions?uri=\(uri)", token: stage.token("admin"))
            #expect(revoked.status == 204)
            #expect(try await stage.get("K", token: alice).status == 403)
            #expect(try await stage.list(token: alice).body == "[]")
            #expect(try await stage.auth.delete("/api/v1/users/alice", token: stage.token("admin")).status == 204)
            #expect(try await stage.list(token: alice).status == 401)
        }
    }

    /// Nothing is allowed while nobody can say that it is.
    @Test func withoutAnAnswerOfAuthNothingIsAllowed() async throws {
        try await Stage.with { stage in
            let alice = try await stage.writer()
            #expect(try await stage.add("K", "v", token: alice).status == 201)
            try await stage.proxy.cut()
            // All at once: each waits a while for auth-api to come back.
            async let read = stage.get("K", token: alice)
            async let listed = stage.list(token: alice)
            async let written = stage.add("K", "w", token: alice)
            async let removed = stage.remove("K", token: alice)
            async let pinged = stage.service.get("/api/v1/secured-ping", token: alice)
            for answer in try await [read, listed, written, removed, pinged] {
                #expect(answer.status == 503 && answer.headers.contains(name: "Retry-After"))
            }
            #expect(try await stage.stored() == ["K": Data("v".utf8)])
            try await stage.proxy.restore()
            try await withTimeout(.seconds(60)) {
                while try await stage.get("K", token: alice).status != 200 { try await Task.sleep(for: .milliseconds(100)) }
            }
        }
    }

    @Test func whileKubernetesIsAway() async throws {
        try await Stage.with { stage in
            let alice = try await stage.writer()
            #expect(try await stage.add("K", "v", token: alice).status == 201)
            for action in [["action": "drop"], ["action": "status", "status": 503], ["action": "status", "status": 500]] as [JSONValue] {
                var rule = action
                rule["match"] = ["path": "/api/v1/namespaces"]
                try await faults(stage, [rule])
                for answer in [
                    try await stage.get("K", token: alice), try await stage.list(token: alice), try await stage.add("K", "w", token: alice),
                    try await stage.remove("K", token: alice),
                ] {
                    #expect(answer.status == 503 && answer.headers.contains(name: "Retry-After"))
                    #expect(answer.error == "The cluster does not answer; try again.")
                }
            }
            try await faults(stage, [])
            #expect(try await stage.get("K", token: alice).json([String: String].self)["value"] == "dg==")
        }
    }

    private func faults(_ stage: Stage, _ rules: [JSONValue]) async throws {
        let answer = try await stage.cluster.put("/faults", token: ClusterInProcess.token, JSONValue.object(["rules": .array(rules)]))
        try #require(answer.status < 300, "\(answer.body)")
    }
}
