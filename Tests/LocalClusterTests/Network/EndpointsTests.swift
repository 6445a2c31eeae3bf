import Foundation
import Kubernetes
import Logging
import ServiceLifecycle
import Testing

@testable import LocalCluster

/// Which addresses a Service has.
@Suite(.timeLimit(.minutes(5)))
struct EndpointsTests {
    private static func pod(
        _ name: String, ip: String?, ready: Bool = true, phase: String = "Running", labels: [String: JSONValue] = ["app": "web"],
        port: Int64 = 8080, deleted: Bool = false
    ) -> Object {
        var pod: Object = [
            "apiVersion": "v1", "kind": "Pod",
            "metadata": ["name": .string(name), "namespace": "n", "uid": .string("uid-\(name)"), "labels": .object(labels)],
            "spec": [
                "nodeName": "node", "containers": [["name": "c", "ports": [["name": "http", "containerPort": .integer(port)]]]],
            ],
            "status": ["phase": .string(phase), "conditions": [["type": "Ready", "status": .string(ready ? "True" : "False")]]],
        ]
        if let ip { pod[path: "status", "podIP"] = .string(ip) }
        if deleted { pod.deletionTimestamp = Date() }
        return pod
    }

    private static func service(_ change: (inout Object) -> Void = { _ in }) -> Object {
        var service: Object = [
            "apiVersion": "v1", "kind": "Service",
            "metadata": ["name": "web", "namespace": "n", "uid": "service-uid", "labels": ["team": "a"]],
            "spec": ["selector": ["app": "web"], "ports": [["name": "http", "port": 80, "targetPort": "http", "protocol": "TCP"]]],
        ]
        change(&service)
        return service
    }

    private func addresses(_ endpoints: Object, _ list: String = "addresses") -> [String] {
        (endpoints["subsets"]?.array ?? []).flatMap { ($0[list]?.array ?? []).compactMap { $0["ip"]?.string } }
    }

    @Test func readyPodsAreInAndTheRestIsNot() {
        let pods = [
            Self.pod("a", ip: "10.0.0.1"), Self.pod("b", ip: "10.0.0.2", ready: false), Self.pod("c", ip: "10.0.0.3", phase: "Succeeded"),
            Self.pod("d", ip: nil), Self.pod("e", ip: "10.0.0.5", labels: ["app": "other"]), Self.pod("f", ip: "10.0.0.6", deleted: true),
        ]
        let backends = ServiceBackends(Self.service(), pods: pods)
        #expect(addresses(backends.endpoints) == ["10.0.0.1"])
        #expect(addresses(backends.endpoints, "notReadyAddresses") == ["10.0.0.2"])
        #expect(backends.endpoints["subsets"]?[0]?["ports"] == [["name": "http", "port": 8080, "protocol": "TCP"]])
        #expect(backends.endpoints.labels["team"] == "a")
        let slices = backends.slices
        #expect(slices.count == 1)
        let endpoints = slices.values.first?["endpoints"]?.array ?? []
        let conditions = endpoints.map { [$0["addresses"]?[0], $0[path: "conditions", "ready"], $0[path: "conditions", "terminating"]] }
        #expect(
            conditions == [["10.0.0.1", true, false], ["10.0.0.2", false, false], ["10.0.0.6", false, true]])
        #expect(slices.values.first?.labels["kubernetes.io/service-name"] == "web")
    }

    @Test func notReadyAddressesMayBePublished() {
        let service = Self.service { $0[path: "spec", "publishNotReadyAddresses"] = true }
        let backends = ServiceBackends(service, pods: [Self.pod("b", ip: "10.0.0.2", ready: false)])
        #expect(addresses(backends.endpoints) == ["10.0.0.2"])
        #expect(backends.slices.values.first?["endpoints"]?[0]?[path: "conditions", "ready"] == true)
    }

    @Test func aNamedPortIsEachPodsOwn() {
        let pods = [
            Self.pod("a", ip: "10.0.0.1", port: 80), Self.pod("b", ip: "10.0.0.2", port: 8080), Self.pod("c", ip: "10.0.0.3", port: 80),
        ]
        let backends = ServiceBackends(Self.service(), pods: pods)
        let subsets = backends.endpoints["subsets"]?.array ?? []
        #expect(subsets.map { $0["ports"]?[0]?["port"] } == [80, 8080])
        #expect(subsets.map { $0["addresses"]?.array?.count } == [2, 1])
        #expect(backends.slices.count == 2)
        // A pod that has not the port is behind no port.
        let unknown = Self.service { $0[path: "spec", "ports"] = [["port": 80, "targetPort": "grpc"]] }
        #expect(ServiceBackends(unknown, pods: pods).endpoints["subsets"] == nil)
        #expect(ServiceBackends(unknown, pods: pods).slices.values.first?["endpoints"] == [])
    }

    @Test func headlessServicesNeedNoPorts() {
        let service = Self.service {
            $0[path: "spec", "ports"] = nil
            $0[path: "spec", "clusterIP"] = "None"
        }
        let backends = ServiceBackends(service, pods: [Self.pod("a", ip: "10.0.0.1")])
        #expect(addresses(backends.endpoints) == ["10.0.0.1"])
        #expect(backends.endpoints.labels["service.kubernetes.io/headless"] == "")
    }

    @Test func manyPodsAreManySlices() {
        let pods = (0..<250).map { Self.pod("p\($0)", ip: "10.0.\($0 / 200).\($0 % 200 + 1)") }
        let slices = ServiceBackends(Self.service(), pods: pods).slices
        #expect(slices.values.map { $0["endpoints"]?.array?.count ?? 0 }.sorted() == [50, 100, 100])
    }

    @Test func theControllerFollowsServicesAndPods() async throws {
        try await withController { store, endpoints in
            var changes = try await store.watch(.endpoints, namespace: "n", after: nil).makeAsyncIterator()
            try await store.create(Self.service(), as: ObjectKey(.services, namespace: "n", name: "web"))
            #expect(addresses(try #require(try await changes.next()).object).isEmpty)
            try await store.create(Self.pod("a", ip: "10.0.0.1"), as: ObjectKey(.pods, namespace: "n", name: "a"))
            #expect(addresses(try #require(try await changes.next()).object) == ["10.0.0.1"])
            try await store.update(ObjectKey(.pods, namespace: "n", name: "a")) {
                $0[path: "status", "conditions"] = [["type": "Ready", "status": "False"]]
            }
            #expect(addresses(try #require(try await changes.next()).object, "notReadyAddresses") == ["10.0.0.1"])
            // What somebody spoils is mended, and what somebody adds stays.
            let key = ObjectKey(.endpoints, namespace: "n", name: "web")
            try await store.update(key) {
                $0["subsets"] = nil
                $0.annotations["mine"] = "yes"
            }
            _ = try await changes.next()
            let mended = try #require(try await changes.next()).object
            #expect(addresses(mended, "notReadyAddresses") == ["10.0.0.1"] && mended.annotations["mine"] == "yes")
            // They go with the Service, by its uid.
            let owner = try #require(mended.ownerReferences.first)
            let service = try #require(try await store.get(ObjectKey(.services, namespace: "n", name: "web")))
            #expect(owner.uid == service.uid && owner.kind == "Service")
            let slice = try #require(try await store.list(.endpointSlices, namespace: "n").items.first)
            #expect(slice.ownerReferences.first?.uid == service.uid)
            // A Service without a selector is somebody else's.
            let own = Self.service { $0[path: "spec", "selector"] = nil }
            try await store.create(own, as: ObjectKey(.services, namespace: "n", name: "own"))
            try await store.remove(ObjectKey(.pods, namespace: "n", name: "a"))
            #expect(addresses(try #require(try await changes.next()).object, "notReadyAddresses").isEmpty)
            #expect(try await store.get(ObjectKey(.endpoints, namespace: "n", name: "own")) == nil)
        }
    }

    private func withController(_ body: (ObjectStore, EndpointsController) async throws -> Void) async throws {
        try await TestStore.with { store in
            let controller = EndpointsController(store: store, logger: Logger(label: "test"))
            try await TestStore.running(controller) { try await body(store, controller) }
        }
    }
}
