import Crypto
import Foundation
import Kubernetes

/// The pods behind a Service, and the Endpoints and EndpointSlices that tell of them. Pure.
struct ServiceBackends: Sendable {
    /// A slice holds no more.
    static let sliceLimit = 100

    private struct Backend {
        let pod: Object
        let address: String
        let ports: [ServicePort]
        let isReady: Bool
        let isTerminating: Bool
    }

    private let service: Object
    private let backends: [Backend]
    private let publishesNotReady: Bool

    /// - Parameter pods: those of the Service's namespace.
    init(_ service: Object, pods: [Object]) {
        self.service = service
        publishesNotReady =
            service[path: "spec", "publishNotReadyAddresses"]?.bool
            ?? (service.annotations["service.alpha.kubernetes.io/tolerate-unready-endpoints"] == "true")
        let selector = Self.selector(service)
        backends = pods.sorted { $0.name < $1.name }.compactMap { pod in
            guard selector.allSatisfy({ pod.labels[$0] == $1 }), let address = pod[path: "status", "podIP"]?.string, !address.isEmpty,
                !["Succeeded", "Failed"].contains(pod[path: "status", "phase"]?.string ?? "")
            else { return nil }
            return Backend(
                pod: pod, address: address, ports: ServicePort.resolve(service, on: pod), isReady: Self.isReady(pod),
                isTerminating: pod.deletionTimestamp != nil)
        }
    }

    /// Whether the cluster keeps the Service's endpoints; without a selector somebody else does.
    static func isKept(_ service: Object) -> Bool {
        service[path: "spec", "type"]?.string != "ExternalName" && !selector(service).isEmpty
    }

    private static func selector(_ service: Object) -> [String: String] {
        (service[path: "spec", "selector"]?.object ?? [:]).compactMapValues(\.string)
    }

    private static func isReady(_ pod: Object) -> Bool {
        (pod[path: "status", "conditions"]?.array ?? []).contains { $0["type"]?.string == "Ready" && $0["status"]?.string == "True" }
    }

    private var isHeadless: Bool { service[path: "spec", "clusterIP"]?.string == "None" }

    private var owner: JSONValue {
        [
            "apiVersion": "v1", "kind": "Service", "name": .string(service.name), "uid": .string(service.uid), "controller": true,
            "blockOwnerDeletion": true,
        ]
    }

    private func reference(_ pod: Object) -> JSONValue {
        [
            "kind": "Pod", "namespace": pod.namespace.map { .string($0) } ?? .null, "name": .string(pod.name), "uid": .string(pod.uid),
        ]
    }

    /// Backends with the same ports, together. Without any port of the Service there is one group; a pod that has none of its ports is in
    /// none.
    private func groups(where isIncluded: (Backend) -> Bool) -> [(ports: [ServicePort], backends: [Backend])] {
        let hasPorts = service[path: "spec", "ports"]?.array?.isEmpty == false
        let groups = Dictionary(grouping: backends.filter { isIncluded($0) && (!hasPorts || !$0.ports.isEmpty) }, by: \.ports)
        return groups.map { ($0.key, $0.value) }.sorted { Self.text($0.ports) < Self.text($1.ports) }
    }

    private static func text(_ ports: [ServicePort]) -> String {
        ports.map { "\($0.name ?? "")/\($0.protocol)/\($0.port)/\($0.appProtocol ?? "")" }.joined(separator: ",")
    }

    // MARK: Endpoints

    var endpoints: Object {
        // A pod that is being deleted is out of the Endpoints, whatever it says of itself.
        let subsets: [JSONValue] = groups { publishesNotReady || !$0.isTerminating }.map { ports, backends in
            var subset: JSONValue = .object([:])
            let ready = backends.filter { $0.isReady || publishesNotReady }
            let other = backends.filter { !$0.isReady && !publishesNotReady }
            if !ready.isEmpty { subset["addresses"] = .array(ready.map(address)) }
            if !other.isEmpty { subset["notReadyAddresses"] = .array(other.map(address)) }
            if !ports.isEmpty { subset["ports"] = .array(ports.map { $0.value(inSlice: false) }) }
            return subset
        }
        var endpoints: Object = [
            "apiVersion": "v1", "kind": "Endpoints",
            "metadata": ["name": .string(service.name), "ownerReferences": [owner]],
        ]
        endpoints.namespace = service.namespace
        endpoints.labels = labels(["endpoints.kubernetes.io/managed-by": "endpoint-controller"])
        if !subsets.isEmpty { endpoints["subsets"] = .array(subsets) }
        return endpoints
    }

    private func address(_ backend: Backend) -> JSONValue {
        var value: JSONValue = ["ip": .string(backend.address), "targetRef": reference(backend.pod)]
        if let node = backend.pod[path: "spec", "nodeName"] { value["nodeName"] = node }
        if isNamed(backend.pod), let name = backend.pod[path: "spec", "hostname"] { value["hostname"] = name }
        return value
    }

    /// A pod that has a name of its own below the Service's.
    private func isNamed(_ pod: Object) -> Bool {
        pod[path: "spec", "hostname"]?.string?.isEmpty == false && pod[path: "spec", "subdomain"]?.string == service.name
    }

    private func labels(_ own: [String: String]) -> [String: String] {
        var labels = service.labels.merging(own) { $1 }
        if isHeadless { labels["service.kubernetes.io/headless"] = "" }
        return labels
    }

    // MARK: Slices

    /// By name. The names stay the same while the ports do.
    var slices: [String: Object] {
        var slices: [String: Object] = [:]
        for (ports, backends) in groups(where: { _ in true }) {
            for (place, start) in stride(from: 0, to: backends.count, by: Self.sliceLimit).enumerated() {
                let digest = SHA256.hash(data: Data("\(service.uid) \(Self.text(ports)) \(place)".utf8))
                let name = "\(service.name)-\(Self.letters(digest))"
                slices[name] = slice(name, ports, Array(backends[start..<min(backends.count, start + Self.sliceLimit)]))
            }
        }
        if slices.isEmpty {
            let name = "\(service.name)-\(Self.letters(SHA256.hash(data: Data(service.uid.utf8))))"
            slices[name] = slice(name, [], [])
        }
        return slices
    }

    /// Five letters, of those that Kubernetes' own names are made of.
    private static func letters(_ digest: SHA256.Digest) -> String {
        let alphabet = Array("bcdfghjklmnpqrstvwxz2456789")
        return String(digest.prefix(5).map { alphabet[Int($0) % alphabet.count] })
    }

    private func slice(_ name: String, _ ports: [ServicePort], _ backends: [Backend]) -> Object {
        var slice: Object = [
            "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
            "metadata": ["name": .string(name), "generateName": .string(service.name + "-"), "ownerReferences": [owner]],
            "addressType": "IPv4", "ports": .array(ports.map { $0.value(inSlice: true) }), "endpoints": .array(backends.map(endpoint)),
        ]
        slice.namespace = service.namespace
        slice.labels = labels([
            "kubernetes.io/service-name": service.name, "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
        ])
        return slice
    }

    private func endpoint(_ backend: Backend) -> JSONValue {
        var value: JSONValue = [
            "addresses": [.string(backend.address)],
            "conditions": [
                "ready": .bool(publishesNotReady || backend.isReady && !backend.isTerminating), "serving": .bool(backend.isReady),
                "terminating": .bool(backend.isTerminating),
            ],
            "targetRef": reference(backend.pod),
        ]
        if let node = backend.pod[path: "spec", "nodeName"] { value["nodeName"] = node }
        if isNamed(backend.pod), let name = backend.pod[path: "spec", "hostname"] { value["hostname"] = name }
        return value
    }
}
