import Foundation
import Kubernetes
import Synchronization

/// Rules of Services.
enum ServiceRules {
    private static let types = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"]

    static func prepare(_ object: inout Object) {
        object["status"] = ["loadBalancer": [:]]
        fill(&object)
    }

    /// - Parameter before: the address, once given, stays although a manifest does not name it.
    static func fill(_ object: inout Object, over before: Object? = nil) {
        if object[path: "spec", "type"] == nil { object[path: "spec", "type"] = "ClusterIP" }
        if object[path: "spec", "sessionAffinity"] == nil { object[path: "spec", "sessionAffinity"] = "None" }
        if let before, object[path: "spec", "type"] != "ExternalName" {
            for field in ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"] where object[path: "spec", field] == nil {
                object[path: "spec", field] = before[path: "spec", field]
            }
        }
        guard let ports = object[path: "spec", "ports"]?.array else { return }
        object[path: "spec", "ports"] = .array(
            ports.map { port in
                var port = port
                if port["protocol"] == nil { port["protocol"] = "TCP" }
                if port["targetPort"] == nil { port["targetPort"] = port["port"] }
                return port
            })
    }

    static func faults(of object: Object) -> [FieldFault] {
        var faults: [FieldFault] = []
        let spec = object["spec"] ?? .null
        let type = spec["type"]?.string ?? ""
        if !types.contains(type) { faults.append(.unsupported("spec.type", type, types)) }
        let ports = spec["ports"]?.array ?? []
        let isHeadless = spec["clusterIP"]?.string == "None"
        if ports.isEmpty, type != "ExternalName", !isHeadless { faults.append(.required("spec.ports")) }
        if type == "ExternalName", spec["externalName"]?.string?.isEmpty ?? true { faults.append(.required("spec.externalName")) }
        if let selector = spec["selector"]?.object { faults += MetadataRules.pairs(selector, "spec.selector") }
        var names: Set<String> = []
        for (index, port) in ports.enumerated() {
            let field = "spec.ports[\(index)]"
            let name = port["name"]?.string ?? ""
            if name.isEmpty {
                if ports.count > 1 { faults.append(.required("\(field).name")) }
            } else if !NameRules.isLabel(name) {
                faults.append(.invalid("\(field).name", .string(name), NameRules.labelText))
            } else if !names.insert(name).inserted {
                faults.append(.duplicate("\(field).name", .string(name)))
            }
            let number = port["port"]?.integer ?? 0
            if !(1...65535).contains(number) {
                faults.append(.invalid("\(field).port", .integer(number), "must be between 1 and 65535, inclusive"))
            }
            if let target = port["targetPort"]?.integer, !(1...65535).contains(target) {
                faults.append(.invalid("\(field).targetPort", .integer(target), "must be between 1 and 65535, inclusive"))
            }
            let transport = port["protocol"]?.string ?? ""
            if !["TCP", "UDP", "SCTP"].contains(transport) {
                faults.append(.unsupported("\(field).protocol", transport, ["SCTP", "TCP", "UDP"]))
            }
        }
        return faults
    }

    static func changes(from before: Object, to after: Object) -> [FieldFault] {
        let (old, new) = (before[path: "spec", "clusterIP"], after[path: "spec", "clusterIP"])
        guard let old, old != new, before[path: "spec", "type"] != "ExternalName", after[path: "spec", "type"] != "ExternalName" else {
            return []
        }
        return [.invalid("spec.clusterIPs[0]", new.map { [$0] }, "may not change once set")]
    }
}

/// Gives Services their addresses. No proxy answers at them here; they are what manifests and listings expect. Out of 240.0.0.0/4, which
/// nobody may use (RFC 1112), so that who connects is told at once that there is no way.
final class ServiceAddresses: Sendable {
    private let store: ObjectStore
    /// Given, and perhaps not stored yet.
    private let given = Mutex<Set<String>>([])

    init(store: ObjectStore) { self.store = store }

    /// - Throws: ``StatusError`` 422 when the address that the Service asks for is another's.
    func assign(_ service: inout Object, key: ObjectKey) async throws {
        guard service[path: "spec", "type"]?.string != "ExternalName" else { return }
        let taken = Set(try await store.list(.services).items.compactMap { $0[path: "spec", "clusterIP"]?.string })
        let asked = service[path: "spec", "clusterIP"]?.string ?? ""
        let address: String
        switch asked {
        case "None": address = "None"
        case "":
            address = given.withLock { given in
                var candidate = ServiceAddresses.random()
                while taken.contains(candidate) || given.contains(candidate) { candidate = ServiceAddresses.random() }
                if given.count > 1000 { given.removeAll() }
                given.insert(candidate)
                return candidate
            }
        default:
            guard !taken.contains(asked) else {
                let fault = FieldFault.invalid(
                    "spec.clusterIPs", [.string(asked)], "failed to allocate IP \(asked): provided IP is already allocated")
                throw StatusError.invalid(.services, key.name, [fault])
            }
            address = asked
        }
        service[path: "spec", "clusterIP"] = .string(address)
        service[path: "spec", "clusterIPs"] = [.string(address)]
        service[path: "spec", "ipFamilies"] = ["IPv4"]
        service[path: "spec", "ipFamilyPolicy"] = "SingleStack"
        service[path: "spec", "internalTrafficPolicy"] = "Cluster"
    }

    private static func random() -> String { "240.0.\(Int.random(in: 1...254)).\(Int.random(in: 1...254))" }
}
