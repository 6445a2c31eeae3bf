import Foundation
import Kubernetes

extension PodWorker {
    /// Asks the containers to end, and ends them when their time is over.
    /// - Returns: true once none runs.
    func stop() async throws -> Bool {
        let running = runningContainers
        if running.isEmpty {
            stopping = nil
            return true
        }
        let now = Date()
        let deadline = now.addingTimeInterval(grace)
        var state = stopping ?? Stopping(deadline: deadline)
        // A second request may only shorten the time.
        state.deadline = min(state.deadline, deadline)
        for (name, attempt) in running where state.asked.insert(attempt.id).inserted {
            context.recorder.record(pod.object, "Killing", "Stopping container \(name)", field: fieldPath(name))
            beginStop(name, attempt, within: state.deadline.timeIntervalSince(now))
        }
        if state.deadline <= now {
            for (_, attempt) in running where state.killed.insert(attempt.id).inserted {
                try await context.podman.signal(attempt.id, "SIGKILL")
            }
            // The event of its end may be missed; the next look then finds it.
            wake(at: now.addingTimeInterval(2))
        } else {
            wake(at: state.deadline)
        }
        stopping = state
        return false
    }

    /// Seconds from now.
    private var grace: Double {
        if case .shutdown(let seconds)? = ending { return seconds }
        if let asked = pod.object.deletionTimestamp {
            // The time of deletion is the end of the grace, in whole seconds; a kubelet that comes late does not begin it anew.
            let left = max(asked.timeIntervalSinceNow + 1, 0)
            return min(left, Double(pod.object.deletionGracePeriodSeconds ?? 30))
        }
        return Double(pod.terminationGrace)
    }

    private func beginStop(_ name: String, _ attempt: ContainerAttempt, within seconds: Double) {
        let podman = context.podman
        let hook = template(name)?.value[path: "lifecycle", "preStop"]
        let (address, logger) = (podIP, logger)
        let container = template(name)
        nursery.start {
            if let hook, let container {
                let action = ProbeAction(hook, container: container, address: address)
                if let failure = await action.run(podman, container: attempt.id, within: max(seconds, 1)) {
                    logger.info("the hook before the stop failed", metadata: ["container": "\(name)", "error": "\(failure)"])
                }
            }
            do {
                try await podman.signal(attempt.id, attempt.inspection.stopSignal)
            } catch {
                logger.warning("a container could not be asked to stop", metadata: ["container": "\(name)", "error": "\(error)"])
            }
        }
    }

    /// Takes away everything that the pod has on the machine.
    func demolish() async throws {
        let podman = context.podman
        try await podman.removeContainers(podman.containers(labelled: ["\(Label.uid)=\(uid)"]))
        try MountTable.remove(folder.path)
    }
}
