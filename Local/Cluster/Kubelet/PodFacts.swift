import Foundation
import Kubernetes

/// What a pod may learn of itself and its node (`fieldRef`, `resourceFieldRef`). Pure.
struct PodFacts: Sendable {
    let pod: PodTemplate
    let nodeName: String
    let hostIP: String
    let podIP: String
    /// In the node's own writing.
    let allocatable: [String: String]

    /// - Returns: nil for a path that is not served.
    func field(_ path: String) -> String? {
        for (list, values) in [("labels", pod.object.labels), ("annotations", pod.object.annotations)] {
            let prefix = "metadata.\(list)"
            if path == prefix {
                return values.sorted { $0.key < $1.key }.map { "\($0.key)=\(Self.quoted($0.value))" }.joined(separator: "\n")
            }
            if path.hasPrefix("\(prefix)['"), path.hasSuffix("']") {
                return values[String(path.dropFirst(prefix.count + 2).dropLast(2))] ?? ""
            }
        }
        switch path {
        case "metadata.name": return pod.name
        case "metadata.namespace": return pod.namespace
        case "metadata.uid": return pod.uid
        case "spec.nodeName": return nodeName
        case "spec.serviceAccountName": return pod.serviceAccount
        case "status.hostIP", "status.hostIPs": return hostIP
        case "status.podIP", "status.podIPs": return podIP
        default: return nil
        }
    }

    /// `limits.cpu`, `requests.memory` … in units of `divisor`, rounded up. What has no limit has the node's.
    func resource(_ reference: JSONValue, of container: ContainerTemplate) -> String? {
        let named = reference["containerName"]?.string
        let container = pod.containers.first { $0.name == named } ?? container
        let parts = (reference["resource"]?.string ?? "").split(separator: ".", maxSplits: 1).map(String.init)
        guard parts.count == 2 else { return nil }
        let divisor = reference["divisor"]?.string.flatMap { $0 == "0" ? nil : Quantity($0).value } ?? 1
        let amount: Quantity?
        switch parts[0] {
        case "limits": amount = container.limit(parts[1]) ?? allocatable[parts[1]].map { Quantity($0) }
        case "requests": amount = container.request(parts[1]) ?? Quantity("0")
        default: return nil
        }
        guard let value = amount?.value, divisor > 0 else { return nil }
        return String(Int64((value / divisor).rounded(.up)))
    }

    /// As Go quotes a string.
    private static func quoted(_ text: String) -> String { JSONWriter.text(.string(text)) }
}
