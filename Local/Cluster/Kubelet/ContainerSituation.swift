import Foundation
import Kubernetes

/// One run of a container as podman knows it.
struct ContainerAttempt: Sendable, Equatable {
    let number: Int
    let inspection: ContainerInspection
    /// What the program left to be said of its end.
    var message: String?

    var id: String { inspection.id }
}

/// Where a container of a pod stands: what podman says, put together with what was written of it before.
struct ContainerSituation: Sendable, Equatable {
    let name: String
    var state: RunState
    /// How the run before ended.
    var last: RunEnd?
    var restartCount: Int
    /// The container of the newest run.
    var id: String?
    var image: String
    var imageID: String
    /// Made and not started yet.
    var isPrepared = false

    /// Nothing was ever run.
    var isNew: Bool { if case .waiting = state { id == nil && last == nil || isPrepared && last == nil } else { false } }

    /// - Parameters:
    ///   - attempts: the runs that podman still has.
    ///   - written: the entry of the pod's status.
    ///   - failures: runs that could not be started, by id.
    init(
        _ container: ContainerTemplate, attempts: [ContainerAttempt], written: JSONValue?, failures: [String: RunEnd], waiting: String,
        now: Date
    ) {
        name = container.name
        let runs = attempts.sorted { $0.number > $1.number }
        let writtenID = RunEnd.identifier(written?["containerID"])
        let writtenState = Self.state(written)
        let writtenCount = Int(written?["restartCount"]?.integer ?? 0)
        image = written?["image"]?.string ?? container.image
        imageID = written?["imageID"]?.string ?? ""
        last = RunEnd(written?[path: "lastState", "terminated"])
        restartCount = writtenCount
        id = writtenID
        guard let newest = runs.first, newest.number >= writtenCount || writtenID == nil else {
            // Nothing of the newest run is left.
            switch writtenState {
            case .running(let since)?: state = .terminated(.lost(id: writtenID, startedAt: since, now: now))
            case .terminated(let end)?: state = .terminated(end)
            default:
                if let last, writtenID == last.id {
                    // It was waiting to run again.
                    state = .terminated(last)
                    self.last = nil
                } else {
                    state = .waiting(reason: waiting, message: nil)
                }
            }
            return
        }
        if newest.id != writtenID, case .terminated(let end)? = writtenState { last = end }
        if let previous = runs.dropFirst().first.flatMap({ Self.end($0, failures: failures) }), previous.id != nil { last = previous }
        restartCount = newest.number
        id = newest.id
        if !newest.inspection.image.isEmpty { image = newest.inspection.image }
        switch newest.inspection.state {
        case .running: state = .running(since: newest.inspection.startedAt ?? now)
        case .exited: state = .terminated(Self.end(newest, failures: failures) ?? .lost(id: newest.id, startedAt: nil, now: now))
        case .created:
            if let end = failures[newest.id] {
                state = .terminated(end)
            } else if newest.id == writtenID, let writtenState {
                // podman forgets the ends of runs that a boot of the machine cut short.
                switch writtenState {
                case .terminated(let end): state = .terminated(end)
                case .running(let since): state = .terminated(.lost(id: newest.id, startedAt: since, now: now))
                case .waiting:
                    if let last, last.id == newest.id {
                        state = .terminated(last)
                    } else {
                        state = .waiting(reason: waiting, message: nil)
                        isPrepared = true
                    }
                }
            } else {
                state = .waiting(reason: waiting, message: nil)
                isPrepared = true
            }
        }
        if case .terminated(let end) = state, end.id == last?.id { last = nil }
    }

    private static func end(_ attempt: ContainerAttempt, failures: [String: RunEnd]) -> RunEnd? {
        if let failure = failures[attempt.id] { return failure }
        let inspection = attempt.inspection
        guard inspection.state == .exited else { return nil }
        let reason = inspection.isOutOfMemory ? "OOMKilled" : inspection.exitCode == 0 ? "Completed" : "Error"
        return RunEnd(
            exitCode: inspection.exitCode, reason: reason, message: attempt.message, startedAt: inspection.startedAt,
            finishedAt: inspection.finishedAt, id: attempt.id)
    }

    private static func state(_ written: JSONValue?) -> RunState? {
        guard let state = written?["state"] else { return nil }
        if let running = state["running"] {
            return .running(since: running["startedAt"]?.string.flatMap { KubernetesTime.parse($0) } ?? Date(timeIntervalSince1970: 0))
        }
        if let end = RunEnd(state["terminated"]) { return .terminated(end) }
        return state["waiting"].map { .waiting(reason: $0["reason"]?.string ?? "", message: $0["message"]?.string) }
    }
}
