import Foundation
import Kubernetes
import Testing

@testable import LocalCluster

/// How objects end, and what they take along.
@Suite struct LifetimeTests {
    private let maps = "/api/v1/namespaces/default/configmaps"
    private let pods = "/api/v1/namespaces/default/pods"

    @Test func whatAnObjectOwnsGoesAfterIt() async throws {
        try await TestCluster.with { cluster in
            let owner = try await cluster.create(maps, Sample.configMap("owner"))
            let child = try await cluster.create(maps, Sample.configMap("child", owner: owner))
            _ = try await cluster.create(maps, Sample.configMap("grandchild", owner: child))
            #expect(try await cluster.call(.DELETE, maps + "/owner").status == 200)
            try await cluster.wait(for: 404, at: maps + "/child")
            try await cluster.wait(for: 404, at: maps + "/grandchild")
            // An owner that is gone already.
            _ = try await cluster.call(.POST, maps, Sample.configMap("late", owner: owner))
            try await cluster.wait(for: 404, at: maps + "/late")
        }
    }

    @Test func foregroundEndsTheOwnerLastAndOrphanSetsFree() async throws {
        try await TestCluster.with { cluster in
            let owner = try await cluster.create(maps, Sample.configMap("owner"))
            var child = Sample.configMap("child", owner: owner)
            child[path: "metadata", "finalizers"] = ["test/hold"]
            child[path: "metadata", "ownerReferences"] = [
                [
                    "apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": .string(owner.uid), "blockOwnerDeletion": true,
                ]
            ]
            _ = try await cluster.create(maps, child)
            let begun = try await cluster.call(.DELETE, maps + "/owner", ["propagationPolicy": "Foreground"])
            #expect(begun.body.finalizers == ["foregroundDeletion"])
            try await withTimeoutOfTest {
                while try await cluster.get(maps + "/child").body.deletionTimestamp == nil { try await Task.sleep(for: .milliseconds(5)) }
            }
            #expect(try await cluster.get(maps + "/owner").status == 200)
            _ = try await cluster.call(
                .PATCH, maps + "/child", ["metadata": ["finalizers": nil]], type: "application/merge-patch+json")
            try await cluster.wait(for: 404, at: maps + "/owner")

            let second = try await cluster.create(maps, Sample.configMap("second"))
            _ = try await cluster.create(maps, Sample.configMap("free", owner: second))
            _ = try await cluster.call(.DELETE, maps + "/second?propagationPolicy=Orphan")
            try await cluster.wait(for: 404, at: maps + "/second")
            #expect(try await cluster.get(maps + "/free").body.ownerReferences.isEmpty)
        }
    }

    @Test func aPodWithANodeWaitsForItsContainers() async throws {
        try await TestCluster.with { cluster in
            _ = try await cluster.create(pods, Sample.pod("p"))
            let bound = try await cluster.call(
                .POST, pods + "/p/binding",
                ["apiVersion": "v1", "kind": "Binding", "metadata": ["name": "p"], "target": ["kind": "Node", "name": "here"]])
            #expect(bound.status == 201)
            let begun = try await cluster.call(.DELETE, pods + "/p").body
            #expect(begun.deletionGracePeriodSeconds == 30 && begun.deletionTimestamp != nil)
            // The wait can become shorter, never longer.
            #expect(try await cluster.call(.DELETE, pods + "/p", ["gracePeriodSeconds": 60]).body.deletionGracePeriodSeconds == 30)
            #expect(try await cluster.call(.DELETE, pods + "/p", ["gracePeriodSeconds": 5]).body.deletionGracePeriodSeconds == 5)
            #expect(try await cluster.get(pods + "/p").status == 200)
            #expect(try await cluster.call(.DELETE, pods + "/p", ["gracePeriodSeconds": 0]).status == 200)
            #expect(try await cluster.get(pods + "/p").status == 404)
            // One that has ended has nothing to wait for.
            _ = try await cluster.create(pods, Sample.pod("q"))
            _ = try await cluster.call(
                .PATCH, pods + "/q", ["spec": ["nodeName": "here"]], type: "application/merge-patch+json")
            _ = try await cluster.call(
                .PATCH, pods + "/q/status", ["status": ["phase": "Succeeded"]], type: "application/merge-patch+json")
            _ = try await cluster.call(.DELETE, pods + "/q")
            #expect(try await cluster.get(pods + "/q").status == 404)
        }
    }

    @Test func aDeletionWithAnothersUidConflicts() async throws {
        try await TestCluster.with { cluster in
            let made = try await cluster.create(maps, Sample.configMap("a"))
            let refused = try await cluster.call(.DELETE, maps + "/a", ["preconditions": ["uid": "another"]])
            #expect(refused.status == 409)
            #expect(refused.body["message"]?.string?.contains("Precondition failed: UID in precondition: another") == true)
            #expect(try await cluster.call(.DELETE, maps + "/a", ["preconditions": ["uid": .string(made.uid)]]).status == 200)
        }
    }

    @Test func aNamespaceGoesWithItsContent() async throws {
        try await TestCluster.with { cluster in
            _ = try await cluster.create(
                "/api/v1/namespaces", ["apiVersion": "v1", "kind": "Namespace", "metadata": ["name": "n"]])
            var map = Sample.configMap("a")
            map[path: "metadata", "finalizers"] = ["test/hold"]
            _ = try await cluster.create("/api/v1/namespaces/n/configmaps", map)
            _ = try await cluster.create("/api/v1/namespaces/n/pods", Sample.pod("p"))
            let begun = try await cluster.call(.DELETE, "/api/v1/namespaces/n")
            #expect(begun.body[path: "status", "phase"] == "Terminating")
            let refused = try await cluster.call(.POST, "/api/v1/namespaces/n/configmaps", Sample.configMap("b"))
            #expect(refused.status == 403)
            #expect(refused.body[path: "details", "causes"]?[0]?["reason"] == "NamespaceTerminating")
            try await cluster.wait(for: 404, at: "/api/v1/namespaces/n/pods/p")
            #expect(try await cluster.get("/api/v1/namespaces/n").status == 200)
            _ = try await cluster.call(
                .PATCH, "/api/v1/namespaces/n/configmaps/a", ["metadata": ["finalizers": nil]], type: "application/merge-patch+json")
            try await cluster.wait(for: 404, at: "/api/v1/namespaces/n")
            #expect(try await cluster.call(.DELETE, "/api/v1/namespaces/default").status == 403)
        }
    }

    @Test func definitionsBringKindsAndTakeThemAway() async throws {
        try await TestCluster.with { cluster in
            let definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
            _ = try await cluster.create(
                definitions,
                [
                    "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
                    "metadata": ["name": "middlewares.traefik.io"],
                    "spec": [
                        "group": "traefik.io", "names": ["kind": "Middleware", "plural": "middlewares"], "scope": "Namespaced",
                        "versions": [["name": "v1alpha1", "served": true, "storage": true]],
                    ],
                ])
            let path = "/apis/traefik.io/v1alpha1/namespaces/default/middlewares"
            _ = try await cluster.create(
                path,
                [
                    "apiVersion": "traefik.io/v1alpha1", "kind": "Middleware", "metadata": ["name": "m"],
                    "spec": ["stripPrefix": ["prefixes": ["/x"]]],
                ])
            #expect(try await cluster.get("/apis/traefik.io/v1alpha1").body["resources"]?[0]?["kind"] == "Middleware")
            #expect(
                try await cluster.call(.PATCH, path + "/m", ["spec": [:]], type: "application/strategic-merge-patch+json").status == 415)
            let changed = try await cluster.call(.PATCH, path + "/m", ["spec": ["x": 1]], type: "application/merge-patch+json").body
            #expect(changed.generation == 2)
            _ = try await cluster.call(.DELETE, definitions + "/middlewares.traefik.io")
            try await cluster.wait(for: 404, at: definitions + "/middlewares.traefik.io")
            #expect(try await cluster.get(path).status == 404)
        }
    }

    @Test func aRestartKeepsObjectsOfDefinedKinds() async throws {
        let folder = TestFolder()
        let path = "/apis/x.example/v1/namespaces/default/things"
        try await TestCluster.with(folder: folder) { cluster in
            _ = try await cluster.create(
                "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
                [
                    "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": ["name": "things.x.example"],
                    "spec": [
                        "group": "x.example", "names": ["kind": "Thing", "plural": "things"], "scope": "Namespaced",
                        "versions": [["name": "v1", "served": true, "storage": true]],
                    ],
                ])
            _ = try await cluster.create(
                path, ["apiVersion": "x.example/v1", "kind": "Thing", "metadata": ["name": "t"], "spec": ["a": 1]])
        }
        try await TestCluster.with(folder: folder) { cluster in
            let thing = try await cluster.get(path + "/t").body
            #expect(thing[path: "spec", "a"] == 1)
        }
    }
}

/// Ten seconds for something that takes milliseconds.
func withTimeoutOfTest(_ body: @escaping @Sendable () async throws -> Void) async throws {
    try await TestLimit.run(.seconds(10), body)
}
