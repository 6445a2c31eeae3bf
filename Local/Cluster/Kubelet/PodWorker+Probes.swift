import Foundation
import Kubernetes

/// What the probes of a container's run say.
struct ProbeRecord: Sendable {
    /// The run.
    let id: String
    var isReady: Bool
}

/// How often and how long a probe asks. Seconds.
struct ProbeTiming: Sendable, Equatable {
    let delay: Double
    let period: Double
    let timeout: Double
    let successes: Int
    let failures: Int

    init(_ value: JSONValue) {
        func number(_ name: String, _ fallback: Int64) -> Int64 {
            value[name]?.integer.flatMap { $0 > 0 ? $0 : nil } ?? fallback
        }
        delay = Double(value["initialDelaySeconds"]?.integer ?? 0)
        period = Double(number("periodSeconds", 10))
        timeout = Double(number("timeoutSeconds", 1))
        successes = Int(number("successThreshold", 1))
        failures = Int(number("failureThreshold", 3))
    }
}

extension PodWorker {
    /// Begins the probes of runs that are new.
    func watchProbes() {
        for (name, attempt) in runningContainers where probes[name]?.id != attempt.id {
            guard let container = pod.containers.first(where: { $0.name == name }) else { continue }
            let readiness = container.value["readinessProbe"]
            probes[name] = ProbeRecord(id: attempt.id, isReady: readiness == nil)
            let startup = container.value["startupProbe"]
            let liveness = container.value["livenessProbe"]
            guard readiness != nil || liveness != nil || startup != nil else { continue }
            if startup != nil { probes[name]?.isReady = false }
            nursery.start {
                if let startup, await !self.passes(startup, container, attempt.id) { return }
                if readiness == nil { await self.note(name, attempt.id, isReady: true) }
                await withDiscardingTaskGroup { group in
                    if let readiness { group.addTask { await self.probeReadiness(readiness, container, attempt.id) } }
                    if let liveness { group.addTask { await self.probeLiveness(liveness, container, attempt.id, kind: "Liveness") } }
                }
            }
        }
    }

    private func note(_ name: String, _ id: String, isReady: Bool) {
        guard probes[name]?.id == id, probes[name]?.isReady != isReady else { return }
        probes[name]?.isReady = isReady
        wake()
    }

    private func isCurrent(_ name: String, _ id: String) -> Bool {
        stopping == nil && attempts[name]?.contains { $0.id == id && $0.inspection.state == .running } == true
    }

    private func probeReadiness(_ probe: JSONValue, _ container: ContainerTemplate, _ id: String) async {
        await ask(probe, container, id) { failures, successes, timing, failure in
            if let failure { self.warn(container.name, "Readiness probe failed: \(failure)") }
            if successes >= timing.successes { self.note(container.name, id, isReady: true) }
            if failures >= timing.failures { self.note(container.name, id, isReady: false) }
            return true
        }
    }

    /// A container that fails is ended; its restart policy then decides.
    private func probeLiveness(_ probe: JSONValue, _ container: ContainerTemplate, _ id: String, kind: String) async {
        await ask(probe, container, id) { failures, _, timing, failure in
            if let failure { self.warn(container.name, "\(kind) probe failed: \(failure)") }
            guard failures >= timing.failures else { return true }
            await self.kill(container.name, id, why: "failed \(kind.lowercased()) probe")
            return false
        }
    }

    private func passes(_ probe: JSONValue, _ container: ContainerTemplate, _ id: String) async -> Bool {
        var hasPassed = false
        await ask(probe, container, id) { failures, successes, timing, failure in
            if let failure { self.warn(container.name, "Startup probe failed: \(failure)") }
            hasPassed = successes >= timing.successes
            if failures >= timing.failures { await self.kill(container.name, id, why: "failed startup probe") }
            return !hasPassed && failures < timing.failures
        }
        return hasPassed
    }

    private func warn(_ name: String, _ message: String) {
        context.recorder.record(pod.object, type: "Warning", "Unhealthy", message, field: fieldPath(name))
    }

    private func kill(_ name: String, _ id: String, why: String) async {
        context.recorder.record(pod.object, "Killing", "Container \(name) \(why), will be restarted", field: fieldPath(name))
        guard let attempt = attempts[name]?.first(where: { $0.id == id }) else { return }
        try? await context.podman.signal(id, attempt.inspection.stopSignal)
        try? await Task.sleep(for: .seconds(pod.terminationGrace))
        if isCurrent(name, id) { try? await context.podman.signal(id, "SIGKILL") }
    }

    /// Asks again and again as long as the run goes on and `judge` wants to.
    private func ask(
        _ probe: JSONValue, _ container: ContainerTemplate, _ id: String,
        judge: (_ failures: Int, _ successes: Int, _ timing: ProbeTiming, _ failure: String?) async -> Bool
    ) async {
        let timing = ProbeTiming(probe)
        let action = ProbeAction(probe, container: container, address: podIP)
        var (failures, successes) = (0, 0)
        try? await Task.sleep(for: .seconds(timing.delay))
        while !Task.isCancelled, isCurrent(container.name, id) {
            let failure = await action.run(context.podman, container: id, within: timing.timeout)
            guard !Task.isCancelled, isCurrent(container.name, id) else { return }
            (failures, successes) = failure == nil ? (0, successes + 1) : (failures + 1, 0)
            guard await judge(failures, successes, timing, failure) else { return }
            try? await Task.sleep(for: .seconds(timing.period))
        }
    }
}
