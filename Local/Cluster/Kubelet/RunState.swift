import Foundation
import Kubernetes

/// How a run of a container ended.
struct RunEnd: Sendable, Equatable {
    var exitCode: Int
    var reason: String
    var message: String?
    var startedAt: Date?
    var finishedAt: Date?
    var id: String?

    /// The state's member `terminated`.
    var json: JSONValue {
        var value: JSONValue = ["exitCode": .integer(Int64(exitCode)), "reason": .string(reason)]
        if let message, !message.isEmpty { value["message"] = .string(message) }
        // A run that never was began, by the kubelet's account, with the epoch.
        value["startedAt"] = .string(KubernetesTime.format(startedAt ?? Date(timeIntervalSince1970: 0)))
        value["finishedAt"] = .string(KubernetesTime.format(finishedAt ?? Date(timeIntervalSince1970: 0)))
        if let id { value["containerID"] = .string("podman://\(id)") }
        return value
    }

    init(
        exitCode: Int, reason: String, message: String? = nil, startedAt: Date? = nil, finishedAt: Date? = nil, id: String? = nil
    ) {
        self.exitCode = exitCode
        self.reason = reason
        self.message = message
        self.startedAt = startedAt
        self.finishedAt = finishedAt
        self.id = id
    }

    init?(_ json: JSONValue?) {
        guard let json, let code = json["exitCode"]?.integer else { return nil }
        exitCode = Int(code)
        reason = json["reason"]?.string ?? ""
        message = json["message"]?.string
        startedAt = json["startedAt"]?.string.flatMap { KubernetesTime.parse($0) }
        finishedAt = json["finishedAt"]?.string.flatMap { KubernetesTime.parse($0) }
        id = Self.identifier(json["containerID"])
    }

    /// `podman://<id>` without the scheme.
    static func identifier(_ value: JSONValue?) -> String? {
        value?.string.flatMap { text in text.hasPrefix("podman://") ? String(text.dropFirst("podman://".count)) : nil }
    }

    /// The run's container is no more and nobody knows how it ended.
    static func lost(id: String?, startedAt: Date?, now: Date) -> RunEnd {
        RunEnd(
            exitCode: 137, reason: "ContainerStatusUnknown",
            message: "The container could not be located when the pod was terminated", startedAt: startedAt, finishedAt: now, id: id)
    }
}

/// What a container is doing.
enum RunState: Sendable, Equatable {
    case waiting(reason: String, message: String?)
    case running(since: Date)
    case terminated(RunEnd)

    var json: JSONValue {
        switch self {
        case .waiting(let reason, let message):
            var value: JSONValue = ["reason": .string(reason)]
            if let message, !message.isEmpty { value["message"] = .string(message) }
            return ["waiting": value]
        case .running(let since): return ["running": ["startedAt": .string(KubernetesTime.format(since))]]
        case .terminated(let end): return ["terminated": end.json]
        }
    }

    var isRunning: Bool { if case .running = self { true } else { false } }
    var end: RunEnd? { if case .terminated(let end) = self { end } else { nil } }
}
