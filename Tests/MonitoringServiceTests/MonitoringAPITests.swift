import AsyncHTTPClient
import Foundation
import HTTPTypes
import Kubernetes
import Logging
import NIOCore
import PlatformModel
import TestSupport
import Testing
import WebSocket

@testable import MonitoringService

/// The API on a genuine Kubernetes; jobs and permissions are told by a stand-in control plane.
@Suite(
    .enabled(if: ProcessInfo.processInfo.environment["ORRERY_TEST_KUBECONFIG"] != nil), .timeLimit(.minutes(3))
) struct MonitoringAPITests {
    struct Stage {
        let service: TestService
        let plane: ControlPlane
        let kubernetes: KubernetesClient
        let namespace: String

        /// Creates a pod as jobs-api's controller does, and its job.
        func start(_ script: String, name: String? = nil, policy: String = "Never", tty: Bool = false) async throws -> JobID {
            let id = JobID.random()
            var container = Container(name: id.text, image: "registry.local/busybox")
            container.command = ["sh", "-c", script]
            container.stdin = true
            container.tty = tty ? true : nil
            var spec = PodSpec(containers: [container])
            spec.restartPolicy = policy
            spec.automountServiceAccountToken = false
            spec.terminationGracePeriodSeconds = 1
            let pod = Pod(metadata: .init(name: id.text, labels: [JobPods.label: id.text]), spec: spec)
            try await kubernetes.create(.pods, pod, in: namespace)
            try plane.set(id, .running, name: name, namespace: namespace)
            return id
        }

        func wait(_ id: JobID, _ wanted: @Sendable (Pod) -> Bool) async {
            for await event in kubernetes.watch(.pods, in: namespace, fields: ["metadata.name": id.text]) {
                switch event {
                case .listed(let pods): if pods.contains(where: wanted) { return }
                case .added(let pod), .modified(let pod): if wanted(pod) { return }
                case .deleted: return
                }
            }
        }

        func running(_ id: JobID) async { await wait(id) { $0.status?.containerStatuses?.first?.isRunning == true } }

        /// Every frame of a session.
        func frames(
            _ path: String, protocols: [String] = [], send: [String] = [], as caller: String = "alice"
        ) async throws -> (frames: [String], negotiated: String?, close: WebSocketCloseCode?) {
            try await WebSocketClient.connect(
                url: service.url + "/api/v1/jobs/" + path, headers: [.authorization: "Bearer \(caller)"], protocols: protocols
            ) { session, negotiated in
                for frame in send { try await session.send(.binary(ByteBuffer(string: frame))) }
                var frames: [String] = []
                for try await message in session.inbound {
                    guard case .binary(let bytes) = message else {
                        Issue.record("a frame that is not binary")
                        continue
                    }
                    frames.append(String(buffer: bytes))
                }
                return (frames, negotiated, session.peerClose?.code)
            }
        }

        func log(_ id: JobID, _ query: String = "") async throws -> String { try await frames("\(id)/log_ws\(query)").frames.joined() }

        /// The refusal of a handshake.
        func refusal(_ path: String, as caller: String? = "alice") async throws -> (status: Int, error: String?) {
            do {
                try await WebSocketClient.connect(
                    url: service.url + "/api/v1/jobs/" + path, headers: caller.map { [.authorization: "Bearer \($0)"] } ?? [:]
                ) { _, _ in }
                return (101, nil)
            } catch let refused as WebSocketHandshakeRefused {
                return (refused.status, MonitoringErrors.header.flatMap { refused.headers[$0] })
            }
        }
    }

    private func stage(more: [String: String] = [:], _ body: @Sendable (Stage) async throws -> Void) async throws {
        let path = try #require(ProcessInfo.processInfo.environment["ORRERY_TEST_KUBECONFIG"])
        let plane = ControlPlane()
        try await StandIn.run({ try await plane.answer($0) }) { url in
            let settings = [
                "kubeconfig": path, "cluster.name": "default", "auth.url": url, "jobs.url": url, "config.url": url, "service.token": "t",
            ].merging(more) { $1 }
            try await withService(MonitoringService.self, settings: settings, authenticator: TestAuthenticator.factory("alice", "bob")) {
                service in
                let kubernetes = try KubernetesClient(.kubeconfig(path: path), logger: Logger(label: "t"))
                let namespace = "test-monitoring-\(UUID().uuidString.lowercased().prefix(8))"
                try await kubernetes.create(.namespaces, Namespace(metadata: .init(name: namespace)))
                let outcome: Result<Void, any Error>
                let stage = Stage(service: service, plane: plane, kubernetes: kubernetes, namespace: namespace)
                do { outcome = .success(try await body(stage)) } catch { outcome = .failure(error) }
                try? await kubernetes.delete(.namespaces, namespace)
                try await kubernetes.shutdown()
                try outcome.get()
            }
        }
    }

    @Test func aLogIsFollowedToItsEnd() async throws {
        try await stage { stage in
            // Two streams are two pipes: only time gives their lines an order.
            let id = try await stage.start("echo hello; sleep 2; echo bye >&2; sleep 0.3; printf end")
            let (frames, negotiated, close) = try await stage.frames("\(id)/log_ws", protocols: ["x", "logs.apolo.us"])
            #expect(frames.joined() == "hello\nbye\nend")
            #expect(frames.first == "hello\n")
            #expect(negotiated == "logs.apolo.us")
            #expect(close == .normal)

            // Finished, the same again, over both ways.
            try stage.plane.set(id, .succeeded, namespace: stage.namespace)
            #expect(try await stage.log(id) == "hello\nbye\nend")
            let answer = try await stage.service.get("/api/v1/jobs/\(id)/log?separator=abc", token: "alice")
            #expect(answer.status == 200)
            #expect(answer.body == "hello\nbye\nend")
            #expect(answer.headers.first(name: "content-type") == "text/plain; charset=utf-8")
            #expect(answer.headers.first(name: "transfer-encoding") == "chunked")
            #expect(answer.headers.first(name: "x-separator") == "abc")

            // With times, and from the second line's time on.
            let timed = try await stage.log(id, "?timestamps=true").split(separator: "\n")
            #expect(timed.count == 3)
            let stamps = timed.map { $0.split(separator: " ")[0] }
            #expect(stamps.allSatisfy { LogStamp($0) != nil })
            #expect(try await stage.log(id, "?since=\(stamps[1])") == "bye\nend")

            // The pod is gone: a stream that opens and ends.
            try await stage.kubernetes.delete(.pods, id.text, in: stage.namespace, .init(gracePeriodSeconds: 0))
            while try await stage.kubernetes.find(.pods, id.text, in: stage.namespace) != nil {
                try await Task.sleep(for: .milliseconds(100))
            }
            #expect(try await stage.log(id) == "")
        }
    }

    @Test func manyLinesAndLongOnesArriveWhole() async throws {
        try await stage { stage in
            let id = try await stage.start("seq 1 10000; head -c 50000 /dev/zero | tr '\\0' x; echo; echo last; sleep 1")
            let expected = (1...10000).map { "\($0)\n" }.joined() + String(repeating: "x", count: 50000) + "\nlast\n"
            let found = try await stage.log(id)
            #expect(found.utf8.count == expected.utf8.count)
            #expect(found.suffix(100) == expected.suffix(100))
            #expect(found == expected)
            let answer = try await stage.service.get("/api/v1/jobs/\(id)/log", token: "alice")
            #expect(answer.body == expected)
        }
    }

    @Test func aLogSurvivesBrokenConnections() async throws {
        let path = try #require(ProcessInfo.processInfo.environment["ORRERY_TEST_KUBECONFIG"])
        let server = try #require(URLComponents(string: try KubernetesConfiguration.kubeconfig(path: path).server))
        let port = try #require(server.port)
        try await CuttingProxy.run(to: port) { proxy, own in
            let copy = FileManager.default.temporaryDirectory.appendingPathComponent("kubeconfig-\(UUID().uuidString)").path
            defer { try? FileManager.default.removeItem(atPath: copy) }
            let text = try String(contentsOfFile: path, encoding: .utf8).replacing(":\(port)", with: ":\(own)")
            try text.write(toFile: copy, atomically: true, encoding: .utf8)
            try await stage(more: ["kubeconfig": copy]) { stage in
                let id = try await stage.start("i=0; while [ $i -lt 120 ]; do i=$((i+1)); echo line $i; sleep 0.05; done")
                async let found = stage.log(id)
                var cuts = 0
                for _ in 0..<12 {
                    try await Task.sleep(for: .milliseconds(500))
                    cuts += proxy.cut()
                }
                #expect(cuts > 5)
                let expected = (1...120).map { "line \($0)\n" }.joined()
                #expect(try await found == expected)
            }
        }
    }

    @Test func restartsAreFollowed() async throws {
        try await stage { stage in
            let script = "f=/dev/termination-log; echo run; sleep 2; exit 1"
            let id = try await stage.start(script, policy: "OnFailure")
            await stage.wait(id) {
                $0.status?.containerStatuses?.first?.restartCount == 1 && $0.status?.containerStatuses?.first?.isRunning == true
            }
            // The reader comes in the second run, and stays until the job is cancelled in a later one.
            async let text = stage.log(id, "?separator=---")
            await stage.wait(id) { ($0.status?.containerStatuses?.first?.restartCount ?? 0) >= 2 }
            try await Task.sleep(for: .seconds(1))
            try stage.plane.set(id, .cancelled, namespace: stage.namespace)
            try await stage.kubernetes.delete(.pods, id.text, in: stage.namespace)
            let found = try await text
            #expect(found == "run\n---\nrun\nrun\n")
        }
    }

    @Test func execCarriesOutputAndExitStatus() async throws {
        try await stage { stage in
            let id = try await stage.start("sleep 60")
            await stage.running(id)
            let plain = try await stage.frames(
                "\(id)/exec?cmd=sh+-c+'echo+in%3B+sleep+0.3%3B+echo+err+>%262%3B+exit+4'&tty=0&stdin=1&stdout=1&stderr=1")
            #expect(plain.frames.first == "\u{1}")
            #expect(plain.frames.dropFirst() == ["\u{1}in\n", "\u{2}err\n", plain.frames.last ?? ""])
            #expect(plain.frames.last?.hasPrefix("\u{3}{\"exit_code\": 4") == true)
            #expect(plain.close == .normal)
            #expect(plain.negotiated == nil)

            let fine = try await stage.frames("\(id)/exec?cmd=true", protocols: ["v2.channels.neu.ro"])
            #expect(fine.frames == ["\u{1}", "\u{3}{\"exit_code\": 0}"])
            #expect(fine.negotiated == "v2.channels.neu.ro")

            let typed = try await stage.frames(
                "\(id)/exec?cmd=sh&tty=1&stdin=1&stdout=1&stderr=0",
                send: ["\u{4}{\"height\":33,\"width\":91}", "\u{0}sleep 0.2; stty size; exit 42\n"])
            #expect(typed.frames.joined().contains("33 91"))
            #expect(typed.frames.last?.contains("\"exit_code\": 42") == true)

            let missing = try await stage.frames("\(id)/exec?cmd=no-such-program")
            #expect(missing.frames.last?.hasPrefix("\u{3}{\"exit_code\": 1") == true || missing.frames.last?.contains("12") == true)
        }
    }

    @Test func attachFollowsTheContainerAndIsRefusedOnceItEnded() async throws {
        try await stage { stage in
            let id = try await stage.start("read x; echo got $x; exit 7")
            await stage.running(id)
            let found = try await stage.frames(
                "\(id)/attach?tty=0&stdin=1&stdout=1&stderr=1", protocols: ["v2.channels.neu.ro"], send: ["\u{0}this\n"])
            #expect(found.frames == ["\u{1}", "\u{1}got this\n", "\u{3}{\"exit_code\": 0}"])
            #expect(found.negotiated == "v2.channels.neu.ro")
            #expect(found.close == .normal)
            // At once, while the pod's status may still say Running.
            let again = try await stage.refusal("\(id)/attach?tty=0&stdin=1&stdout=0&stderr=0")
            #expect(again.status == 404)
            #expect(again.error == "{\"error\": \"Job '\(id)' is not running.\"}")
            #expect(try await stage.refusal("\(id)/exec?cmd=true").status == 404)

            let terminal = try await stage.start("read x; exit 1", tty: true)
            await stage.running(terminal)
            #expect(try await stage.refusal("\(terminal)/attach?tty=0&stdin=1&stdout=1&stderr=1").status == 404)
            let typed = try await stage.frames("\(terminal)/attach?tty=1&stdin=1&stdout=1&stderr=0", send: ["\u{0}x\n"])
            #expect(typed.frames.first == "\u{1}")
            #expect(typed.frames.joined().contains("x\r\n"))
            #expect(typed.frames.last == "\u{3}{\"exit_code\": 0}")
        }
    }

    /// The first frame ends the client's reading of the log beside: what was said before would be shown only after the job.
    @Test func whoAttachesIsLeftTimeForTheLog() async throws {
        try await stage { stage in
            let id = try await stage.start("echo before; sleep 60")
            await stage.running(id)
            try await WebSocketClient.connect(
                url: stage.service.url + "/api/v1/jobs/\(id)/attach?tty=0&stdin=1&stdout=1&stderr=1",
                headers: [.authorization: "Bearer alice"]
            ) { (session, _) async throws in
                let begun = ContinuousClock.now
                var frames = session.inbound.makeAsyncIterator()
                #expect(try await frames.next() == .binary(ByteBuffer(bytes: [1])))
                #expect(ContinuousClock.now - begun > .milliseconds(900))
            }
        }
    }

    @Test func aClientThatGoesLeavesTheCommandAndFreesItsPlace() async throws {
        try await stage { stage in
            let id = try await stage.start("sleep 60")
            await stage.running(id)
            for path in ["\(id)/attach?stdin=1", "\(id)/exec?cmd=sleep+50", "\(id)/log_ws"] {
                try await WebSocketClient.connect(
                    url: stage.service.url + "/api/v1/jobs/" + path, headers: [.authorization: "Bearer alice"]
                ) { session, _ in
                    try await session.close()
                }
            }
            let pod = try await stage.kubernetes.get(.pods, id.text, in: stage.namespace)
            #expect(pod.status?.phase == "Running")
            let listing = try await stage.frames("\(id)/exec?cmd=ps")
            #expect(listing.frames.joined().contains("sleep 50"))
        }
    }

    @Test func streamsOfACallerAreBoundedAndFreedWhenTheClientGoes() async throws {
        try await stage(more: ["monitoring.caller.streams": "1"]) { stage in
            let id = try await stage.start("echo x; sleep 60")
            await stage.running(id)
            // A silent log over plain HTTP, whose client just goes.
            try await withThrowingTaskGroup(of: Void.self) { group in
                let (heads, head) = AsyncStream.makeStream(of: Void.self)
                group.addTask {
                    var request = HTTPClientRequest(url: stage.service.url + "/api/v1/jobs/\(id)/log")
                    request.headers.add(name: "Authorization", value: "Bearer alice")
                    for try await _ in try await stage.service.http.execute(request, timeout: .seconds(60)).body { head.yield() }
                }
                _ = await heads.first { _ in true }
                let (own, other) = (try await stage.refusal("\(id)/log_ws"), try await stage.refusal("\(id)/log_ws", as: "bob"))
                #expect(own.status == 429)
                #expect(other.status == 101)
                group.cancelAll()
                while let _ = await group.nextResult() {}
            }
            while try await stage.refusal("\(id)/exec?cmd=true").status == 429 { try await Task.sleep(for: .milliseconds(50)) }
        }
    }

    @Test func aShutdownSaysGoodbyeToStreams() async throws {
        try await stage { stage in
            let id = try await stage.start("echo x; sleep 60")
            await stage.running(id)
            try await withThrowingTaskGroup(of: WebSocketCloseCode?.self) { group in
                for path in ["\(id)/log_ws", "\(id)/attach?stdin=1&stdout=1"] {
                    let (opened, open) = AsyncStream.makeStream(of: Void.self)
                    group.addTask {
                        try await WebSocketClient.connect(
                            url: stage.service.url + "/api/v1/jobs/" + path, headers: [.authorization: "Bearer alice"]
                        ) { session, _ in
                            for try await _ in session.inbound { open.yield() }
                            return session.peerClose?.code
                        }
                    }
                    _ = await opened.first { _ in true }
                }
                let began = ContinuousClock.now
                stage.service.assembly.shutDown()
                for try await code in group { #expect(code == .goingAway) }
                #expect(began.duration(to: .now) < .seconds(10))
            }
        }
    }

    @Test func refusals() async throws {
        try await stage { stage in
            let id = JobID.random()
            try stage.plane.set(id, .pending, name: "mine", namespace: stage.namespace)
            for path in ["log", "log_ws", "attach", "exec?cmd=x"] {
                #expect(try await stage.service.get("/api/v1/jobs/\(id)/\(path)").status == 401)
            }
            let anonymous = try await stage.refusal("\(id)/attach", as: nil)
            #expect(anonymous.status == 401)
            #expect(anonymous.error?.isEmpty == false)

            let unknown = JobID.random()
            let nobody = try await stage.refusal("\(unknown)/log_ws")
            #expect(nobody.status == 400)
            #expect(nobody.error == #"{"error": "{\"error\": \"no such job \#(unknown)\"}"}"#)
            #expect(try await stage.refusal("some-name/log_ws").status == 400)
            let elsewhere = JobID.random()
            try stage.plane.set(elsewhere, .running, cluster: "other")
            #expect(try await stage.refusal("\(elsewhere)/log_ws").status == 400)

            #expect(try await stage.refusal("\(id)/exec?cmd=x").status == 404)
            #expect(try await stage.refusal("\(id)/exec").status == 400)
            #expect(try await stage.refusal("\(id)/log_ws?since=x").status == 400)
            #expect(try await stage.service.get("/api/v1/jobs/\(id)/log_ws", token: "alice").status == 400)
            #expect(try await stage.service.delete("/api/v1/jobs/\(id)/log", token: "alice").status == 204)

            let uri = "job://default/org/project/"
            stage.plane.state.withLock { $0.denied = [uri + id.text] }
            // The name's permission is enough.
            #expect(try await stage.refusal("\(id)/exec?cmd=x").status == 404)
            stage.plane.state.withLock { $0.denied = [uri + id.text, uri + "mine"] }
            let denied = try await stage.service.get("/api/v1/jobs/\(id)/log", token: "bob")
            #expect(denied.status == 403)
            let missing = try denied.json(MissingPermissions.self).missing
            #expect(missing.map(\.uri.text) == [uri + id.text, uri + "mine"])
            #expect(missing.map(\.action) == [.read, .read])
            #expect(try await stage.refusal("\(id)/exec?cmd=x", as: "bob").error?.contains("\"write\"") == true)
        }
    }

    @Test func capacityNamesEveryPreset() async throws {
        try await stage { stage in
            var cluster = ClusterDocument(blank: try ClusterName("default"), dnsName: "x")
            cluster.orchestrator.resourcePresets = [
                ResourcePreset(name: "cpu-small", cpu: 0.1, memory: 1 << 20, availableResourcePoolNames: ["p"]),
                ResourcePreset(name: "none", cpu: 1, memory: 1 << 30),
            ]
            cluster.orchestrator.resourcePoolTypes = [ResourcePoolType(name: "p", maxSize: 2, cpu: 1, memory: 1 << 30)]
            stage.plane.state.withLock { [cluster] in $0.cluster = cluster }
            let answer = try await stage.service.get("/api/v1/jobs/capacity", token: "alice")
            #expect(answer.status == 200)
            #expect(try answer.json([String: Int].self) == ["cpu-small": 20, "none": 0])
            stage.plane.state.withLock { $0.denied = ["job://default/bob", "cluster://default/access"] }
            let denied = try await stage.service.get("/api/v1/jobs/capacity", token: "bob")
            #expect(denied.status == 403)
            #expect(try denied.json(MissingPermissions.self).missing.map(\.uri.text) == ["job://default/bob", "cluster://default/access"])
            let ready = try await stage.service.get("/ready")
            #expect(ready.body.contains("kubernetes") && ready.body.contains("v1."))
        }
    }
}
