import Foundation
import Logging
import NIOCore
import Testing

@testable import Kubernetes

/// Against a real API server and kubelet.
@Suite(
    .enabled(if: ProcessInfo.processInfo.environment["ORRERY_TEST_KUBECONFIG"] != nil), .serialized, .timeLimit(.minutes(5))
) struct GenuineKubernetesTests {
    private func withNamespace(_ body: (KubernetesClient, String) async throws -> Void) async throws {
        let path = try #require(ProcessInfo.processInfo.environment["ORRERY_TEST_KUBECONFIG"])
        let client = try KubernetesClient(.kubeconfig(path: path), logger: Logger(label: "genuine"))
        let name = "test-kubernetes-\(UUID().uuidString.lowercased().prefix(8))"
        try await client.create(.namespaces, Namespace(metadata: .init(name: name)))
        let outcome: Result<Void, any Error>
        do { outcome = .success(try await body(client, name)) } catch { outcome = .failure(error) }
        try? await client.delete(.namespaces, name)
        try await client.shutdown()
        try outcome.get()
    }

    private func pod(_ name: String, _ script: String, tty: Bool = false) -> Pod {
        var container = Container(name: name, image: "registry.local/busybox")
        container.command = ["sh", "-c", script]
        container.stdin = true
        container.tty = tty ? true : nil
        var spec = PodSpec(containers: [container])
        spec.restartPolicy = "Never"
        spec.automountServiceAccountToken = false
        spec.terminationGracePeriodSeconds = 1
        return Pod(metadata: .init(name: name, labels: ["test": name]), spec: spec)
    }

    /// Watches until the pod is as wanted.
    private func wait(_ client: KubernetesClient, _ namespace: String, _ name: String, _ wanted: @Sendable (Pod) -> Bool) async -> Pod? {
        for await event in client.watch(.pods, in: namespace, fields: ["metadata.name": name]) {
            switch event {
            case .listed(let pods): if let pod = pods.first(where: wanted) { return pod }
            case .added(let pod), .modified(let pod): if wanted(pod) { return pod }
            case .deleted: return nil
            }
        }
        return nil
    }

    @Test func objectsComeAndGo() async throws {
        try await withNamespace { client, namespace in
            let created = try await client.create(
                .secrets, KubernetesSecret(metadata: .init(name: "s"), type: "Opaque", data: ["k": Data("v".utf8)]), in: namespace)
            #expect(created.metadata.uid != nil)
            let again = await #expect(throws: KubernetesError.self) {
                try await client.create(.secrets, KubernetesSecret(metadata: .init(name: "s")), in: namespace)
            }
            #expect(again?.isAlreadyExists == true)
            try await client.patch(.secrets, "s", in: namespace, .strategic(["stringData": ["k2": "v2"]]))
            try await client.patch(.secrets, "s", in: namespace, .json([["op": "remove", "path": "/data/k"]]))
            let merged = try await client.patch(.secrets, "s", in: namespace, .merge(["metadata": ["labels": ["a": "b"]]]))
            #expect(merged.data == ["k2": Data("v2".utf8)])
            #expect(try await client.list(.secrets, in: namespace, labels: "a=b").items.count == 1)

            var generic = try await client.get(ResourceKind.secrets.generic, "s", in: namespace)
            generic["data"] = ["k3": "djM="]
            try await client.replace(ResourceKind.secrets.generic, generic, in: namespace)
            let stale = await #expect(throws: KubernetesError.self) {
                try await client.replace(ResourceKind.secrets.generic, generic, in: namespace)
            }
            #expect(stale?.isConflict == true)

            let other = await #expect(throws: KubernetesError.self) {
                try await client.delete(.secrets, "s", in: namespace, .init(uid: "another"))
            }
            #expect(other?.isConflict == true)
            try await client.delete(.secrets, "s", in: namespace, .init(uid: created.metadata.uid))
            let gone = try await client.find(.secrets, "s", in: namespace)
            #expect(gone?.metadata.name == nil)

            for index in 0..<7 { try await client.create(.configMaps, ConfigMap(metadata: .init(name: "c\(index)")), in: namespace) }
            let paged = try await client.list(.configMaps, in: namespace, pageSize: 2)
            #expect(Set(paged.items.compactMap(\.metadata.name)).isSuperset(of: (0..<7).map { "c\($0)" }))
            #expect(try await client.list(.nodes).items.contains { $0.isReady })
        }
    }

    @Test func aPodRunsAndItsLogIsFollowed() async throws {
        try await withNamespace { client, namespace in
            try await client.create(.pods, pod("p", "echo one; sleep 1; echo two; exit 3"), in: namespace)
            let started = await wait(client, namespace, "p") {
                $0.status?.containerStatuses?.first?.state?.waiting == nil && $0.status?.phase != "Pending"
            }
            #expect(started != nil)
            var lines: [String] = []
            for try await line in try await client.logs(pod: "p", in: namespace, .init(follow: true)).lines() {
                lines.append(String(decoding: line, as: UTF8.self))
            }
            #expect(lines == ["one", "two"])
            let ended = await wait(client, namespace, "p") { $0.status?.phase == "Failed" }
            #expect(ended?.status?.containerStatuses?.first?.terminated?.exitCode == 3)
            let error = await #expect(throws: KubernetesError.self) { _ = try await client.logs(pod: "none", in: namespace) }
            #expect(error?.isNotFound == true)
        }
    }

    @Test func execAndAttach() async throws {
        try await withNamespace { client, namespace in
            try await client.create(.pods, pod("p", "read x; echo got $x; read y"), in: namespace)
            _ = await wait(client, namespace, "p") { $0.status?.phase == "Running" }
            let (text, code) = try await client.exec(pod: "p", in: namespace, command: ["sh", "-c", "echo in; echo err >&2; exit 4"]) {
                session in
                try await collect(session)
            }
            #expect(text == "in\n|err\n")
            #expect(code == 4)

            let echoed = try await client.exec(pod: "p", in: namespace, command: ["head", "-n", "1"], streams: .init(stdin: true)) {
                session in
                try await session.write(ByteBuffer(string: "hello\n"))
                return try await collect(session)
            }
            #expect(echoed.0 == "hello\n|")

            // The size has a channel of its own, and arrives when it arrives.
            let untilResized = "for i in $(seq 100); do stty size | grep '33 91' && break; sleep 0.1; done"
            let size = try await client.exec(
                pod: "p", in: namespace, command: ["sh", "-c", untilResized], streams: .init(stdin: true, stderr: false, tty: true)
            ) { session in
                try await session.resize(columns: 91, rows: 33)
                return try await collect(session)
            }
            #expect(size.0.contains("33 91"))

            let attached = try await client.attach(pod: "p", in: namespace, streams: .init(stdin: true)) { session in
                try await session.write(ByteBuffer(string: "this\n"))
                var text = ""
                for try await output in session.outputs {
                    if case .stdout(let bytes) = output { text += String(buffer: bytes) }
                    if text.contains("\n") { break }
                }
                return text
            }
            #expect(attached == "got this\n")
            let missing = await #expect(throws: KubernetesError.self) {
                try await client.exec(pod: "none", in: namespace, command: ["true"]) { _ in }
            }
            #expect(missing?.isNotFound == true)
        }
    }

    private func collect(_ session: PodSession) async throws -> (String, Int?) {
        var (out, err) = ("", "")
        var code: Int?
        for try await output in session.outputs {
            switch output {
            case .stdout(let bytes): out += String(buffer: bytes)
            case .stderr(let bytes): err += String(buffer: bytes)
            case .ended(let status): code = status.exitCode
            }
        }
        return (out + "|" + err, code)
    }
}
