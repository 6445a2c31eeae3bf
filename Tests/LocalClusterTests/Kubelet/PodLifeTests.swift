import Foundation
import Kubernetes
import Testing

@testable import LocalCluster

/// What pods read, wait for and outlive, on real podman.
@Suite(.enabled(if: PodmanTests.areOn), .serialized, .timeLimit(.minutes(5)))
struct PodLifeTests {
    @Test func podsOutliveTheirKubelet() async throws {
        let folder = NSTemporaryDirectory() + "orrery-adoption-" + UUID().uuidString.prefix(8).lowercased()
        let first = try await KubeletHarness.with(folder: folder, keepsPods: true) { cluster in
            try await cluster.create(cluster.pod("stays", "sleep 600"))
            try await cluster.create(cluster.pod("ends", "sleep 4; exit 9"))
            try await cluster.create(cluster.pod("lost", "sleep 600"))
            try await cluster.create(cluster.pod("again", "sleep 600", restart: "Always"))
            var ids: [String: String] = [:]
            for name in ["stays", "ends", "lost", "again"] {
                let pod = try await cluster.untilPhase(name, "Running")
                ids[name] = RunEnd.identifier(pod.container()["containerID"]) ?? ""
            }
            return ids
        }
        // While nobody looks one ends by itself and two vanish.
        let layout = EngineLayout(clusterFolder: folder)
        for name in ["lost", "again"] { try await PodmanCommand.run(layout, ["rm", "-f", "-t", "0", first[name] ?? ""]) }
        try await PodmanCommand.run(layout, ["wait", first["ends"] ?? ""])
        try await KubeletHarness.with(folder: folder) { cluster in
            let ended = try await cluster.untilPhase("ends", "Failed")
            #expect(ended.terminated()["exitCode"] == 9)
            #expect(ended.terminated()["reason"] == "Error")
            let lost = try await cluster.untilPhase("lost", "Failed")
            #expect(lost.terminated()["reason"] == "ContainerStatusUnknown")
            #expect(lost.terminated()["exitCode"] == 137)
            let again = try await cluster.until("again", "run again") {
                $0.container()["restartCount"] == 1 && $0.container()[path: "state", "running"] != nil
            }
            #expect(again.container()[path: "lastState", "terminated", "reason"] == "ContainerStatusUnknown")
            let stays = try #require(try await cluster.get("stays"))
            #expect(stays.container()["containerID"]?.string == "podman://\(first["stays"] ?? "")")
            #expect(stays.container()["restartCount"] == 0)
            #expect(stays[path: "status", "phase"] == "Running")
        }
        #expect(!FileManager.default.fileExists(atPath: folder))
    }

    @Test func aGracefulStopEndsPodsThatAreNotKept() async throws {
        let folder = NSTemporaryDirectory() + "orrery-stop-" + UUID().uuidString.prefix(8).lowercased()
        let begun = try await KubeletHarness.with(folder: folder, keepsPods: true) { cluster in
            try await cluster.create(cluster.pod("long", "trap 'echo bye; exit 5' TERM; echo up; while true; do sleep 0.1; done"))
            let pod = try await cluster.untilPhase("long", "Running")
            try await cluster.untilLogged("up\n", pod)
            await cluster.kubelet.endAll()
            let ended = try #require(try await cluster.get("long"))
            #expect(ended.terminated()["exitCode"] == 5)
            #expect(cluster.log(ended) == "up\nbye\n")
            return ContinuousClock.now
        }
        #expect(ContinuousClock.now - begun < .seconds(15))
        try await KubeletHarness.with(folder: folder) { _ in }
    }

    @Test func aPodReadsItsVolumesAndVariables() async throws {
        try await KubeletHarness.with { cluster in
            let secret: Object = ["type": "Opaque", "data": ["key": .string(Data("s3cret".utf8).base64EncodedString())]]
            try await cluster.store.create(secret, as: ObjectKey(.secrets, namespace: "test", name: "keys"))
            try await cluster.store.create(
                ["data": ["a.txt": "alpha", "mode": "fast"]], as: ObjectKey(.configMaps, namespace: "test", name: "words"))
            let script = """
                echo "$GREETING $KEY $MODE $POD $LIMIT $IP"
                cat /keys/key /words/one /fields/labels; echo
                stat -L -c '%a' /keys/key; cat /single
                df /memory | tail -1 | awk '{print $1, $2}'; df /dev/shm | tail -1 | awk '{print $2}'
                echo data > /work/file; pwd; hostname; grep -c "$IP" /etc/hosts; (echo x > /keys/no) 2>/dev/null || echo read-only
                """
            let container: JSONValue = [
                "env": [
                    ["name": "WHO", "value": "world"], ["name": "GREETING", "value": "hello-$(WHO)-$(NOBODY)-$$(WHO)"],
                    ["name": "KEY", "valueFrom": ["secretKeyRef": ["name": "keys", "key": "key"]]],
                    ["name": "POD", "valueFrom": ["fieldRef": ["fieldPath": "metadata.name"]]],
                    ["name": "IP", "valueFrom": ["fieldRef": ["fieldPath": "status.podIP"]]],
                    ["name": "LIMIT", "valueFrom": ["resourceFieldRef": ["resource": "limits.memory", "divisor": "1Mi"]]],
                ],
                "envFrom": [["configMapRef": ["name": "words"], "prefix": "X_"], ["configMapRef": ["name": "none", "optional": true]]],
                "resources": ["limits": ["memory": "64Mi", "cpu": "500m"]], "workingDir": "/work",
                "volumeMounts": [
                    ["name": "keys", "mountPath": "/keys", "readOnly": true], ["name": "words", "mountPath": "/words"],
                    ["name": "keys", "mountPath": "/single", "subPath": "key", "readOnly": true],
                    ["name": "fields", "mountPath": "/fields"], ["name": "memory", "mountPath": "/memory"],
                    ["name": "memory", "mountPath": "/dev/shm", "subPath": "."], ["name": "work", "mountPath": "/work", "subPath": "a/b"],
                ],
            ]
            let spec: JSONValue = [
                "hostname": "inside",
                "volumes": [
                    ["name": "keys", "secret": ["secretName": "keys", "defaultMode": 256]],
                    ["name": "words", "configMap": ["name": "words", "items": [["key": "a.txt", "path": "one"]]]],
                    ["name": "fields", "downwardAPI": ["items": [["path": "labels", "fieldRef": ["fieldPath": "metadata.labels"]]]]],
                    ["name": "memory", "emptyDir": ["medium": "Memory", "sizeLimit": "16Mi"]], ["name": "work", "emptyDir": .object([:])],
                ],
            ]
            var object = cluster.pod("reader", script.replacingOccurrences(of: "$MODE", with: "$X_mode"), container: container, spec: spec)
            object.labels = ["app": "reader"]
            try await cluster.create(object)
            let pod = try await cluster.untilPhase("reader", "Succeeded")
            let ip = pod[path: "status", "podIP"]?.string ?? "none"
            #expect(
                cluster.log(pod).split(separator: "\n").map(String.init) == [
                    "hello-world-$(NOBODY)-$(WHO) s3cret fast reader 64 \(ip)", "s3cretalphaapp=\"reader\"", "400",
                    "s3crettmpfs 16384", "16384", "/work", "inside", "1", "read-only",
                ])
            #expect(pod[path: "status", "qosClass"] == "Guaranteed")
            let kept = cluster.folder + "/pods/\(pod.uid)/volumes/work/a/b/file"
            #expect(try String(contentsOfFile: kept, encoding: .utf8) == "data\n")
        }
    }

    @Test func missingThingsAreWaitedFor() async throws {
        try await KubeletHarness.with { cluster in
            let reference: JSONValue = ["env": [["name": "K", "valueFrom": ["secretKeyRef": ["name": "late", "key": "k"]]]]]
            try await cluster.create(cluster.pod("waits", "echo $K", container: reference))
            let pod = try await cluster.until("waits", "refused") { $0.waitingReason() == "CreateContainerConfigError" }
            #expect(pod.container()[path: "state", "waiting", "message"] == "secret \"late\" not found")
            try await cluster.store.create(
                ["data": ["k": .string(Data("now".utf8).base64EncodedString())]], as: ObjectKey(.secrets, namespace: "test", name: "late"))
            #expect(cluster.log(try await cluster.untilPhase("waits", "Succeeded")) == "now\n")
        }
    }

    @Test func initContainersRunFirstAndTheirFailureIsThePods() async throws {
        try await KubeletHarness.with { cluster in
            func initial(_ script: String) -> JSONValue {
                [
                    "initContainers": [
                        [
                            "name": "before", "image": .string(KubeletHarness.image), "imagePullPolicy": "IfNotPresent",
                            "command": ["sh", "-c", .string(script)],
                            "volumeMounts": [["name": "shared", "mountPath": "/shared"]],
                        ]
                    ], "volumes": [["name": "shared", "emptyDir": .object([:])]],
                ]
            }
            let container: JSONValue = ["volumeMounts": [["name": "shared", "mountPath": "/shared"]]]
            try await cluster.create(cluster.pod("both", "cat /shared/x", container: container, spec: initial("echo made > /shared/x")))
            let pod = try await cluster.untilPhase("both", "Succeeded")
            #expect(cluster.log(pod) == "made\n")
            #expect(pod.terminated("before")["reason"] == "Completed")
            try await cluster.create(cluster.pod("never", "true", container: container, spec: initial("exit 2")))
            let failed = try await cluster.untilPhase("never", "Failed")
            #expect(failed.terminated("before")["exitCode"] == 2)
            #expect(failed.waitingReason() == "PodInitializing")
        }
    }

    @Test func aPodThatDoesNotFitWaitsForRoom() async throws {
        try await KubeletHarness.with { cluster in
            let cpu = cluster.kubelet.context.machine.processors
            let whole: JSONValue = ["resources": ["requests": ["cpu": .string("\(cpu)")]]]
            try await cluster.create(cluster.pod("large", "sleep 600", container: whole))
            try await cluster.untilPhase("large", "Running")
            try await cluster.create(cluster.pod("next", "true", container: whole))
            let waits = try await cluster.until("next", "unschedulable") { $0.condition("PodScheduled")["status"] == "False" }
            #expect(waits.condition("PodScheduled")["reason"] == "Unschedulable")
            #expect(waits.condition("PodScheduled")["message"] == "0/1 nodes are available: 1 Insufficient cpu.")
            try await cluster.delete("large", grace: 1)
            try await cluster.untilPhase("next", "Succeeded")
            let events = try await cluster.events(of: waits)
            #expect(events.contains { $0.reason == "FailedScheduling" && $0.message == "0/1 nodes are available: 1 Insufficient cpu." })
        }
    }

    @Test func podsFindEachOtherByTheNamesOfServices() async throws {
        try await KubeletHarness.with { cluster in
            try await cluster.create(cluster.pod("server", "while true; do echo hello | nc -l -p 8080; done"))
            let server = try await cluster.untilPhase("server", "Running")
            // A listener of one connection may be gone before it has said anything: whoever hears nothing asks again.
            let script = """
                until grep -q second /etc/hosts; do sleep 0.1; done
                ask() { until answer=$(nc $1 8080 </dev/null 2>/dev/null) && test -n "$answer"; do sleep 0.1; done; echo $answer; }
                ask first; ask first.test
                """
            try await cluster.create(cluster.pod("client", script))
            try await cluster.untilPhase("client", "Running")
            let address = server[path: "status", "podIP"] ?? "none"
            for name in ["first", "second"] {
                try await cluster.store.create(
                    ["subsets": [["addresses": [["ip": address]]]]], as: ObjectKey(.endpoints, namespace: "test", name: name))
            }
            try await cluster.untilLogged("hello\nhello\n", try await cluster.untilPhase("client", "Succeeded"))
        }
    }

    @Test func theDeadlineEndsAPodAndALossIsTold() async throws {
        try await KubeletHarness.with { cluster in
            try await cluster.create(cluster.pod("slow", "sleep 600", spec: ["activeDeadlineSeconds": 2]))
            let late = try await cluster.untilPhase("slow", "Failed")
            #expect(late[path: "status", "reason"] == "DeadlineExceeded")
            try await cluster.create(cluster.pod("loses", "sleep 600"))
            let pod = try await cluster.untilPhase("loses", "Running")
            try await cluster.kubelet.lose(pod, how: .containers)
            let lost = try await cluster.untilPhase("loses", "Failed")
            #expect(lost.terminated()["reason"] == "ContainerStatusUnknown")
        }
    }

    @Test func probesDecideOnReadinessAndLife() async throws {
        try await KubeletHarness.with { cluster in
            let container: JSONValue = [
                "readinessProbe": ["exec": ["command": ["cat", "/tmp/ready"]], "periodSeconds": 1],
                "livenessProbe": ["tcpSocket": ["port": 8080], "periodSeconds": 1, "failureThreshold": 1, "initialDelaySeconds": 2],
            ]
            let script = "nc -lk -p 8080 -e true & sleep 1; touch /tmp/ready; sleep 3; kill %1; sleep 600"
            try await cluster.create(cluster.pod("probed", script, restart: "Always", container: container))
            let pod = try await cluster.until("probed", "running") { $0.container()[path: "state", "running"] != nil }
            #expect(pod.condition("Ready")["status"] == "False")
            try await cluster.until("probed", "ready") { $0.condition("Ready")["status"] == "True" }
            try await cluster.until("probed", "run again") { $0.container()["restartCount"] == 1 }
        }
    }
}
