import Foundation
import Kubernetes

extension PodWorker {
    typealias Label = ContainerSpecification.Label

    /// What podman has of this pod.
    func observe() async throws {
        var attempts: [String: [ContainerAttempt]] = [:]
        var holder: ContainerInspection?
        for found in try await context.podman.containers(labelled: ["\(Label.uid)=\(uid)"]) {
            if let known = endedRuns[found.id], let name = found.labels[Label.container] {
                attempts[name, default: []].append(known)
                continue
            }
            guard let inspection = try await context.podman.inspectContainer(found.id) else { continue }
            if let text = found.labels[Label.holder] {
                holderCount = max(holderCount, (Int(text) ?? 0) + 1)
                if inspection.state == .running || holder == nil { holder = inspection }
            } else if let name = found.labels[Label.container], let number = found.labels[Label.attempt].flatMap({ Int($0) }) {
                let attempt = read(inspection, name: name, number: number)
                attempts[name, default: []].append(attempt)
                if inspection.state == .exited { endedRuns[found.id] = attempt }
            }
        }
        self.attempts = attempts.mapValues { $0.sorted { $0.number > $1.number } }
        self.holder = holder
        let present = Set(attempts.values.flatMap { $0 }.map(\.id))
        endedRuns = endedRuns.filter { present.contains($0.key) }
        failures = failures.filter { present.contains($0.key) }
    }

    /// A run, with its last words if it has ended.
    func read(_ inspection: ContainerInspection, name: String, number: Int) -> ContainerAttempt {
        var attempt = ContainerAttempt(number: number, inspection: inspection)
        if inspection.state == .exited, let container = template(name) {
            attempt.message = folder.lastWords(
                container, attempt: number, failed: inspection.exitCode != 0 || inspection.isOutOfMemory)
        }
        return attempt
    }

    func template(_ name: String) -> ContainerTemplate? { (pod.containers + pod.initContainers).first { $0.name == name } }

    /// Where the containers stand, in the order of the pod's.
    func situations(isInit: Bool, now: Date = Date()) -> [ContainerSituation] {
        let waiting = pod.initContainers.isEmpty ? "ContainerCreating" : "PodInitializing"
        let written = pod.status[isInit ? "initContainerStatuses" : "containerStatuses"]?.array ?? []
        return (isInit ? pod.initContainers : pod.containers).map { container in
            var situation = ContainerSituation(
                container, attempts: attempts[container.name] ?? [], written: written.first { $0["name"]?.string == container.name },
                failures: failures, waiting: waiting, now: now)
            if let id = imageIDs[container.name] { situation.imageID = id }
            return situation
        }
    }

    var runningContainers: [(name: String, attempt: ContainerAttempt)] {
        attempts.flatMap { name, runs in runs.filter { $0.inspection.state == .running }.map { (name, $0) } }.sorted { $0.name < $1.name }
    }

    var podIP: String {
        if pod.usesHostNetwork { return context.machine.address }
        return holder?.addresses[context.network] ?? pod.status["podIP"]?.string ?? ""
    }

    /// Writes the pod's status, if it has changed.
    func publish() async throws {
        let now = Date()
        let (initial, main) = (situations(isInit: true, now: now), situations(isInit: false, now: now))
        let isRunning = (initial + main).contains { $0.state.isRunning }
        var shown = refusals
        if case .shutdown? = ending { shown = [:] }
        let builder = PodStatusBuilder(
            pod: pod, initial: initial, main: main, waiting: shown, unready: unready(main), hostIP: context.machine.address, podIP: podIP,
            // The end is told once it has come, with the ends of the containers.
            verdict: isRunning ? nil : verdict, now: now)
        guard builder.status() != pod.status else { return }
        do {
            let object = try await context.store.update(pod.key, uid: uid) { object in
                // Others write too: theirs is kept, ours is put over the newest.
                let newest = PodStatusBuilder(
                    pod: PodTemplate(object), initial: builder.initial, main: builder.main, waiting: builder.waiting,
                    unready: builder.unready, hostIP: builder.hostIP, podIP: builder.podIP, verdict: builder.verdict, now: builder.now)
                object["status"] = newest.status()
            }
            adopt(object)
        } catch let error as StatusError where error.code == 404 {
            ending = .removed
            wake()
        }
    }

    private func unready(_ main: [ContainerSituation]) -> Set<String> {
        Set(main.filter { situation in probes[situation.name].map { $0.id == situation.id && !$0.isReady } ?? false }.map(\.name))
    }
}
