import Foundation
import Kubernetes
import Testing

@testable import LocalCluster

/// The kubelet's rules as tables; nothing runs here.
@Suite struct KubeletTableTests {
    static let now = Date(timeIntervalSince1970: 1_800_000_000)

    @Test(arguments: [
        ("plain", "plain"), ("$(A)", "1"), ("x$(A)y$(B)", "x1y2"), ("$$(A)", "$(A)"), ("$(NONE)", "$(NONE)"), ("$(A", "$(A"),
        ("a$b", "a$b"),
        ("$$$(A)", "$1"), ("$", "$"),
    ])
    func variablesAreExpanded(_ text: String, _ expected: String) {
        #expect(VariableExpansion.expand(text) { ["A": "1", "B": "2"][$0] } == expected)
    }

    @Test(arguments: [
        ("busybox", "docker.io/library/busybox:latest"), ("busybox:1.36", "docker.io/library/busybox:1.36"),
        ("org/app", "docker.io/org/app:latest"), ("registry.local/a/b:v1", "registry.local/a/b:v1"), ("localhost/x", "localhost/x:latest"),
        ("127.0.0.1:5000/x", "127.0.0.1:5000/x:latest"), ("h:1/a__b/c-d.e:T_1", "h:1/a__b/c-d.e:T_1"),
    ])
    func imageNamesAreCompleted(_ text: String, _ expected: String) throws {
        #expect(try ImageReference(text).description == expected)
    }

    @Test(arguments: ["", "Upper", "a b", "x:", "x/", "/x", "a//b", "a:b:c", "x@sha256:1", "-x", "x_", "a___b", "h:x/y"])
    func badImageNamesAreRefused(_ text: String) {
        #expect(throws: ImageReference.Invalid.self) { try ImageReference(text) }
    }

    @Test func waitsDoubleUpToFiveMinutesAndAreForgotten() {
        var backOff = BackOff()
        var waits: [Double] = []
        for step in 0..<7 {
            backOff.next("c", now: Self.now.addingTimeInterval(Double(step)))
            waits.append(backOff.wait("c"))
        }
        #expect(waits == [10, 20, 40, 80, 160, 300, 300])
        #expect(waits.map(BackOff.text) == ["10s", "20s", "40s", "1m20s", "2m40s", "5m0s", "5m0s"])
        backOff.next("c", now: Self.now.addingTimeInterval(700))
        #expect(backOff.wait("c") == 10)
        let failed = Self.now
        #expect(backOff.waits("c", failed: failed, now: failed.addingTimeInterval(9)) == failed.addingTimeInterval(10))
        #expect(backOff.waits("c", failed: failed, now: failed.addingTimeInterval(10)) == nil)
        var later = BackOff()
        later.restore("c", tries: 3, now: Self.now)
        #expect(later.wait("c") == 40)
    }

    private func pod(_ restart: String, initial: Int = 0, containers: Int = 1, status: JSONValue = .object([:])) -> PodTemplate {
        func make(_ count: Int, _ prefix: String) -> JSONValue {
            .array((0..<count).map { ["name": .string("\(prefix)\($0)"), "image": "x"] })
        }
        return PodTemplate([
            "metadata": ["name": "p", "namespace": "n", "uid": "u"], "status": status,
            "spec": ["restartPolicy": .string(restart), "containers": make(containers, "c"), "initContainers": make(initial, "i")],
        ])
    }

    private func situation(_ name: String, _ state: RunState, restarts: Int = 0, last: RunEnd? = nil) -> ContainerSituation {
        var situation = ContainerSituation(
            ContainerTemplate(["name": .string(name)]), attempts: [], written: nil, failures: [:], waiting: "ContainerCreating",
            now: Self.now)
        situation.state = state
        situation.restartCount = restarts
        situation.last = last
        if case .waiting = state {} else { situation.id = "id-\(name)" }
        return situation
    }

    private static let waits = RunState.waiting(reason: "ContainerCreating", message: nil)
    private static let runs = RunState.running(since: now)
    private static func ended(_ code: Int) -> RunState { .terminated(RunEnd(exitCode: code, reason: "x", finishedAt: now, id: "e")) }

    @Test func phasesFollowTheContainersAndThePolicy() {
        let table: [(String, [RunState], [RunState], String)] = [
            ("Never", [], [Self.waits], "Pending"), ("Never", [], [Self.runs], "Running"), ("Never", [], [Self.ended(0)], "Succeeded"),
            ("Never", [], [Self.ended(1)], "Failed"), ("Always", [], [Self.ended(0)], "Running"),
            ("OnFailure", [], [Self.ended(1)], "Running"),
            ("OnFailure", [], [Self.ended(0)], "Succeeded"), ("Never", [], [Self.ended(0), Self.ended(2)], "Failed"),
            ("Never", [], [Self.ended(1), Self.runs], "Running"), ("Never", [], [Self.waits, Self.runs], "Pending"),
            ("Never", [Self.ended(2)], [Self.waits], "Failed"), ("Always", [Self.ended(2)], [Self.waits], "Pending"),
            ("Never", [Self.runs], [Self.waits], "Pending"), ("Never", [Self.ended(0)], [Self.runs], "Running"),
        ]
        for (policy, initial, main, phase) in table {
            let builder = PodStatusBuilder(
                pod: pod(policy), initial: initial.enumerated().map { situation("i\($0)", $1) },
                main: main.enumerated().map { situation("c\($0)", $1) }, now: Self.now)
            #expect(builder.phase == phase, "\(policy) \(initial) \(main)")
        }
    }

    @Test func plansStartWhatIsDue() {
        func plan(_ pod: PodTemplate, _ initial: [ContainerSituation], _ main: [ContainerSituation], _ backOff: BackOff = BackOff())
            -> PodPlan
        {
            PodPlan(pod, initial: initial, main: main, backOff: backOff, now: Self.now)
        }
        let first = plan(
            pod("Always", initial: 2), [situation("i0", Self.waits), situation("i1", Self.waits)], [situation("c0", Self.waits)])
        #expect(first.starts == [.init(container: "i0", attempt: 0, isInit: true)])
        let second = plan(
            pod("Always", initial: 2), [situation("i0", Self.ended(0)), situation("i1", Self.waits)], [situation("c0", Self.waits)])
        #expect(second.starts == [.init(container: "i1", attempt: 0, isInit: true)])
        let main = plan(pod("Never"), [], [situation("c0", Self.waits), situation("c1", Self.waits)])
        #expect(main.starts.map(\.container) == ["c0", "c1"])
        #expect(plan(pod("Never"), [], [situation("c0", Self.ended(1))]).isOver)
        #expect(plan(pod("OnFailure"), [], [situation("c0", Self.ended(0))]).isOver)
        let again = plan(pod("Always"), [], [situation("c0", Self.ended(0), restarts: 4)])
        #expect(again.starts == [.init(container: "c0", attempt: 5, isInit: false)])
        var backOff = BackOff()
        backOff.next("c0", now: Self.now)
        let waits = plan(pod("Always"), [], [situation("c0", Self.ended(0), restarts: 1)], backOff)
        #expect(waits.starts.isEmpty && !waits.isOver)
        #expect(waits.backOffs["c0"]?.until == Self.now.addingTimeInterval(10))
        let failed = plan(pod("Never", initial: 1), [situation("i0", Self.ended(1))], [situation("c0", Self.waits)])
        #expect(failed.isOver && failed.hasFailedInit)
    }

    @Test func aRunThatVanishedIsTold() {
        let template = ContainerTemplate(["name": "c", "image": "x"])
        let written: JSONValue = [
            "name": "c", "restartCount": 2, "containerID": "podman://gone", "state": ["running": ["startedAt": "2026-01-01T00:00:00Z"]],
        ]
        let lost = ContainerSituation(template, attempts: [], written: written, failures: [:], waiting: "ContainerCreating", now: Self.now)
        #expect(lost.state.end?.reason == "ContainerStatusUnknown" && lost.state.end?.exitCode == 137 && lost.restartCount == 2)
        let inspection = ContainerInspection([
            "Id": "new", "State": ["Status": "running", "StartedAt": "2026-01-02T00:00:00Z"],
        ])
        let again = ContainerSituation(
            template, attempts: [.init(number: 3, inspection: inspection)],
            written: [
                "restartCount": 2, "containerID": "podman://old", "state": ["terminated": ["exitCode": 5, "containerID": "podman://old"]],
            ],
            failures: [:], waiting: "ContainerCreating", now: Self.now)
        #expect(again.state.isRunning && again.restartCount == 3 && again.last?.exitCode == 5)
    }

    @Test func aNodeRefusesInTheSchedulersWords() {
        let node: Object = [
            "metadata": ["name": "n", "labels": ["pool": "a"]],
            "spec": ["taints": [["key": "gpu", "value": "yes", "effect": "NoSchedule"]]],
            "status": ["allocatable": ["cpu": "2", "memory": "1Gi", "pods": "2"]],
        ]
        func refusal(_ spec: JSONValue, podCount: Int = 0) -> String? {
            SchedulingFit(node: node, used: ["cpu": 1500], podCount: podCount).refusal(PodTemplate(["spec": spec]))
        }
        let tolerates: JSONValue = [["key": "gpu", "operator": "Exists"]]
        func asks(_ amounts: JSONValue) -> JSONValue { [["name": "c", "resources": ["requests": amounts]]] }
        #expect(refusal(["containers": asks(["cpu": "500m"]), "tolerations": tolerates]) == nil)
        #expect(
            refusal(["containers": asks(["cpu": "501m", "memory": "2Gi"]), "tolerations": tolerates])
                == "0/1 nodes are available: 1 Insufficient cpu, 1 Insufficient memory.")
        #expect(
            refusal(["containers": asks(["nvidia.com/gpu": "1"]), "tolerations": tolerates])
                == "0/1 nodes are available: 1 Insufficient nvidia.com/gpu.")
        #expect(refusal(["containers": asks(.object([:]))]) == "0/1 nodes are available: 1 node(s) had untolerated taint {gpu: yes}.")
        #expect(
            refusal(["containers": asks(.object([:])), "nodeSelector": ["pool": "b"], "tolerations": tolerates])
                == "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector.")
        #expect(
            refusal(["containers": asks(.object([:])), "tolerations": tolerates], podCount: 2)
                == "0/1 nodes are available: 1 Too many pods.")
        let affinity: JSONValue = [
            "nodeAffinity": [
                "requiredDuringSchedulingIgnoredDuringExecution": [
                    "nodeSelectorTerms": [
                        ["matchExpressions": [["key": "pool", "operator": "In", "values": ["b"]]]],
                        ["matchExpressions": [["key": "pool", "operator": "In", "values": ["a"]]]],
                    ]
                ]
            ]
        ]
        #expect(refusal(["containers": asks(.object([:])), "affinity": affinity, "tolerations": tolerates]) == nil)
    }

    @Test func pullSecretsAreChosenByRegistry() throws {
        let configuration =
            #"{"auths":{"r.example:5000":{"auth":"dTpwOnE="},"https://index.docker.io/v1/":{"username":"h","password":"s"}}}"#
        let secret: Object = ["data": [".dockerconfigjson": .string(Data(configuration.utf8).base64EncodedString())]]
        #expect(
            PullSecretReader.credentials(in: secret, for: try ImageReference("r.example:5000/a/b")) == [.init(user: "u", password: "p:q")])
        #expect(PullSecretReader.credentials(in: secret, for: try ImageReference("busybox")) == [.init(user: "h", password: "s")])
        #expect(PullSecretReader.credentials(in: secret, for: try ImageReference("other.example/x")).isEmpty)
    }

    @Test func theEndOfALogIsReadWithoutItsTimes() throws {
        let path = NSTemporaryDirectory() + "tail-\(UUID().uuidString).log"
        defer { try? FileManager.default.removeItem(atPath: path) }
        var text = ""
        for number in 1...200 { text += "2026-11-21T08:35:59.243073002+00:00 stdout F line \(number)\n" }
        text += "2026-11-21T08:35:59.243073002+00:00 stdout P half\n"
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        #expect(PodFolder.logTail(path, lines: 3, bytes: 2048) == "line 199\nline 200\nhalf")
        #expect(PodFolder.logTail(path, lines: 80, bytes: 10) == "e 200\nhalf")
    }

    @Test func theMachinesSubnetIsOneThatNobodyHas() {
        #expect(PodSubnets.choose(start: 4, taken: ["198.18.5.1", "198.18.6.1", "127.0.0.1"]) == 7)
        #expect(PodSubnets.choose(start: 253, taken: []) == 254)
    }

    @Test func servicesHaveTheirNamesInHosts() {
        let entries = ServiceNames.entries(of: [
            [
                "metadata": ["name": "s", "namespace": "a"],
                "subsets": [["addresses": [["ip": "198.18.1.2"]]], ["notReadyAddresses": [["ip": "198.18.1.3"]]]],
            ]
        ])
        #expect(ServiceNames.hosts(entries, in: "a").hasSuffix("\n198.18.1.2\ts\ts.a\ts.a.svc\ts.a.svc.cluster.local\n"))
        #expect(ServiceNames.hosts(entries, in: "b").hasSuffix("\n198.18.1.2\ts.a\ts.a.svc\ts.a.svc.cluster.local\n"))
        #expect(ServiceNames.hosts([], in: "a").isEmpty)
    }

    @Test func whatIsMissingIsNamed() {
        let missing = PodmanRequirements.absent(EnginePrograms(searching: "/nonexistent", folders: [], helpers: []), isRoot: true)
        #expect(missing.contains { $0.hasPrefix("podman is missing (Debian package `podman`)") })
        #expect(missing.contains { $0.contains("conmon") } && missing.contains { $0.contains("catatonit") })
    }
}
