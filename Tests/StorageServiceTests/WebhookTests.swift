import AsyncHTTPClient
import Foundation
import Injection
import Kubernetes
import LocalCertificates
import Logging
import NIOCore
import NIOSSL
import PlatformModel
import ServiceKit
import TestSupport
import Testing

@testable import StorageService

/// The admission webhook, asked over TLS as an API server asks it.
@Suite(.timeLimit(.minutes(10))) struct WebhookTests {
    // MARK: Not its concern

    @Test func whatIsLeftAlone() async throws {
        try await Webhook.run { (webhook) async throws in
            let item = Webhook.item()
            var other = Webhook.pod(item)
            other["kind"] = "ReplicaSet"
            var mounted = Webhook.pod(item)
            mounted["spec"] = [
                "containers": [
                    ["name": "a"], ["name": "b", "volumeMounts": [["name": "storage-auto-injected-volume-1", "mountPath": "/x"]]],
                ]
            ]
            var bare = Webhook.pod(item)
            bare["metadata"] = ["name": "pod"]
            var nothing = Webhook.pod(item)
            nothing["metadata"] = nil
            var nulls = Webhook.pod(item)
            nulls["metadata"] = ["labels": nil, "annotations": nil]
            let unlabelled = Webhook.pod(item, labels: ["platform.apolo.us/org": "org"])
            let empty = Webhook.pod(item, spec: ["containers": []])
            let none = Webhook.pod(item, spec: .object([:]))
            let noAnnotation = Webhook.pod(nil)
            for pod in [other, mounted, bare, nothing, nulls, unlabelled, empty, none, noAnnotation, Webhook.pod("[]")] {
                let answer = try await webhook.ask(pod)
                #expect(answer.isAllowed && answer.operations == nil, "\(pod)")
            }
            #expect(webhook.entries("") == [])
        }
    }

    // MARK: Denied

    @Test func whatIsDenied() async throws {
        try await Webhook.run { (webhook) async throws in
            func denied(_ pod: JSONValue) async throws -> String? {
                let answer = try await webhook.ask(pod)
                #expect(!answer.isAllowed && answer.operations == nil)
                return answer.denial
            }
            let broken = [
                "spec", Webhook.item(path: "tmp"), Webhook.item(uri: "x"), Webhook.item(uri: "storage://org"), Webhook.item(mode: "X"),
                Webhook.item(uri: "storage://other/org/proj"), Webhook.item(uri: "storage://default/org/proj/../../else"),
                Webhook.item(uri: "storage://default/org/%2e%2e/proj"), "[" + Webhook.entry() + "," + Webhook.entry() + "]",
            ]
            for text in broken { #expect(try await denied(Webhook.pod(text)) == "422 injection spec is invalid", "\(text)") }
            let pod = Webhook.pod(Webhook.item(), labels: Webhook.labels(org: "invalid-org"))
            #expect(try await denied(pod) == "403 org mismatch: `org`")
            let other = Webhook.pod(Webhook.item(), labels: Webhook.labels(project: "other"))
            #expect(try await denied(other) == "403 project mismatch: `proj`")
            #expect(webhook.entries("") == [])
        }
    }

    /// Whoever may make pods in a namespace may label them as he likes.
    @Test func labelsOfAPodAreNotTakenAtTheirWord() async throws {
        let foreign: JSONValue = ["metadata": ["name": "bare"]]
        let objects = [
            "namespaces/space": Webhook.namespace(), "namespaces/elsewhere": Webhook.namespace(project: "other"),
            "namespaces/abroad": Webhook.namespace(org: "others"), "namespaces/bare": foreign,
        ]
        try await Webhook.run(objects: objects) { (webhook, kubernetes) async throws in
            let pod = Webhook.pod(Webhook.item())
            #expect(try await webhook.ask(pod, in: "elsewhere").denial == "403 project mismatch: `proj`")
            #expect(try await webhook.ask(pod, in: "abroad").denial == "403 org mismatch: `org`")
            #expect(try await webhook.ask(pod, in: "bare").denial == "403 org mismatch: `org`")
            // Whose a namespace is cannot be told: nothing is mounted.
            for namespace in ["missing", "", nil] {
                #expect(try await webhook.ask(pod, in: namespace).denial == "400 storage injector unhandled error", "\(namespace ?? "-")")
            }
            #expect(webhook.entries("") == [])
            #expect(try await webhook.ask(pod).isAllowed && webhook.entries("/org") == ["proj"])
            kubernetes.assembly.shutDown()
            try await eventually { try await webhook.ask(pod).denial == "400 storage injector unhandled error" }
        }
    }

    /// Labels of namespaces are normalized, as not every name can be one.
    @Test func aNameThatIsNoLabelIsComparedAsTheNamespaceHasIt() async throws {
        let objects = ["namespaces/space": Webhook.namespace(org: "my-org", project: "p-r-o-j")]
        try await Webhook.run(objects: objects) { (webhook, _) async throws in
            let pod = Webhook.pod(
                Webhook.item(uri: "storage://default/My_Org/P:r_o:j"), labels: Webhook.labels(org: "My_Org", project: "P:r_o:j"))
            #expect(try await webhook.ask(pod).isAllowed && webhook.entries("/My_Org") == ["P:r_o:j"])
        }
    }

    @Test func aPlaceThatNoVolumeServes() async throws {
        try await Webhook.run(#"[{"path": "/elsewhere", "nfs": {"server": "s", "path": "/"}}]"#) { (webhook) async throws in
            #expect(try await webhook.ask(Webhook.pod(Webhook.item())).denial == "400 Unable to resolve a volume for a provided path")
        }
    }

    @Test func aLinkIsNoWayIntoAPod() async throws {
        try await Webhook.run { (webhook) async throws in
            try FileManager.default.createDirectory(atPath: webhook.root + "/org/proj", withIntermediateDirectories: true)
            for (name, target) in [("up", "../../secret"), ("etc", "/etc"), ("near", ".")] {
                try FileManager.default.createSymbolicLink(atPath: webhook.root + "/org/proj/\(name)", withDestinationPath: target)
                for path in [name, name + "/more"] {
                    let answer = try await webhook.ask(Webhook.pod(Webhook.item(uri: "storage://default/org/proj/\(path)")))
                    #expect(answer.denial == "400 storage injector unhandled error", "\(path)")
                }
            }
            #expect(webhook.entries("") == ["org"] && webhook.entries("/org/proj") == ["etc", "near", "up"])
        }
    }

    // MARK: The patch

    @Test func listsThatAreMissingAreMade() async throws {
        try await Webhook.run { (webhook) async throws in
            for spec: JSONValue in [
                ["containers": [["name": "a"]]], ["containers": [["name": "a", "volumeMounts": nil]], "volumes": nil],
            ] {
                let operations = try #require(try await webhook.ask(Webhook.pod(Webhook.item(), spec: spec)).operations)
                let name = try #require(operations[2]["value"]?["name"])
                #expect(name.string?.wholeMatch(of: /storage-auto-injected-volume-[0-9a-f]{8}/) != nil)
                #expect(
                    operations == [
                        ["op": "add", "path": "/spec/volumes", "value": []],
                        ["op": "add", "path": "/spec/containers/0/volumeMounts", "value": []],
                        [
                            "op": "add", "path": "/spec/volumes/-",
                            "value": ["name": name, "hostPath": ["path": "/var/exports/org/proj", "type": ""]],
                        ],
                        [
                            "op": "add", "path": "/spec/containers/0/volumeMounts/-",
                            "value": ["name": name, "mountPath": "/var/mount-volume"],
                        ],
                    ])
            }
            // What was to be mounted is there now.
            #expect(webhook.entries("/org") == ["proj"])
        }
    }

    @Test func listsThatAreThereAreAddedTo() async throws {
        try await Webhook.run(#"[{"nfs": {"server": "nfs.local", "path": "/exports"}}]"#) { (webhook) async throws in
            let spec: JSONValue = [
                "volumes": [["name": "own", "emptyDir": .object([:])]],
                "containers": [
                    ["name": "a", "volumeMounts": [["name": "own", "mountPath": "/own"]]], ["name": "b", "volumeMounts": []],
                ], "initContainers": [["name": "first"]],
            ]
            let annotation = "[\(Webhook.entry()), \(Webhook.entry(path: "/in", uri: "storage://default/org/proj/a%20b/c", mode: "r"))]"
            let operations = try #require(try await webhook.ask(Webhook.pod(annotation, spec: spec)).operations)
            let name = try #require(operations.first?["value"]?["name"])
            let volume: JSONValue = ["name": name, "nfs": ["server": "nfs.local", "path": "/exports/org/proj"]]
            let (all, part): (JSONValue, JSONValue) = (
                ["name": name, "mountPath": "/var/mount-volume"],
                ["name": name, "mountPath": "/in", "subPath": "a b/c", "readOnly": true]
            )
            #expect(
                operations == [
                    ["op": "add", "path": "/spec/volumes/-", "value": volume],
                    ["op": "add", "path": "/spec/containers/0/volumeMounts/-", "value": all],
                    ["op": "add", "path": "/spec/containers/1/volumeMounts/-", "value": all],
                    ["op": "add", "path": "/spec/containers/0/volumeMounts/-", "value": part],
                    ["op": "add", "path": "/spec/containers/1/volumeMounts/-", "value": part],
                ])
            #expect(webhook.entries("/org/proj") == ["a b"] && webhook.entries("/org/proj/a b") == ["c"])
        }
    }

    @Test func aFileCanBeMountedToo() async throws {
        try await Webhook.run { (webhook) async throws in
            try FileManager.default.createDirectory(atPath: webhook.root + "/org/proj", withIntermediateDirectories: true)
            try Data("text".utf8).write(to: URL(fileURLWithPath: webhook.root + "/org/proj/file"))
            let answer = try await webhook.ask(Webhook.pod(Webhook.item(uri: "storage://default/org/proj/file")))
            #expect(answer.operations?.last?["value"]?["subPath"] == "file")
            let below = try await webhook.ask(Webhook.pod(Webhook.item(uri: "storage://default/org/proj/file/x")))
            #expect(below.denial == "400 storage injector unhandled error")
        }
    }

    @Test func aDryRunMakesNothing() async throws {
        try await Webhook.run { (webhook) async throws in
            let answer = try await webhook.ask(Webhook.pod(Webhook.item()), isDryRun: true)
            #expect(answer.operations?.count == 4 && webhook.entries("") == [])
        }
    }

    // MARK: The door

    @Test func whatIsNoReview() async throws {
        try await Webhook.run { (webhook) async throws in
            for body in ["{}", #"{"request": {}}"#, #"{"request": null}"#, "[]", "x", ""] {
                #expect(try await webhook.asker.post(body).status == 400, "\(body)")
            }
            let unknown = try await webhook.asker.post(#"{"request": {"uid": "1", "object": null}}"#)
            #expect(unknown.status == 200 && unknown.body.contains(#""allowed":true"#))
            #expect(try await webhook.asker.post(String(repeating: " ", count: 9 << 20)).status == 413)
            let ping = try await webhook.asker.get("/ping")
            #expect(ping.status == 200 && ping.body == "Pong")
            #expect(try await webhook.asker.get("/api/v1/storage/org").status == 404)
        }
    }

    @Test func onlyOverTLS() async throws {
        try await Webhook.run { (webhook) async throws in
            await #expect(throws: (any Error).self) {
                try await HTTPClient.shared.execute(
                    HTTPClientRequest(url: "http://127.0.0.1:\(webhook.asker.port)/ping"), timeout: .seconds(10))
            }
        }
    }

    @Test(arguments: [
        (["storage.admission.key": ""], "ORRERY_STORAGE_ADMISSION_CERTIFICATE"), (["storage.admission.key": "/nowhere"], "/nowhere"),
        (["storage.backends": "[]"], "ORRERY_STORAGE_BACKENDS is an empty list."),
        (["storage.backends": "[1]"], "ORRERY_STORAGE_BACKENDS[0]: expected an object."),
        (["storage.admission.port": "x"], "ORRERY_STORAGE_ADMISSION_PORT"), (["storage.admission.port": "70000"], "70000"),
        (["storage.backends": "", "kubeconfig": "/nowhere"], "/nowhere"), (["kubeconfig": "/nowhere"], "/nowhere"),
    ])
    func whatItCannotStartWith(_ settings: [String: String], _ why: String) async throws {
        do {
            try await Webhook.run(settings: settings, objects: [:]) { _, _ in }
            Issue.record("it started")
        } catch {
            #expect("\(error)".contains(why), "\(error)")
        }
    }
}
