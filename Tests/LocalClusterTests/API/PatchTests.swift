import Foundation
import Kubernetes
import Testing

@testable import LocalCluster

@Suite struct PatchTests {
    private let pod: Object = [
        "metadata": ["labels": ["a": "1"], "finalizers": ["x/y"]],
        "spec": [
            "containers": [
                ["name": "one", "image": "i1", "env": [["name": "A", "value": "1"], ["name": "B", "value": "2"]]],
                ["name": "two", "image": "i2", "ports": [["containerPort": 80]]],
            ]
        ],
    ]

    @Test func mergeReplacesListsAndRemovesNulls() {
        let merged = MergePatch.apply(["metadata": ["labels": ["a": nil, "b": "2"]], "spec": ["containers": []]], to: pod)
        #expect(merged[path: "metadata", "labels"] == ["b": "2"])
        #expect(merged[path: "spec", "containers"] == [])
    }

    @Test func jsonPatchDoesItsSixOperations() throws {
        let patched = try JSONPatch.apply(
            [
                ["op": "test", "path": "/metadata/labels/a", "value": "1"],
                ["op": "add", "path": "/metadata/labels/c~1d", "value": "x"],
                ["op": "replace", "path": "/spec/containers/0/image", "value": "new"],
                ["op": "copy", "from": "/metadata/labels/a", "path": "/metadata/labels/e"],
                ["op": "move", "from": "/spec/containers/1", "path": "/spec/containers/0"],
                ["op": "remove", "path": "/metadata/labels/a"],
                ["op": "add", "path": "/metadata/finalizers/-", "value": "z/z"],
            ], to: pod)
        #expect(patched[path: "metadata", "labels"] == ["c/d": "x", "e": "1"])
        #expect(patched[path: "spec", "containers"]?[0]?["name"] == "two")
        #expect(patched[path: "spec", "containers"]?[1]?["image"] == "new")
        #expect(patched.finalizers == ["x/y", "z/z"])
    }

    @Test(
        arguments: [
            [["op": "remove", "path": "/nope"]], [["op": "test", "path": "/metadata/labels/a", "value": "2"]],
            [["op": "add", "path": "/spec/containers/7", "value": 1]], [["op": "replace", "path": "/a/b", "value": 1]],
        ] as [JSONValue])
    func jsonPatchThatDoesNotFitIsRefusedAsAWhole(patch: JSONValue) {
        let error = #expect(throws: StatusError.self) { try JSONPatch.apply(patch, to: pod) }
        #expect(error?.code == 422)
    }

    @Test func strategicMergesListsByTheirKeys() throws {
        let patched = try StrategicMergePatch.apply(
            [
                "spec": [
                    "$setElementOrder/containers": [["name": "two"], ["name": "one"]],
                    "containers": [
                        ["name": "one", "env": [["name": "B", "value": "3"], ["$patch": "delete", "name": "A"]]],
                        ["name": "two", "image": "i3"],
                    ],
                ]
            ], to: pod)
        let containers = patched[path: "spec", "containers"]
        #expect(containers?[0] == ["name": "two", "image": "i3", "ports": [["containerPort": 80]]])
        #expect(containers?[1] == ["name": "one", "image": "i1", "env": [["name": "B", "value": "3"]]])
    }

    @Test func strategicDirectivesReplaceDeleteAndRetain() throws {
        let patched = try StrategicMergePatch.apply(
            [
                "metadata": ["labels": ["$patch": "replace", "z": "1"], "$deleteFromPrimitiveList/finalizers": ["x/y"]],
                "spec": ["containers": [["$patch": "replace"], ["name": "new", "image": "n"]]],
            ], to: pod)
        #expect(patched[path: "metadata", "labels"] == ["z": "1"])
        #expect(patched.finalizers.isEmpty)
        #expect(patched[path: "spec", "containers"] == [["name": "new", "image": "n"]])
        let kept = try StrategicMergePatch.apply(["spec": ["$retainKeys": ["b"], "b": 1]], to: ["spec": ["a": 1]])
        #expect(kept == ["spec": ["b": 1]])
    }
}

@Suite struct ServerSideApplyTests {
    private let key = ObjectKey(.pods, namespace: "default", name: "p")

    private func apply(_ configuration: Object, as manager: String, to present: Object, force: Bool = false) throws -> Object {
        let request = ServerSideApply.Request(
            configuration: configuration, manager: manager, force: force, now: Date(timeIntervalSince1970: 0), subresource: "")
        return try ServerSideApply.apply(request, to: present, key: key)
    }

    private func pod(_ containers: JSONValue, labels: JSONValue = [:]) -> Object {
        ["apiVersion": "v1", "kind": "Pod", "metadata": ["name": "p", "labels": labels], "spec": ["containers": containers]]
    }

    @Test func whatAManagerWantsNoMoreGoes() throws {
        var object = try apply(
            pod([["name": "a", "image": "1"], ["name": "b", "image": "1"]], labels: ["x": "1", "y": "1"]), as: "one",
            to: ["apiVersion": "v1", "kind": "Pod", "metadata": ["name": "p", "labels": ["foreign": "1"]]])
        object = try apply(pod([["name": "a", "image": "2"]], labels: ["x": "1"]), as: "one", to: object)
        #expect(object.labels == ["foreign": "1", "x": "1"])
        #expect(object[path: "spec", "containers"] == [["name": "a", "image": "2"]])
    }

    @Test func anotherManagersFieldIsAConflictUnlessForced() throws {
        let object = try apply(pod([["name": "a", "image": "1"]]), as: "one", to: ["metadata": ["name": "p"]])
        let wanted = pod([["name": "a", "image": "2"]])
        let error = #expect(throws: StatusError.self) { try apply(wanted, as: "two", to: object) }
        #expect(error?.code == 409)
        #expect(error?.message == #"Apply failed with 1 conflict: conflict with "one": .spec.containers[name="a"].image"#)
        let taken = try apply(wanted, as: "two", to: object, force: true)
        #expect(taken[path: "spec", "containers"]?[0]?["image"] == "2")
        // The first has lost the field: leaving it out does not remove it.
        let after = try apply(pod([["name": "a"]]), as: "one", to: taken)
        #expect(after[path: "spec", "containers"]?[0]?["image"] == "2")
    }

    @Test func toApplyTheSameAgainChangesNothing() throws {
        let wanted = pod([["name": "a", "image": "1", "env": [["name": "A", "value": "1"]]]], labels: ["x": "1"])
        let once = try apply(wanted, as: "one", to: ["metadata": ["name": "p"]])
        #expect(try apply(wanted, as: "one", to: once) == once)
    }
}
