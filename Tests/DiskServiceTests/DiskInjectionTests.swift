import AsyncHTTPClient
import Foundation
import Kubernetes
import ServiceKit
import TestSupport
import Testing

@testable import DiskService

/// Pods get the disks that they ask for, as an API server asks for it over TLS (disk.md 12.1 to 12.3).
@Suite(.timeLimit(.minutes(10))) struct DiskInjectionTests {
    private typealias Stage = DiskWebhookStage

    // MARK: Not its concern

    @Test func whatIsLeftAlone() async throws {
        try await Stage.run { (webhook) async throws in
            let item = "[\(Stage.entry("gone"))]"
            let pods = [
                Stage.pod(nil), Stage.pod(item, org: nil), Stage.pod(item, project: nil), Stage.pod(item, spec: ["containers": []]),
                Stage.pod(item, spec: .object([:])), ["kind": "Pod"], ["kind": "Pod", "metadata": ["labels": nil, "annotations": nil]],
                // A list that is there and wants nothing.
                Stage.pod("[]", spec: ["containers": [["name": "a"]], "volumes": []]),
            ]
            for pod in pods {
                let answer = try await webhook.ask(pod)
                #expect(answer.isAllowed && answer.operations == nil, "\(pod)")
            }
            let empty = try await webhook.ask(Stage.pod("[]"))
            #expect(empty.operations == [["op": "add", "path": "/spec/volumes", "value": []]])
            let before = webhook.stage.askings("/namespaces/")
            #expect(try await webhook.ask(["kind": "Service", "metadata": ["name": "s"]], in: "nowhere").isAllowed)
            #expect(try await webhook.ask(nil, in: "nowhere").isAllowed)
            #expect(webhook.stage.askings("/namespaces/") == before)
        }
    }

    /// What is gone from under a pod that runs must not hold up who takes a finalizer off it.
    @Test func aPodThatStandsIsNotAskedForAgain() async throws {
        try await Stage.run { (webhook) async throws in
            let pod = Stage.pod("[\(Stage.entry("gone"))]")
            let answer = try await webhook.ask(pod, old: pod)
            #expect(answer.isAllowed && answer.operations == nil)
            #expect(try await webhook.ask(pod, old: Stage.pod(nil)).denial == "404 Disk gone not found")
        }
    }

    // MARK: Denied

    @Test func whatIsNoAnnotation() async throws {
        try await Stage.run { (webhook) async throws in
            func item(_ uri: String, path: String = "/mnt", mode: String = "rw") -> String {
                #"[{"mount_path": "\#(path)", "disk_uri": "\#(uri)", "mount_mode": "\#(mode)"}]"#
            }
            let disk = "disk://default/acme/vision/disk-x"
            let twice = "[\(Stage.entry("one")), \(Stage.entry("two"))]"
            let broken = [
                "invalid", "{}", "[1]", #"[{"mount_path": "/mnt"}]"#, item("storage://default/acme/vision/disk-x"), item("x"),
                item("disk://default/acme/vision"), item("disk://default/acme"), item(disk + "/deeper"),
                item("disk://default/acme/vision/UP"),
                item("disk://default/acme/vision/..%2Fx"), item("disk://default/acme/vision/.."), item(disk + "?x"),
                item(disk, path: "mnt"),
                item(disk, path: "/a/../b"), item(disk, mode: "x"), twice,
            ]
            for text in broken {
                #expect(try await webhook.ask(Stage.pod(text)).denial == "422 injection spec is invalid", "\(text)")
            }
        }
    }

    @Test func everythingMustBeOfOneProject() async throws {
        try await Stage.run { (webhook) async throws in
            let id = try await webhook.stage.made()
            let theirs = try await webhook.stage.made(as: "alice", project: "sound")
            func item(_ place: String, _ id: String) -> String { #"[{"mount_path": "/mnt", "disk_uri": "disk://\#(place)/\#(id)"}]"# }
            let pods = [
                Stage.pod(item("default/acme/vision", id), org: "beta"), Stage.pod(item("default/acme/vision", id), project: "sound"),
                Stage.pod(item("default/beta/vision", id)), Stage.pod(item("default/acme/sound", theirs)),
                Stage.pod(item("elsewhere/acme/vision", id)), Stage.pod(item("default/acme/sound", theirs), project: "sound"),
            ]
            for pod in pods { #expect(try await webhook.ask(pod).denial == "403 metadata value mismatch", "\(pod)") }
            // By the id alone it is not found here.
            #expect(try await webhook.ask(Stage.pod("[\(Stage.entry(theirs))]")).denial == "404 Disk \(theirs) not found")
        }
    }

    @Test func onlyDisksThatStandAreMounted() async throws {
        try await Stage.run { (webhook) async throws in
            let id = try await webhook.stage.made(["name": "data"])
            _ = try await webhook.stage.client.patch(
                .persistentVolumeClaims, id, in: DiskStage.namespace, .merge(["metadata": ["finalizers": ["test/held"]]]))
            #expect(try await webhook.stage.delete(id).status == 204)
            var metadata = ObjectMeta(name: "database")
            let spec = ClaimSpec(accessModes: ["ReadWriteOnce"], storage: "500")
            let bare = PersistentVolumeClaim(metadata: metadata, spec: spec)
            try await webhook.stage.client.create(.persistentVolumeClaims, bare, in: DiskStage.namespace)
            // One that says it is another's.
            metadata = ObjectMeta(name: "foreign")
            for (key, value) in [(DiskKeys.mark, "true"), (DiskKeys.org, "beta"), (DiskKeys.project, "other")] {
                key.write(value, to: &metadata.labels)
            }
            try await webhook.stage.client.create(
                .persistentVolumeClaims, PersistentVolumeClaim(metadata: metadata, spec: spec), in: DiskStage.namespace)
            for disk in [id, "data", "database", "foreign", "disk-gone"] {
                #expect(try await webhook.ask(Stage.pod("[\(Stage.entry(disk))]")).denial == "404 Disk \(disk) not found")
            }
        }
    }

    @Test func namespacesThatAreNoProjects() async throws {
        try await Stage.run { (webhook) async throws in
            let labels = ["platform.apolo.us/org": "acme", "platform.apolo.us/project": "vision"]
            for (name, labels) in [("bare", [:]), ("posing", labels), ("odd", labels.mapValues { _ in "X" })] {
                try await webhook.stage.client.create(.namespaces, Namespace(metadata: ObjectMeta(name: name, labels: labels)))
            }
            for object in [Stage.pod("[\(Stage.entry("x"))]"), Stage.claim("data")] {
                #expect(try await webhook.ask(object, in: "bare").denial == "400 Namespace lacks required org / project labels")
                #expect(try await webhook.ask(object, in: "posing").denial?.hasPrefix("400 Namespace posing is not that of") == true)
                #expect(try await webhook.ask(object, in: "odd").denial?.hasPrefix("400 Namespace odd has labels") == true)
                #expect(try await webhook.ask(object, in: "missing").denial == "400 Unexpected error happened")
                for name in [nil, ""] as [String?] { #expect(try await webhook.ask(object, in: name).denial?.hasPrefix("400") == true) }
            }
        }
    }

    @Test func withoutTheClusterNothingIsAllowed() async throws {
        try await Stage.run { (webhook) async throws in
            try await webhook.stage.fault("get", "/api/v1/namespaces/\(DiskStage.namespace)", status: 500, count: 1000)
            for object in [Stage.pod("[\(Stage.entry("x"))]"), Stage.claim("data")] {
                let answer = try await webhook.ask(object)
                #expect(!answer.isAllowed && answer.denial == "400 Unexpected error happened")
            }
        }
    }

    // MARK: The patch

    @Test func disksByIdAndByName() async throws {
        try await Stage.run { (webhook) async throws in
            let first = try await webhook.stage.made()
            let second = try await webhook.stage.made(["name": "data"])
            let annotation = "[\(Stage.entry(first, path: "/mnt/a")), \(Stage.entry("data", path: "/mnt/b", mode: "r"))]"
            let operations = try #require(try await webhook.ask(Stage.pod(annotation)).operations)
            let names = operations.filter { $0["path"] == "/spec/volumes/-" }.compactMap { $0["value"]?["name"] }
            #expect(names.count == 2 && Set(names).count == 2)
            #expect(names.allSatisfy { $0.string?.wholeMatch(of: /disk-auto-injected-volume-[0-9a-f]{8}/) != nil })
            let mounts: [JSONValue] = [
                ["name": names[0], "mountPath": "/mnt/a"], ["name": names[1], "mountPath": "/mnt/b", "readOnly": true],
            ]
            func add(_ path: String, _ value: JSONValue) -> JSONValue { ["op": "add", "path": .string(path), "value": value] }
            #expect(
                operations == [
                    add("/spec/volumes", []), add("/spec/containers/0/volumeMounts", []),
                    add("/spec/volumes/-", ["name": names[0], "persistentVolumeClaim": ["claimName": .string(first)]]),
                    add("/spec/containers/0/volumeMounts/-", mounts[0]),
                    add("/spec/volumes/-", ["name": names[1], "persistentVolumeClaim": ["claimName": .string(second)]]),
                    add("/spec/containers/0/volumeMounts/-", mounts[1]),
                ])
        }
    }

    @Test func everyContainerHasTheMountAndInitContainersHaveNot() async throws {
        try await Stage.run { (webhook) async throws in
            let id = try await webhook.stage.made()
            let own: JSONValue = ["name": "own", "mountPath": "/own"]
            let spec: JSONValue = [
                "volumes": [["name": "own", "emptyDir": .object([:])]], "initContainers": [["name": "first"]],
                "containers": [["name": "a", "volumeMounts": [own]], ["name": "b", "volumeMounts": nil]],
            ]
            let pod = try await webhook.admitted(Stage.pod("[\(Stage.entry(id))]", spec: spec))
            #expect(pod["spec"]?["initContainers"] == [["name": "first"]] && pod["spec"]?["volumes"]?.array?.count == 2)
            let mount: JSONValue = ["name": pod["spec"]?["volumes"]?[1]?["name"] ?? .null, "mountPath": "/mnt/disk"]
            #expect(pod["spec"]?["containers"]?[0]?["volumeMounts"] == [own, mount])
            #expect(pod["spec"]?["containers"]?[1]?["volumeMounts"] == [mount])
        }
    }

    @Test func oneDiskInTwoPlaces() async throws {
        try await Stage.run { (webhook) async throws in
            let id = try await webhook.stage.made(["name": "data"])
            let pod = try await webhook.admitted(
                Stage.pod("[\(Stage.entry(id, path: "/mnt/a")), \(Stage.entry("data", path: "/mnt/b"))]"))
            // One volume: a kubelet waits forever for the second one of a claim.
            let volumes = pod["spec"]?["volumes"]?.array ?? []
            #expect(volumes.map { $0["persistentVolumeClaim"]?["claimName"]?.string } == [id])
            let mounts = pod["spec"]?["containers"]?[0]?["volumeMounts"]?.array ?? []
            #expect(mounts.map { $0["mountPath"]?.string } == ["/mnt/a", "/mnt/b"])
            #expect(mounts.allSatisfy { $0["name"] == volumes.first?["name"] })
            // Nor beside one that the pod has by itself.
            let spec: JSONValue = [
                "volumes": [["name": "own", "persistentVolumeClaim": ["claimName": .string(id)]]], "containers": [["name": "a"]],
            ]
            let own = try await webhook.admitted(Stage.pod("[\(Stage.entry("data"))]", spec: spec))
            #expect(own["spec"]?["volumes"] == spec["volumes"])
            #expect(own["spec"]?["containers"]?[0]?["volumeMounts"] == [["name": "own", "mountPath": "/mnt/disk"]])
        }
    }

    @Test func whatIsThereIsNotAddedAgain() async throws {
        try await Stage.run { (webhook) async throws in
            let (first, second) = (try await webhook.stage.made(), try await webhook.stage.made())
            let annotation = "[\(Stage.entry(first, path: "/mnt/a")), \(Stage.entry(second, path: "/mnt/b"))]"
            var pod = try await webhook.admitted(Stage.pod(annotation))
            #expect(try await webhook.ask(pod).operations == nil)
            #expect(try await webhook.ask(pod, old: pod).operations == nil)
            // Another webhook has put a container beside it meanwhile: it has the disks too, of the same volumes.
            let containers = (pod["spec"]?["containers"]?.array ?? []) + [["name": "beside"]]
            pod["spec"]?["containers"] = .array(containers)
            let again = try await webhook.admitted(pod)
            #expect(again["spec"]?["volumes"] == pod["spec"]?["volumes"])
            #expect(again["spec"]?["containers"]?[1]?["volumeMounts"] == containers[0]["volumeMounts"])
            #expect(again["spec"]?["containers"]?[0] == containers[0])
        }
    }

    // MARK: The door

    @Test func whatIsNoReview() async throws {
        try await Stage.run { (webhook) async throws in
            for body in ["{}", #"{"request": {}}"#, "[]", "x", ""] { #expect(try await webhook.asker.post(body).status == 400, "\(body)") }
            #expect(try await webhook.asker.post(String(repeating: " ", count: 9 << 20)).status == 413)
            let ping = try await webhook.asker.get("/ping")
            #expect(ping.status == 200 && ping.body == "ok")
            // What the API answers stays behind its own door, and the other way round.
            #expect(try await webhook.asker.get("/api/v1/disk?" + DiskStage.acme).status == 404)
            #expect(try await webhook.stage.disks.post("/mutate").status == 404)
        }
    }

    @Test func onlyOverTLS() async throws {
        try await Stage.run { (webhook) async throws in
            await #expect(throws: (any Error).self) {
                try await HTTPClient.shared.execute(
                    HTTPClientRequest(url: "http://127.0.0.1:\(webhook.asker.port)/ping"), timeout: .seconds(10))
            }
        }
    }

    @Test func whatItCannotStartWith() async throws {
        try await DiskStage.with { (stage) async throws in
            func refusal(_ settings: [String: String], classes: Bool = true) async throws -> String {
                do {
                    try await Stage.start(on: stage, settings, classes: classes) { _ in }
                    return "it started"
                } catch {
                    return "\(error)"
                }
            }
            #expect(try await refusal(["disk.admission.key": ""]).contains("needs ORRERY_DISK_ADMISSION_SECRET, or"))
            #expect(try await refusal(["disk.admission.key": "/nowhere"]).contains("/nowhere"))
            #expect(try await refusal(["disk.admission.account": ""]).contains("ORRERY_DISK_ADMISSION_ACCOUNT"))
            #expect(try await refusal(["disk.admission.port": "x"]).contains("ORRERY_DISK_ADMISSION_PORT"))
            for name in try await stage.client.list(Stage.storageClasses).items.compactMap(\.metadata.name) {
                try await stage.client.delete(Stage.storageClasses, name)
            }
            #expect(
                try await refusal([:], classes: false).contains("unable to start an admission controller without a known storage class"))
            // Without the webhook it starts.
            try await stage.another { _ in }
        }
    }

    @Test func theTokenTellsTheOwnName() throws {
        func token(_ payload: String) -> String {
            let text = Data(payload.utf8).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
            return "e30.\(text).c2lnbmVk"
        }
        func account(_ token: String, _ values: [String: String] = [:]) throws -> String {
            try OwnAccount(Settings(values: values), KubernetesConfiguration(url: "http://127.0.0.1:9", token: token)).username
        }
        let name = "system:serviceaccount:platform:disk-api"
        for filler in ["", "?>~", "ü"] { #expect(try account(token(#"{"x":"\#(filler)","sub":"\#(name)"}"#)) == name) }
        #expect(try account(token(#"{"sub":"x"}"#), ["disk.admission.account": "given"]) == "given")
        for text in ["opaque", "a.b.c", token("{}"), token(#"{"sub":""}"#), token(#"{"sub":1}"#), ""] {
            #expect(throws: SettingError.self) { try account(text) }
        }
    }
}
