import Foundation
import Kubernetes
import Testing

@testable import LocalCluster

/// Pods on real podman, from creation to their end.
@Suite(.enabled(if: PodmanTests.areOn), .serialized, .timeLimit(.minutes(5)))
struct PodRunTests {
    @Test func aPodRunsLogsEndsAndGoes() async throws {
        try await KubeletHarness.with { cluster in
            try await cluster.create(cluster.pod("first", "echo hello; echo more >&2; exit 0"))
            var begun = ContinuousClock.now
            let pod = try await cluster.untilPhase("first", "Succeeded")
            print("first pod, pull included:", ContinuousClock.now - begun)
            #expect(pod.terminated()["reason"] == "Completed")
            #expect(pod.terminated()["exitCode"] == 0)
            #expect(cluster.log(pod) == "hello\nmore\n")
            #expect(pod.container()["restartCount"] == 0)
            #expect(pod.container()["imageID"]?.string?.hasPrefix("registry.local/busybox@sha256:") == true)
            #expect(pod[path: "status", "qosClass"] == "BestEffort")
            #expect(pod.condition("Ready")["reason"] == "PodCompleted")
            let reasons = try await cluster.events(of: pod).map(\.reason)
            #expect(reasons == ["Scheduled", "Pulling", "Pulled", "Created", "Started"])

            for name in ["second", "third", "fourth"] {
                begun = ContinuousClock.now
                try await cluster.create(cluster.pod(name, "sleep 1000"))
                let running = try await cluster.untilPhase(name, "Running")
                print("\(name) pod, from creation to running:", ContinuousClock.now - begun)
                #expect(running.condition("Ready")["status"] == "True")
                #expect(running[path: "status", "podIP"]?.string?.hasPrefix("198.18.") == true)
            }
            begun = ContinuousClock.now
            try await cluster.delete("second")
            try await cluster.untilGone("second")
            print("deletion with 2 s of grace:", ContinuousClock.now - begun)
        }
    }

    @Test func aFailedPodSaysItsCodeAndItsLastLines() async throws {
        try await KubeletHarness.with { cluster in
            let container: JSONValue = ["terminationMessagePolicy": "FallbackToLogsOnError"]
            try await cluster.create(cluster.pod("fails", "seq 100 -1 1; exit 3", container: container))
            let pod = try await cluster.untilPhase("fails", "Failed")
            #expect(pod.terminated()["exitCode"] == 3)
            #expect(pod.terminated()["reason"] == "Error")
            let lines = pod.terminated()["message"]?.string?.split(separator: "\n") ?? []
            #expect(lines == (1...80).reversed().map { Substring(String($0)) })

            try await cluster.create(cluster.pod("tells", "echo why > /dev/termination-log; exit 4"))
            #expect(try await cluster.untilPhase("tells", "Failed").terminated()["message"] == "why\n")

            try await cluster.create(cluster.pod("absent", "", container: ["command": ["nosuchprogram"]]))
            let absent = try await cluster.untilPhase("absent", "Failed")
            #expect(absent.terminated()["reason"] == "StartError")
            #expect(absent.terminated()["exitCode"] == 128)
            #expect(absent.terminated()["message"]?.string?.contains("nosuchprogram") == true)
        }
    }

    @Test func tooMuchMemoryIsOOMKilled() async throws {
        try await KubeletHarness.with { cluster in
            let limits: JSONValue = ["resources": ["limits": ["memory": "32Mi"]]]
            try await cluster.create(cluster.pod("eater", "echo begun; x=a; while true; do x=$x$x; done", container: limits))
            let pod = try await cluster.untilPhase("eater", "Failed")
            #expect(pod.terminated()["reason"] == "OOMKilled")
            #expect(pod.terminated()["exitCode"] == 137)
        }
    }

    @Test func anImageThatCannotBePulledIsWaitedFor() async throws {
        try await KubeletHarness.with { cluster in
            try await cluster.create(cluster.pod("nothing", "true", container: ["image": "registry.local/nothing:1"]))
            let pod = try await cluster.until("nothing", "ErrImagePull") { $0.waitingReason() == "ErrImagePull" }
            #expect(pod[path: "status", "phase"] == "Pending")
            let waits = try await cluster.until("nothing", "ImagePullBackOff") { $0.waitingReason() == "ImagePullBackOff" }
            #expect(waits.container()[path: "state", "waiting", "message"] == "Back-off pulling image \"registry.local/nothing:1\"")
            let events = try await cluster.events(of: pod)
            #expect(events.contains { $0.reason == "Pulling" && $0.message == "Pulling image \"registry.local/nothing:1\"" })
            #expect(events.contains { $0.reason == "Failed" && $0.message == "Error: ErrImagePull" })

            try await cluster.create(cluster.pod("Upper".lowercased(), "true", container: ["image": "Bad Name"]))
            try await cluster.until("upper", "InvalidImageName") { $0.waitingReason() == "InvalidImageName" }
            let never: JSONValue = ["image": "registry.local/nothing:1", "imagePullPolicy": "Never"]
            try await cluster.create(cluster.pod("never", "true", container: never))
            try await cluster.until("never", "ErrImageNeverPull") { $0.waitingReason() == "ErrImageNeverPull" }
        }
    }

    @Test func aContainerThatCrashesIsRunAgainAndThenWaits() async throws {
        try await KubeletHarness.with { cluster in
            try await cluster.create(cluster.pod("crashes", "echo run; exit 7", restart: "Always"))
            let pod = try await cluster.until("crashes", "CrashLoopBackOff") { $0.waitingReason() == "CrashLoopBackOff" }
            #expect(pod[path: "status", "phase"] == "Running")
            #expect(pod.container()["restartCount"] == 1)
            #expect(pod.container()[path: "lastState", "terminated", "exitCode"] == 7)
            let message = pod.container()[path: "state", "waiting", "message"]?.string ?? ""
            #expect(message == "back-off 10s restarting failed container=main pod=crashes_test(\(pod.uid))")
            #expect(cluster.log(pod, attempt: 0) == "run\n" && cluster.log(pod, attempt: 1) == "run\n")
            let again = try await cluster.until("crashes", "run a third time") { $0.container()["restartCount"] == 2 }
            #expect(again.container()[path: "lastState", "terminated", "reason"] == "Error")
        }
    }
}
