import Foundation
import Kubernetes
import Logging
import ServiceLifecycle
import Subprocess
import SystemPackage
import Testing

@testable import LocalCluster

/// Tests on real podman: they need root and the Debian packages that the embedded cluster needs, and a registry.
enum PodmanTests {
    static let areOn = ProcessInfo.processInfo.environment["ORRERY_TEST_PODMAN"] == "1"
}

/// A store and a kubelet over a folder of their own, with images made of this machine's busybox.
final class KubeletHarness: Sendable {
    let folder: String
    let store: ObjectStore
    let kubelet: Kubelet
    let namespace = "test"

    static let image = "registry.local/busybox:latest"

    private init(folder: String, store: ObjectStore, kubelet: Kubelet) {
        self.folder = folder
        self.store = store
        self.kubelet = kubelet
    }

    /// - Parameter keepsPods: what becomes of the pods at the end of `body`; the folder goes with them unless they are kept.
    static func with<T: Sendable>(
        folder given: String? = nil, keepsPods: Bool = false, _ body: @escaping @Sendable (KubeletHarness) async throws -> T
    ) async throws -> T {
        let registry = try await TestRegistry.shared.port()
        let folder = given ?? NSTemporaryDirectory() + "orrery-kubelet-" + UUID().uuidString.prefix(8).lowercased()
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        var logger = Logger(label: "kubelet")
        logger.logLevel = .warning
        let store = try ObjectStore(path: folder + "/state.sqlite", logger: logger)
        let kubelet = try Kubelet.assemble(
            folder: folder, mirrors: "registry.local=127.0.0.1:\(registry)", keepsPods: keepsPods, store: store, logger: logger)
        let harness = KubeletHarness(folder: folder, store: store, kubelet: kubelet)
        let group = ServiceGroup(configuration: .init(services: [kubelet], logger: logger))
        return try await withThrowingTaskGroup(of: T?.self) { tasks in
            tasks.addTask {
                try await group.run()
                return nil
            }
            let result: Result<T, any Error>
            do {
                result = .success(try await harness.carryOut(body, removing: !keepsPods))
            } catch {
                result = .failure(error)
            }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
            await store.close()
            if !keepsPods {
                for path in [folder, kubelet.context.layout.runtime] { try? FileManager.default.removeItem(atPath: path) }
            }
            return try result.get()
        }
    }

    private func carryOut<T: Sendable>(_ body: @Sendable (KubeletHarness) async throws -> T, removing: Bool) async throws -> T {
        try await waitUntilReady()
        let value = try await body(self)
        if removing { try await removeAll() }
        return value
    }

    private func waitUntilReady() async throws {
        let end = ContinuousClock.now + .seconds(60)
        while await !kubelet.isAnswering {
            guard ContinuousClock.now < end else { throw EngineError("the kubelet did not get ready") }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    private func removeAll() async throws {
        for pod in try await store.list(.pods).items { try await store.remove(ObjectKey(.pods, pod)) }
        let end = ContinuousClock.now + .seconds(60)
        while await !kubelet.workers.isEmpty {
            guard ContinuousClock.now < end else { throw EngineError("pods were not taken away") }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    // MARK: Pods

    /// A pod of one container that runs a shell's text.
    func pod(
        _ name: String, _ script: String, restart: String = "Never", container: JSONValue = .object([:]), spec: JSONValue = .object([:])
    ) -> Object {
        var main: JSONValue = [
            "name": "main", "image": .string(Self.image), "command": ["sh", "-c", .string(script)], "imagePullPolicy": "IfNotPresent",
        ]
        for (key, value) in container.object ?? [:] { main[key] = value }
        var object: Object = ["metadata": ["name": .string(name), "namespace": .string(namespace)]]
        object["spec"] = ["restartPolicy": .string(restart), "terminationGracePeriodSeconds": 2, "containers": [main]]
        for (key, value) in spec.object ?? [:] { object[path: "spec", key] = value }
        return object
    }

    @discardableResult
    func create(_ object: Object) async throws -> Object {
        try await store.create(object, as: ObjectKey(.pods, namespace: namespace, name: object.name))
    }

    /// As the API deletes: asks, and lets the kubelet end it.
    func delete(_ name: String, grace: Int = 2) async throws {
        try await store.update(ObjectKey(.pods, namespace: namespace, name: name)) { object in
            object.deletionTimestamp = Date().addingTimeInterval(Double(grace))
            object.deletionGracePeriodSeconds = Int64(grace)
        }
    }

    func get(_ name: String) async throws -> Object? { try await store.get(ObjectKey(.pods, namespace: namespace, name: name)) }

    /// The first state of the pod for which the condition holds; it may have gone by.
    @discardableResult
    func until(
        _ name: String, _ what: String, within limit: Duration = .seconds(90), _ holds: @escaping @Sendable (Object) -> Bool
    ) async throws -> Object {
        let store = store
        let namespace = namespace
        return try await withThrowingTaskGroup(of: Object?.self) { group in
            group.addTask {
                for try await change in try await store.watch(.pods, namespace: namespace, after: nil)
                where change.object.name == name && holds(change.object) { return change.object }
                return nil
            }
            group.addTask {
                try await Task.sleep(for: limit)
                return nil
            }
            defer { group.cancelAll() }
            if let object = try await group.next() ?? nil { return object }
            let last = try await store.get(ObjectKey(.pods, namespace: namespace, name: name))
            throw EngineError("\(name) is not \(what): \(last.map { JSONWriter.text($0["status"] ?? .null) } ?? "gone")")
        }
    }

    @discardableResult
    func untilPhase(_ name: String, _ phase: String, within limit: Duration = .seconds(90)) async throws -> Object {
        try await until(name, phase, within: limit) { $0[path: "status", "phase"]?.string == phase }
    }

    /// Awaits that the pod is not there any more.
    func untilGone(_ name: String, within limit: Duration = .seconds(90)) async throws {
        let end = ContinuousClock.now + limit
        while try await get(name) != nil {
            guard ContinuousClock.now < end else { throw EngineError("\(name) is still there") }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    func log(_ object: Object, container: String = "main", attempt: Int = 0) -> String {
        PodFolder.logTail(PodFolder(cluster: folder, uid: object.uid).log(container, attempt), lines: 1000, bytes: 100_000)
    }

    /// Awaits that the pod has printed exactly this.
    func untilLogged(_ text: String, _ object: Object, within limit: Duration = .seconds(60)) async throws {
        let end = ContinuousClock.now + limit
        while log(object) != text {
            guard ContinuousClock.now < end else { throw EngineError("\(object.name) printed \(log(object))") }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    func events(of object: Object) async throws -> [(reason: String, message: String, count: Int)] {
        try await store.list(.events).items.filter { $0[path: "involvedObject", "uid"]?.string == object.uid }
            .map { ($0["reason"]?.string ?? "", $0["message"]?.string ?? "", Int($0["count"]?.integer ?? 0)) }
    }
}

extension Object {
    /// The status of a container.
    func container(_ name: String = "main") -> JSONValue {
        ((self[path: "status", "containerStatuses"]?.array ?? []) + (self[path: "status", "initContainerStatuses"]?.array ?? []))
            .first { $0["name"]?.string == name } ?? .null
    }

    func terminated(_ name: String = "main") -> JSONValue { container(name)[path: "state", "terminated"] ?? .null }
    func waitingReason(_ name: String = "main") -> String? { container(name)[path: "state", "waiting", "reason"]?.string }
    func condition(_ type: String) -> JSONValue {
        (self[path: "status", "conditions"]?.array ?? []).first { $0["type"]?.string == type } ?? .null
    }
}
