import Kubernetes

/// What a pod's status says about the log of its container. Pure; the follower acts on it.
struct LogRun: Equatable, Sendable {
    /// 0 for the first start of the container.
    let number: Int
    /// The run's log can be opened.
    let isReadable: Bool
    /// The run is over: its log is complete.
    let isOver: Bool
    /// The log of the run before can be opened.
    let hasPrevious: Bool
    /// The container will be started again.
    let mayRestart: Bool

    init(_ pod: Pod) {
        let status = pod.status?.containerStatuses?.first
        let before = status?.lastState?.terminated
        number = status?.restartCount ?? 0
        let state = status?.state
        let isRunning = state?.running != nil
        // Waiting for a restart, the present log is still that of the run that ended.
        let end = state?.terminated ?? (isRunning ? nil : before)
        isReadable = isRunning || end != nil
        isOver = end != nil
        hasPrevious = (isRunning || state?.terminated != nil) && before != nil
        let phase = pod.status?.phase
        switch pod.spec?.restartPolicy ?? "Always" {
        case _ where phase == "Succeeded" || phase == "Failed" || pod.metadata.deletionTimestamp != nil: mayRestart = false
        case "Never": mayRestart = false
        case "OnFailure": mayRestart = end?.exitCode != 0
        default: mayRestart = true
        }
    }

    /// The pod ended through its own container, as against being pushed off its node: nothing follows it.
    static func endedByItself(_ pod: Pod) -> Bool {
        guard pod.status?.phase == "Succeeded" || pod.status?.phase == "Failed" else { return false }
        return (pod.status?.reason ?? "").isEmpty
    }
}
