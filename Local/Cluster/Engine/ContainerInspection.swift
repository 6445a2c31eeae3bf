import Foundation
import Kubernetes

/// What podman knows of a container.
struct ContainerInspection: Sendable, Equatable {
    enum State: Sendable, Equatable {
        /// Made and never started, or forgotten by a boot of the machine.
        case created
        case running
        case exited
    }
    let id: String
    let state: State
    let processIdentifier: Int
    let exitCode: Int
    let isOutOfMemory: Bool
    let startedAt: Date?
    let finishedAt: Date?
    let labels: [String: String]
    let image: String
    let imageID: String
    /// The signal that asks the program to end.
    let stopSignal: String
    /// By network.
    let addresses: [String: String]
    let networkNamespace: String

    init(_ value: JSONValue) {
        id = value["Id"]?.string ?? ""
        let status = value[path: "State", "Status"]?.string ?? ""
        state =
            switch status {
            case "running", "paused", "stopping": .running
            case "exited", "stopped", "removing": .exited
            default: .created
            }
        processIdentifier = Int(value[path: "State", "Pid"]?.integer ?? 0)
        exitCode = Int(value[path: "State", "ExitCode"]?.integer ?? 0)
        isOutOfMemory = value[path: "State", "OOMKilled"]?.bool ?? false
        startedAt = Self.time(value[path: "State", "StartedAt"])
        finishedAt = Self.time(value[path: "State", "FinishedAt"])
        labels = (value[path: "Config", "Labels"]?.object ?? [:]).compactMapValues(\.string)
        image = value["ImageName"]?.string ?? ""
        imageID = value["Image"]?.string ?? ""
        stopSignal =
            switch value[path: "Config", "StopSignal"] {
            case .string(let name)?: name
            case .integer(let number)? where number > 0: String(number)
            default: "15"
            }
        addresses = (value[path: "NetworkSettings", "Networks"]?.object ?? [:])
            .compactMapValues { $0["IPAddress"]?.string }.filter { !$0.value.isEmpty }
        networkNamespace = value[path: "NetworkSettings", "SandboxKey"]?.string ?? ""
    }

    /// podman writes the year 1 for "never".
    private static func time(_ value: JSONValue?) -> Date? {
        value?.string.flatMap { KubernetesTime.parse($0) }.flatMap { $0.timeIntervalSince1970 > 0 ? $0 : nil }
    }
}
