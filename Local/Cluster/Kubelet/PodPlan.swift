import Foundation

/// What a pod needs next. Pure: the same situation and time make the same plan.
struct PodPlan: Sendable, Equatable {
    struct Start: Sendable, Equatable {
        let container: String
        let attempt: Int
        let isInit: Bool
    }
    /// Containers to be run now, in this order.
    var starts: [Start] = []
    /// Containers that wait to run again: until when, and for how long altogether.
    var backOffs: [String: (until: Date, seconds: Double)] = [:]
    /// Nothing runs and nothing will.
    var isOver = false
    /// An init container has failed for good.
    var hasFailedInit = false

    static func == (left: PodPlan, right: PodPlan) -> Bool {
        left.starts == right.starts && left.isOver == right.isOver && left.hasFailedInit == right.hasFailedInit
            && left.backOffs.mapValues(\.until) == right.backOffs.mapValues(\.until)
    }

    init(_ pod: PodTemplate, initial: [ContainerSituation], main: [ContainerSituation], backOff: BackOff, now: Date) {
        let policy = pod.restartPolicy
        func consider(_ situation: ContainerSituation, isInit: Bool, policy: RestartPolicy) {
            switch situation.state {
            case .running: return
            case .waiting:
                starts.append(Start(container: situation.name, attempt: situation.restartCount, isInit: isInit))
            case .terminated(let end):
                guard policy.restarts(after: end.exitCode) else { return }
                if let until = backOff.waits(situation.name, failed: end.finishedAt ?? now, now: now) {
                    backOffs[situation.name] = (until, backOff.wait(situation.name))
                } else {
                    starts.append(Start(container: situation.name, attempt: situation.restartCount + 1, isInit: isInit))
                }
            }
        }
        let hasBegun = main.contains { !$0.isNew }
        if !hasBegun {
            for situation in initial {
                if situation.state.end?.exitCode == 0 { continue }
                if let end = situation.state.end, policy == .never, end.exitCode != 0 {
                    hasFailedInit = true
                    isOver = true
                    return
                }
                // An init container that has succeeded is done, whatever the policy.
                consider(situation, isInit: true, policy: .onFailure)
                return
            }
        }
        for situation in main { consider(situation, isInit: false, policy: policy) }
        isOver = starts.isEmpty && backOffs.isEmpty && !main.contains { $0.state.isRunning } && !initial.contains { $0.state.isRunning }
    }
}
