import Foundation
import Kubernetes

/// The environment of a container, in the order in which it is written. Pure.
struct EnvironmentBuilder: Sendable {
    let facts: PodFacts
    /// The objects of the pod's namespace by name, as far as they exist.
    let secrets: [String: Object]
    let configMaps: [String: Object]

    func variables(of container: ContainerTemplate) throws(ContainerRefusal) -> [(name: String, value: String)] {
        var order: [String] = []
        var values: [String: String] = [:]
        func set(_ name: String, _ value: String) {
            if values.updateValue(value, forKey: name) == nil { order.append(name) }
        }
        for source in container.environmentSources {
            let prefix = source["prefix"]?.string ?? ""
            for (key, value) in try all(source) where Self.isName(prefix + key) { set(prefix + key, value) }
        }
        for variable in container.environment {
            guard let name = variable["name"]?.string else { continue }
            if let source = variable["valueFrom"], source.object?.isEmpty == false {
                if let value = try value(source, container) { set(name, value) }
            } else {
                set(name, VariableExpansion.expand(variable["value"]?.string ?? "") { values[$0] })
            }
        }
        return order.map { ($0, values[$0] ?? "") }
    }

    private func all(_ source: JSONValue) throws(ContainerRefusal) -> [(String, String)] {
        if let reference = source["secretRef"] {
            let name = reference["name"]?.string ?? ""
            guard let secret = secrets[name] else {
                if reference["optional"]?.bool == true { return [] }
                throw .configuration("secret \"\(name)\" not found")
            }
            return Self.data(secret).map { ($0.key, String(decoding: $0.value, as: UTF8.self)) }.sorted { $0.0 < $1.0 }
        }
        guard let reference = source["configMapRef"] else { return [] }
        let name = reference["name"]?.string ?? ""
        guard let map = configMaps[name] else {
            if reference["optional"]?.bool == true { return [] }
            throw .configuration("configmap \"\(name)\" not found")
        }
        return (map["data"]?.object ?? [:]).compactMap { key, value in value.string.map { (key, $0) } }.sorted { $0.0 < $1.0 }
    }

    /// - Returns: nil when an optional source is absent.
    private func value(_ source: JSONValue, _ container: ContainerTemplate) throws(ContainerRefusal) -> String? {
        if let reference = source["fieldRef"] {
            let path = reference["fieldPath"]?.string ?? ""
            guard let value = facts.field(path) else { throw .configuration("unsupported fieldPath: \(path)") }
            return value
        }
        if let reference = source["resourceFieldRef"] {
            guard let value = facts.resource(reference, of: container) else {
                throw .configuration("unsupported container resource : \(reference["resource"]?.string ?? "")")
            }
            return value
        }
        if let reference = source["secretKeyRef"] {
            return try pick(reference, from: secrets, kind: "Secret") { Self.data($0)[$1].map { String(decoding: $0, as: UTF8.self) } }
        }
        if let reference = source["configMapKeyRef"] {
            return try pick(reference, from: configMaps, kind: "ConfigMap") { $0[path: "data", $1]?.string }
        }
        return ""
    }

    private func pick(
        _ reference: JSONValue, from objects: [String: Object], kind: String, _ read: (Object, String) -> String?
    ) throws(ContainerRefusal) -> String? {
        let (name, key) = (reference["name"]?.string ?? "", reference["key"]?.string ?? "")
        let isOptional = reference["optional"]?.bool == true
        guard let object = objects[name] else {
            if isOptional { return nil }
            throw .configuration("\(kind.lowercased()) \"\(name)\" not found")
        }
        guard let value = read(object, key) else {
            if isOptional { return nil }
            throw .configuration("couldn't find key \(key) in \(kind) \(facts.pod.namespace)/\(name)")
        }
        return value
    }

    /// A secret's contents.
    static func data(_ secret: Object) -> [String: Data] {
        (secret["data"]?.object ?? [:]).compactMapValues { $0.string.flatMap { Data(base64Encoded: $0) } }
    }

    private static func isName(_ text: String) -> Bool { !text.isEmpty && !text.contains("=") && text.first?.isNumber != true }
}
