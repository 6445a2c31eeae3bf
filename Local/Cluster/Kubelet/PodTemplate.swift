import Foundation
import Kubernetes

/// A pod's object as the kubelet reads it.
struct PodTemplate: Sendable {
    let object: Object

    init(_ object: Object) { self.object = object }

    var spec: JSONValue { object["spec"] ?? .object([:]) }
    var status: JSONValue { object["status"] ?? .object([:]) }
    var uid: String { object.uid }
    var name: String { object.name }
    var namespace: String { object.namespace ?? "default" }
    var key: ObjectKey { ObjectKey(.pods, namespace: namespace, name: name) }
    var nodeName: String? { spec["nodeName"]?.string.flatMap { $0.isEmpty ? nil : $0 } }
    var restartPolicy: RestartPolicy { spec["restartPolicy"]?.string.flatMap(RestartPolicy.init) ?? .always }
    var containers: [ContainerTemplate] { (spec["containers"]?.array ?? []).map(ContainerTemplate.init) }
    var initContainers: [ContainerTemplate] { (spec["initContainers"]?.array ?? []).map(ContainerTemplate.init) }
    var volumes: [JSONValue] { spec["volumes"]?.array ?? [] }
    var terminationGrace: Int { Int(spec["terminationGracePeriodSeconds"]?.integer ?? 30) }
    /// Seconds since `status.startTime`.
    var activeDeadline: Int? { spec["activeDeadlineSeconds"]?.integer.map(Int.init) }
    var startTime: Date? { status["startTime"]?.string.flatMap { KubernetesTime.parse($0) } }
    var phase: String { status["phase"]?.string ?? "Pending" }
    var isFinished: Bool { phase == "Succeeded" || phase == "Failed" }
    var usesHostNetwork: Bool { spec["hostNetwork"]?.bool ?? false }
    var sharesProcesses: Bool { spec["shareProcessNamespace"]?.bool ?? false }
    var securityContext: JSONValue { spec["securityContext"] ?? .object([:]) }
    var serviceAccount: String { spec["serviceAccountName"]?.string ?? "default" }

    /// The name inside of the pod.
    var hostname: String { String((spec["hostname"]?.string ?? name).prefix(63)).trimmingCharacters(in: CharacterSet(charactersIn: "-.")) }

    /// The names of the objects of a kind that the pod reads: what it waits for, and whose changes its volumes follow.
    func references(to kind: ResourceKind) -> Set<String> {
        var names: Set<String> = []
        func note(_ value: JSONValue?) { if let name = value?.string { names.insert(name) } }
        for volume in volumes {
            let sources = [volume] + (volume[path: "projected", "sources"]?.array ?? [])
            for source in sources {
                switch kind {
                case .secrets: note(source[path: "secret", "secretName"] ?? source[path: "secret", "name"])
                case .configMaps: note(source[path: "configMap", "name"])
                case .persistentVolumeClaims: note(source[path: "persistentVolumeClaim", "claimName"])
                default: break
                }
            }
        }
        let reference = kind == .secrets ? "secretRef" : "configMapRef"
        let keyReference = kind == .secrets ? "secretKeyRef" : "configMapKeyRef"
        guard kind == .secrets || kind == .configMaps else { return names }
        for container in containers + initContainers {
            for source in container.environmentSources { note(source[path: reference, "name"]) }
            for variable in container.environment { note(variable[path: "valueFrom", keyReference, "name"]) }
        }
        if kind == .secrets { for secret in spec["imagePullSecrets"]?.array ?? [] { note(secret["name"]) } }
        return names
    }
}

enum RestartPolicy: String, Sendable {
    case always = "Always"
    case onFailure = "OnFailure"
    case never = "Never"

    /// Whether a container that ended with this code runs again.
    func restarts(after exitCode: Int) -> Bool {
        switch self {
        case .always: true
        case .onFailure: exitCode != 0
        case .never: false
        }
    }
}

/// One of a pod's containers.
struct ContainerTemplate: Sendable {
    let value: JSONValue

    init(_ value: JSONValue) { self.value = value }

    var name: String { value["name"]?.string ?? "" }
    var image: String { value["image"]?.string ?? "" }
    var command: [String] { (value["command"]?.array ?? []).compactMap(\.string) }
    var arguments: [String] { (value["args"]?.array ?? []).compactMap(\.string) }
    var workingFolder: String? { value["workingDir"]?.string.flatMap { $0.isEmpty ? nil : $0 } }
    var environment: [JSONValue] { value["env"]?.array ?? [] }
    var environmentSources: [JSONValue] { value["envFrom"]?.array ?? [] }
    var mounts: [JSONValue] { value["volumeMounts"]?.array ?? [] }
    var securityContext: JSONValue { value["securityContext"] ?? .object([:]) }
    var terminationMessagePath: String {
        value["terminationMessagePath"]?.string.flatMap { $0.isEmpty ? nil : $0 } ?? "/dev/termination-log"
    }
    var fallsBackToLog: Bool { value["terminationMessagePolicy"]?.string == "FallbackToLogsOnError" }

    /// `Always`, `IfNotPresent`, `Never`. Without a word, an image that may move is looked up again.
    var pullPolicy: String {
        if let policy = value["imagePullPolicy"]?.string, !policy.isEmpty { return policy }
        guard let reference = try? ImageReference(image) else { return "Always" }
        return reference.digest == nil && reference.tag == "latest" ? "Always" : "IfNotPresent"
    }

    func amount(_ list: String, _ resource: String) -> Quantity? {
        switch value[path: "resources", list, resource] {
        case .string(let text)?: Quantity(text)
        case .integer(let number)?: Quantity(String(number))
        case .number(let number)?: Quantity(String(number))
        default: nil
        }
    }

    func limit(_ resource: String) -> Quantity? { amount("limits", resource) }

    /// A limit without a request is one.
    func request(_ resource: String) -> Quantity? { amount("requests", resource) ?? limit(resource) }

    var resourceNames: Set<String> {
        Set((value[path: "resources", "requests"]?.object ?? [:]).keys).union((value[path: "resources", "limits"]?.object ?? [:]).keys)
    }
}
