import Foundation
import Kubernetes

/// The columns of each kind.
enum TableColumns {
    static let name = Table.Column(name: "Name", format: "name") { .string($0.name) }
    static let age = Table.Column(name: "Age") { Table.since($0.metadata["creationTimestamp"]) }

    static func of(_ kind: ResourceKind) -> [Table.Column] {
        switch kind.storage {
        case "pods": PodColumns.all
        case "nodes": nodes
        case "services": services
        case "namespaces": [name, text("Status", "status", "phase"), age]
        case "events": events
        case "secrets":
            [name, text("Type", "type"), Table.Column(name: "Data", type: "integer") { count($0["data"]) }, age]
        case "configmaps":
            [name, Table.Column(name: "Data", type: "integer") { .integer(members($0["data"]) + members($0["binaryData"])) }, age]
        case "persistentvolumeclaims": claims
        case "persistentvolumes": volumes
        case "endpoints": [name, Table.Column(name: "Endpoints") { .string(addresses($0)) }, age]
        case "endpointslices.discovery.k8s.io": slices
        case "ingresses.networking.k8s.io": ingresses
        case "leases.coordination.k8s.io": [name, text("Holder", "spec", "holderIdentity"), age]
        case "customresourcedefinitions.apiextensions.k8s.io":
            [name, Table.Column(name: "Created At") { $0.metadata["creationTimestamp"] ?? "<unknown>" }]
        default: [name, age]
        }
    }

    /// A field as it is.
    static func text(_ name: String, _ path: String..., isWide: Bool = false, absent: String = "") -> Table.Column {
        Table.Column(name: name, isWide: isWide) { object in
            switch object[path: path] {
            case .string(let text): .string(text.isEmpty ? absent : text)
            case .integer(let number): .string(String(number))
            case .bool(let flag): .string(flag ? "true" : "false")
            default: .string(absent)
            }
        }
    }

    private static func members(_ value: JSONValue?) -> Int64 { Int64(value?.object?.count ?? 0) }
    private static func count(_ value: JSONValue?) -> JSONValue { .integer(members(value)) }

    private static func joined(_ labels: JSONValue?) -> String {
        let pairs = (labels?.object ?? [:]).sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value.string ?? "")" }
        return pairs.isEmpty ? "<none>" : pairs.joined(separator: ",")
    }

    private static let nodes: [Table.Column] = [
        name,
        Table.Column(name: "Status") { node in
            let ready = (node[path: "status", "conditions"]?.array ?? []).first { $0["type"] == "Ready" }?["status"]?.string
            let state = ready == "True" ? "Ready" : ready == nil ? "Unknown" : "NotReady"
            return .string(node[path: "spec", "unschedulable"]?.bool == true ? "\(state),SchedulingDisabled" : state)
        },
        Table.Column(name: "Roles") { node in
            let prefix = "node-role.kubernetes.io/"
            let roles = node.labels.keys.filter { $0.hasPrefix(prefix) }.map { $0.dropFirst(prefix.count) }.sorted()
            return .string(roles.isEmpty ? "<none>" : roles.joined(separator: ","))
        },
        age, text("Version", "status", "nodeInfo", "kubeletVersion"),
        Table.Column(name: "Internal-IP", isWide: true) { address($0, "InternalIP") },
        Table.Column(name: "External-IP", isWide: true) { address($0, "ExternalIP") },
        text("OS-Image", "status", "nodeInfo", "osImage", isWide: true, absent: "<unknown>"),
        text("Kernel-Version", "status", "nodeInfo", "kernelVersion", isWide: true, absent: "<unknown>"),
        text("Container-Runtime", "status", "nodeInfo", "containerRuntimeVersion", isWide: true, absent: "<unknown>"),
    ]

    private static func address(_ node: Object, _ type: String) -> JSONValue {
        (node[path: "status", "addresses"]?.array ?? []).first { $0["type"]?.string == type }?["address"] ?? "<none>"
    }

    private static let services: [Table.Column] = [
        name, text("Type", "spec", "type"), text("Cluster-IP", "spec", "clusterIP", absent: "<none>"),
        Table.Column(name: "External-IP") { service in
            if let name = service[path: "spec", "externalName"]?.string, !name.isEmpty { return .string(name) }
            let addresses = (service[path: "spec", "externalIPs"]?.array ?? []).compactMap(\.string)
            return .string(addresses.isEmpty ? "<none>" : addresses.joined(separator: ","))
        },
        Table.Column(name: "Port(s)") { service in
            let ports = (service[path: "spec", "ports"]?.array ?? []).map { port in
                "\(port["port"]?.integer ?? 0)/\(port["protocol"]?.string ?? "TCP")"
            }
            return .string(ports.isEmpty ? "<none>" : ports.joined(separator: ","))
        },
        age, Table.Column(name: "Selector", isWide: true) { .string(joined($0[path: "spec", "selector"])) },
    ]

    private static let events: [Table.Column] = [
        Table.Column(name: "Last Seen") { event in
            Table.since(event["lastTimestamp"].flatMap { $0 == .null ? nil : $0 } ?? event["deprecatedLastTimestamp"] ?? event["eventTime"])
        },
        text("Type", "type"), text("Reason", "reason"),
        Table.Column(name: "Object") { event in
            let object = event["involvedObject"] ?? event["regarding"] ?? .null
            return .string("\((object["kind"]?.string ?? "").lowercased())/\(object["name"]?.string ?? "")")
        },
        text("Subobject", "involvedObject", "fieldPath", isWide: true),
        Table.Column(name: "Source", isWide: true) { event in
            let source = event["source"] ?? event["deprecatedSource"] ?? .null
            let parts = [source["component"]?.string ?? event["reportingComponent"]?.string, source["host"]?.string]
            return .string(parts.compactMap(\.self).filter { !$0.isEmpty }.joined(separator: ", "))
        },
        Table.Column(name: "Message") { .string(($0["message"] ?? $0["note"])?.string?.trimmed ?? "") },
        Table.Column(name: "First Seen", isWide: true) { event in
            Table.since(event["firstTimestamp"] ?? event["deprecatedFirstTimestamp"] ?? event["eventTime"])
        },
        Table.Column(name: "Count", type: "integer", isWide: true) { $0["count"] ?? $0["deprecatedCount"] ?? 1 },
        Table.Column(name: "Name", format: "name", isWide: true) { .string($0.name) },
    ]

    private static func modes(_ value: JSONValue?) -> JSONValue {
        let short = ["ReadWriteOnce": "RWO", "ReadOnlyMany": "ROX", "ReadWriteMany": "RWX", "ReadWriteOncePod": "RWOP"]
        return .string((value?.array ?? []).compactMap { $0.string.map { short[$0] ?? $0 } }.joined(separator: ","))
    }

    private static let claims: [Table.Column] = [
        name,
        Table.Column(name: "Status") { claim in
            claim.deletionTimestamp != nil ? "Terminating" : claim[path: "status", "phase"] ?? ""
        },
        text("Volume", "spec", "volumeName"), text("Capacity", "status", "capacity", "storage"),
        Table.Column(name: "Access Modes") { modes($0[path: "status", "accessModes"]) },
        text("StorageClass", "spec", "storageClassName"),
        text("VolumeAttributesClass", "spec", "volumeAttributesClassName", absent: "<unset>"),
        age, text("VolumeMode", "spec", "volumeMode", isWide: true),
    ]

    private static let volumes: [Table.Column] = [
        name, text("Capacity", "spec", "capacity", "storage"),
        Table.Column(name: "Access Modes") { modes($0[path: "spec", "accessModes"]) },
        text("Reclaim Policy", "spec", "persistentVolumeReclaimPolicy"), text("Status", "status", "phase"),
        Table.Column(name: "Claim") { volume in
            guard let claim = volume[path: "spec", "claimRef"] else { return "" }
            return .string("\(claim["namespace"]?.string ?? "")/\(claim["name"]?.string ?? "")")
        },
        text("StorageClass", "spec", "storageClassName"), text("Reason", "status", "reason"), age,
        text("VolumeMode", "spec", "volumeMode", isWide: true),
    ]

    private static func addresses(_ endpoints: Object) -> String {
        var found: [String] = []
        for subset in endpoints["subsets"]?.array ?? [] {
            let ports = (subset["ports"]?.array ?? []).map { ":\($0["port"]?.integer ?? 0)" }
            for address in subset["addresses"]?.array ?? [] {
                for port in ports.isEmpty ? [""] : ports { found.append("\(address["ip"]?.string ?? "")\(port)") }
            }
        }
        guard found.count > 3 else { return found.isEmpty ? "<none>" : found.joined(separator: ",") }
        return found.prefix(3).joined(separator: ",") + " + \(found.count - 3) more..."
    }

    private static let slices: [Table.Column] = [
        name, text("AddressType", "addressType"),
        Table.Column(name: "Ports") { slice in
            let ports = (slice["ports"]?.array ?? []).compactMap { $0["port"]?.integer.map(String.init) }
            return .string(ports.isEmpty ? "<unset>" : ports.joined(separator: ","))
        },
        Table.Column(name: "Endpoints") { slice in
            let found = (slice["endpoints"]?.array ?? []).flatMap { ($0["addresses"]?.array ?? []).compactMap(\.string) }
            return .string(found.isEmpty ? "<unset>" : found.joined(separator: ","))
        }, age,
    ]

    private static let ingresses: [Table.Column] = [
        name, text("Class", "spec", "ingressClassName", absent: "<none>"),
        Table.Column(name: "Hosts") { ingress in
            let hosts = (ingress[path: "spec", "rules"]?.array ?? []).compactMap { $0["host"]?.string }
            return .string(hosts.isEmpty ? "*" : hosts.joined(separator: ","))
        },
        Table.Column(name: "Address") { ingress in
            let found = ingress[path: "status", "loadBalancer", "ingress"]?.array ?? []
            return .string(found.compactMap { $0["ip"]?.string ?? $0["hostname"]?.string }.joined(separator: ","))
        },
        Table.Column(name: "Ports") { $0[path: "spec", "tls"]?.array?.isEmpty == false ? "80, 443" : "80" }, age,
    ]
}
