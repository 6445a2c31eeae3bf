import Foundation
import Kubernetes
import Testing

@testable import LocalCluster

/// What clients see of objects: our own client, and requests as `kubectl` makes them.
@Suite struct ObjectTests {
    private let maps = "/api/v1/namespaces/default/configmaps"
    private let pods = "/api/v1/namespaces/default/pods"

    @Test func ourClientCreatesReadsChangesAndDeletes() async throws {
        try await TestCluster.with { cluster in
            let client = cluster.client
            let pod = Pod(
                metadata: ObjectMeta(name: "p", labels: ["a": "1"]), spec: PodSpec(containers: [Container(name: "main", image: "busybox")]))
            let made = try await client.create(.pods, pod, in: "default")
            #expect(made.metadata.uid != nil)
            #expect(made.status?.phase == "Pending")
            let patched = try await client.patch(
                .pods, "p", in: "default", subresource: "status", .merge(["status": ["phase": "Running"], "spec": ["nodeName": "x"]]))
            #expect(patched.status?.phase == "Running")
            #expect(patched.spec?.nodeName == nil)
            #expect(try await client.list(.pods, labels: ["a": "1"]).items.count == 1)
            try await client.delete(.pods, "p", in: "default")
            #expect(try await client.find(.pods, "p", in: "default") == nil)
            await #expect(throws: KubernetesError.self) { try await client.delete(.pods, "p", in: "default") }
        }
    }

    @Test func ourClientSeesChangesAndListsAnewWhenTheHistoryIsGone() async throws {
        try await TestCluster.with { cluster in
            var watch = cluster.client.watch(.configMaps, in: "default").makeAsyncIterator()
            guard case .listed(let first) = await watch.next() else { throw TestFailure("no list") }
            #expect(first.isEmpty)
            _ = try await cluster.create(maps, Sample.configMap("a"))
            guard case .added(let added) = await watch.next() else { throw TestFailure("not added") }
            #expect(added.metadata.name == "a")
            _ = try await cluster.call(.PATCH, maps + "/a", ["data": ["k": "v"]], type: "application/merge-patch+json")
            guard case .modified(let changed) = await watch.next() else { throw TestFailure("not modified") }
            #expect(changed.data?["k"] == "v")
            // Cut, and made to forget: the client resumes by listing.
            _ = try await cluster.call(
                .PUT, "/faults", ["rules": [["match": ["verb": "watch"], "action": "status", "status": 410, "count": 1]]])
            _ = try await cluster.call(.POST, "/faults/cut-watches", [:])
            guard case .listed(let again) = await watch.next() else { throw TestFailure("not listed anew") }
            #expect(again.map(\.metadata.name) == ["a"])
            _ = try await cluster.call(.DELETE, maps + "/a")
            guard case .deleted(let gone) = await watch.next() else { throw TestFailure("not deleted") }
            #expect(gone.metadata.name == "a")
        }
    }

    @Test func aReplaceOfAnOldVersionConflicts() async throws {
        try await TestCluster.with { cluster in
            let made = try await cluster.create(maps, Sample.configMap("a", ["k": "1"]))
            var next = made
            next["data"] = ["k": "2"]
            #expect(try await cluster.call(.PUT, maps + "/a", next).status == 200)
            let refused = try await cluster.call(.PUT, maps + "/a", next)
            #expect(refused.status == 409)
            #expect(
                refused.body["message"]
                    == "Operation cannot be fulfilled on configmaps \"a\": the object has been modified; please apply your changes to the latest version and try again"
            )
            next.resourceVersion = nil
            next["data"] = ["k": "3"]
            #expect(try await cluster.call(.PUT, maps + "/a", next).body[path: "data", "k"] == "3")
            next.uid = "another"
            #expect(try await cluster.call(.PUT, maps + "/a", next).status == 409)
        }
    }

    @Test func refusalsAreStatusObjects() async throws {
        try await TestCluster.with { cluster in
            func refusal(_ answer: (status: Int, body: JSONValue)) -> String {
                "\(answer.status) \(answer.body["kind"]?.string ?? "") \(answer.body["code"]?.integer ?? 0) \(answer.body["reason"]?.string ?? "")"
            }
            _ = try await cluster.create(maps, Sample.configMap("a"))
            #expect(try await refusal(cluster.call(.GET, maps, token: nil)) == "401 Status 401 Unauthorized")
            #expect(try await refusal(cluster.call(.GET, maps, token: "wrong")) == "401 Status 401 Unauthorized")
            #expect(try await refusal(cluster.get(maps + "/b")) == "404 Status 404 NotFound")
            #expect(try await refusal(cluster.get("/apis/nobody.example/v1/things")) == "404 Status 404 NotFound")
            #expect(try await refusal(cluster.call(.POST, maps, Sample.configMap("a"))) == "409 Status 409 AlreadyExists")
            #expect(try await refusal(cluster.call(.PUT, maps, Sample.configMap("a"))) == "405 Status 405 MethodNotAllowed")
            #expect(try await refusal(cluster.call(.POST, maps, Sample.pod("a"))) == "400 Status 400 BadRequest")
            #expect(try await refusal(cluster.call(.POST, maps, "x", type: "text/plain")) == "415 Status 415 UnsupportedMediaType")
            #expect(
                try await refusal(cluster.call(.GET, maps, accept: "application/vnd.kubernetes.protobuf")) == "406 Status 406 NotAcceptable"
            )
            #expect(try await refusal(cluster.get(maps + "?labelSelector=a%20of%20b")) == "400 Status 400 BadRequest")
            #expect(try await refusal(cluster.get(maps + "?fieldSelector=data.k%3Dv")) == "400 Status 400 BadRequest")
            let large = Sample.configMap("large", ["k": String(repeating: "x", count: 3 << 20)])
            #expect(try await refusal(cluster.call(.POST, maps, large)) == "413 Status 413 RequestEntityTooLarge")
            #expect(
                try await refusal(cluster.call(.POST, "/api/v1/namespaces/nowhere/configmaps", Sample.configMap("a")))
                    == "404 Status 404 NotFound")
        }
    }

    @Test func anInvalidPodIsToldAllItsFaults() async throws {
        try await TestCluster.with { cluster in
            var pod = Sample.pod("Bad_Name")
            pod["spec"] = [
                "restartPolicy": "Sometimes",
                "containers": [
                    [
                        "name": "main", "image": "x", "volumeMounts": [["name": "v", "mountPath": "/v"]],
                        "resources": ["limits": ["cpu": "1", "memory": "-1"], "requests": ["cpu": "2"]],
                    ], ["name": "main"],
                ],
            ]
            let answer = try await cluster.call(.POST, pods, pod)
            #expect(answer.status == 422)
            let causes = (answer.body[path: "details", "causes"]?.array ?? []).map {
                "\($0["field"]?.string ?? "") \($0["reason"]?.string ?? "")"
            }
            #expect(
                Set(causes) == [
                    "metadata.name FieldValueInvalid", "spec.restartPolicy FieldValueNotSupported",
                    "spec.containers[0].volumeMounts[0].name FieldValueNotFound",
                    "spec.containers[0].resources.limits[memory] FieldValueInvalid",
                    "spec.containers[0].resources.requests[memory] FieldValueInvalid",
                    "spec.containers[0].resources.requests FieldValueInvalid", "spec.containers[1].image FieldValueRequired",
                    "spec.containers[1].name FieldValueDuplicate",
                ])
            pod[path: "spec", "containers"] = [["name": "a", "image": "x", "resources": ["limits": ["memory": "lots"]]]]
            let lots = try await cluster.call(.POST, pods, pod)
            #expect(lots.status == 400 && lots.body["message"]?.string?.contains("quantities must match") == true)
            let empty = try await cluster.call(
                .POST, pods, ["apiVersion": "v1", "kind": "Pod", "metadata": ["name": "p"], "spec": ["containers": []]])
            #expect(empty.body["message"] == "Pod \"p\" is invalid: spec.containers: Required value")
        }
    }

    @Test func mistypedFieldsAreToldToThoseWhoAsk() async throws {
        try await TestCluster.with { cluster in
            var pod = Sample.pod("p")
            pod[path: "spec", "containers"] = [["name": "main", "image": "x", "comand": ["y"], "env": [["name": "A", "valu": "1"]]]]
            let refused = try await cluster.call(.POST, pods + "?fieldValidation=Strict", pod)
            #expect(refused.status == 400)
            #expect(
                refused.body["message"]?.string?.hasSuffix(
                    "strict decoding error: unknown field \"spec.containers[0].comand\", unknown field \"spec.containers[0].env[0].valu\"")
                    == true)
            #expect(try await cluster.call(.POST, pods, pod).status == 201)
            // What a pod has after the server filled it in is all known.
            let whole = try await cluster.create(pods, Sample.pod("q"))
            #expect(try await cluster.call(.PUT, pods + "/q?fieldValidation=Strict", whole).status == 200)
            let patched = try await cluster.call(
                .PATCH, pods + "/q?fieldValidation=Strict", ["metadata": ["lables": ["a": "b"]]],
                type: "application/strategic-merge-patch+json")
            #expect(patched.status == 400)
        }
    }

    @Test func podsGetTheirDefaultsAndKeepTheirSpec() async throws {
        try await TestCluster.with { cluster in
            var pod = Sample.pod("p", image: "registry.example:5000/x")
            pod[path: "spec", "containers"] = [
                ["name": "main", "image": "registry.example:5000/x", "resources": ["limits": ["cpu": 1, "memory": "64Mi"]]]
            ]
            let made = try await cluster.create(pods, pod)
            let spec = made["spec"] ?? .null
            #expect(spec["restartPolicy"] == "Always" && spec["terminationGracePeriodSeconds"] == 30)
            #expect(spec["containers"]?[0]?["imagePullPolicy"] == "Always")
            #expect(spec["containers"]?[0]?["resources"]?["requests"] == ["cpu": "1", "memory": "64Mi"])
            #expect(made[path: "status", "qosClass"] == "Guaranteed")
            let changed = try await cluster.call(
                .PATCH, pods + "/p", ["spec": ["restartPolicy": "Never"]], type: "application/strategic-merge-patch+json")
            #expect(changed.status == 422)
            let image = try await cluster.call(
                .PATCH, pods + "/p", ["spec": ["containers": [["name": "main", "image": "y"]]]],
                type: "application/strategic-merge-patch+json")
            #expect(image.status == 200)
        }
    }

    @Test func secretsServicesAndGeneratedNames() async throws {
        try await TestCluster.with { cluster in
            let secret = try await cluster.create(
                "/api/v1/namespaces/default/secrets",
                ["apiVersion": "v1", "kind": "Secret", "metadata": ["generateName": "s-"], "stringData": ["a": "hello"]])
            #expect(secret["data"] == ["a": "aGVsbG8="] && secret["stringData"] == nil && secret["type"] == "Opaque")
            #expect(secret.name.hasPrefix("s-") && secret.name.utf8.count == 7)
            let service = try await cluster.create(
                "/api/v1/namespaces/default/services",
                ["apiVersion": "v1", "kind": "Service", "metadata": ["name": "s"], "spec": ["ports": [["port": 80]]]])
            #expect(service[path: "spec", "clusterIP"]?.string?.hasPrefix("240.0.") == true)
            #expect(service[path: "spec", "ports"]?[0] == ["port": 80, "targetPort": 80, "protocol": "TCP"])
            // A manifest that does not name the address keeps it.
            let again = try await cluster.call(
                .PUT, "/api/v1/namespaces/default/services/s",
                ["apiVersion": "v1", "kind": "Service", "metadata": ["name": "s"], "spec": ["ports": [["port": 81]]]])
            #expect(again.body[path: "spec", "clusterIP"] == service[path: "spec", "clusterIP"])
            let headless = try await cluster.create(
                "/api/v1/namespaces/default/services",
                ["apiVersion": "v1", "kind": "Service", "metadata": ["name": "h"], "spec": ["clusterIP": "None"]])
            #expect(headless[path: "spec", "clusterIP"] == "None")
        }
    }

    @Test func aDryRunLeavesNothing() async throws {
        try await TestCluster.with { cluster in
            let made = try await cluster.call(.POST, maps + "?dryRun=All", Sample.configMap("a"))
            #expect(made.status == 201 && !made.body.uid.isEmpty)
            #expect(try await cluster.get(maps + "/a").status == 404)
            _ = try await cluster.create(maps, Sample.configMap("a"))
            _ = try await cluster.call(.DELETE, maps + "/a?dryRun=All")
            #expect(try await cluster.get(maps + "/a").status == 200)
        }
    }

    @Test func applyCreatesChangesAndForgets() async throws {
        try await TestCluster.with { cluster in
            let type = "application/apply-patch+yaml"
            let path = maps + "/a?fieldManager=me"
            #expect(try await cluster.call(.PATCH, maps + "/a", Sample.configMap("a"), type: type).status == 422)
            #expect(try await cluster.call(.PATCH, path, Sample.configMap("a", ["x": "1", "y": "1"]), type: type).status == 201)
            let again = try await cluster.call(.PATCH, path, Sample.configMap("a", ["x": "2"]), type: type)
            #expect(again.status == 200 && again.body["data"] == ["x": "2"])
            let same = try await cluster.call(.PATCH, path, Sample.configMap("a", ["x": "2"]), type: type)
            #expect(same.body.resourceVersion == again.body.resourceVersion)
        }
    }

    @Test func messagesOfNewerClientsAreRead() async throws {
        try await TestCluster.with { cluster in
            // kubectl 1.37: create namespace of-protobuf, as it is on the wire.
            func field(_ number: UInt8, _ content: [UInt8]) -> [UInt8] { [number << 3 | 2, UInt8(content.count)] + content }
            let metadata =
                field(1, Array("of-protobuf".utf8)) + field(2, []) + field(8, []) + field(11, field(1, [0x61]) + field(2, [0x62]))
            let type = field(1, Array("v1".utf8)) + field(2, Array("Namespace".utf8))
            let message: [UInt8] = [0x6B, 0x38, 0x73, 0] + field(1, type) + field(2, field(1, metadata) + field(2, []) + field(3, []))
            var request = HTTPClientRequestBuilder.post(cluster, "/api/v1/namespaces", ProtobufReader.mediaType, message)
            let made = try await cluster.service.call(request)
            #expect(made.status == 201)
            #expect(try await cluster.get("/api/v1/namespaces/of-protobuf").body.labels["a"] == "b")
            request = HTTPClientRequestBuilder.post(cluster, "/api/v1/namespaces", ProtobufReader.mediaType, Array(message.prefix(30)))
            #expect(try await cluster.service.call(request).status == 400)
        }
    }

    @Test func eventsAreOneInTwoForms() async throws {
        try await TestCluster.with { cluster in
            _ = try await cluster.create(
                "/api/v1/namespaces/default/events",
                [
                    "apiVersion": "v1", "kind": "Event", "metadata": ["name": "e"], "reason": "Pulled", "message": "text",
                    "involvedObject": ["kind": "Pod", "name": "p", "namespace": "default"],
                ])
            let new = try await cluster.get("/apis/events.k8s.io/v1/namespaces/default/events/e").body
            #expect(new["note"] == "text" && new["regarding"]?["name"] == "p" && new.apiVersion == "events.k8s.io/v1")
            let found = try await cluster.get("/api/v1/events?fieldSelector=involvedObject.name%3Dp,involvedObject.kind%3DPod").body
            #expect(found["items"]?.array?.count == 1)
        }
    }
}
