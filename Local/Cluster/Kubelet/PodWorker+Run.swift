import Foundation
import Kubernetes

extension PodWorker {
    /// One step of a pod that is to run.
    func advance() async throws {
        let now = Date()
        let (initial, main) = (situations(isInit: true, now: now), situations(isInit: false, now: now))
        for situation in initial + main { backOff.restore(situation.name, tries: situation.restartCount, now: now) }
        let plan = PodPlan(pod, initial: initial, main: main, backOff: backOff, now: now)
        note(plan.backOffs, now: now)
        if plan.isOver { return }
        try folder.make()
        // Images come while the network is set up.
        for start in plan.starts { fetchImage(start, now: now) }
        guard try await prepareVolumes() else { return }
        if !plan.starts.isEmpty || holder != nil {
            guard try await ensureHolder() else { return }
        }
        for start in plan.starts {
            guard case .ready(let id, let user)? = pulls[start.container], let container = template(start.container) else { continue }
            imageIDs[start.container] = id
            await run(container, start, user: user)
        }
        watchProbes()
    }

    private func note(_ waits: [String: (until: Date, seconds: Double)], now: Date) {
        for (name, wait) in waits {
            let who = "\(pod.name)_\(pod.namespace)(\(uid))"
            refusals[name] = ContainerRefusal(
                reason: "CrashLoopBackOff",
                message: "back-off \(BackOff.text(wait.seconds)) restarting failed container=\(name) pod=\(who)")
            if toldBackOffs.insert(name).inserted {
                context.recorder.record(
                    pod.object, type: "Warning", "BackOff", "Back-off restarting failed container", field: fieldPath(name))
            }
            wake(at: wait.until)
        }
        if waits.isEmpty { toldBackOffs = [] }
    }

    func fieldPath(_ name: String) -> String {
        pod.initContainers.contains { $0.name == name } ? "spec.initContainers{\(name)}" : "spec.containers{\(name)}"
    }

    // MARK: Images

    private func fetchImage(_ start: PodPlan.Start, now: Date) {
        guard let container = template(start.container) else { return }
        switch pulls[start.container] {
        case .running?, .ready?: return
        case .failed(let refusal, let until)? where until > now:
            // After its own error a failed pull shows that it is being waited.
            if refusal.reason == "ErrImagePull", now.timeIntervalSince(pullFailures[start.container] ?? now) >= 1 {
                let waits = ContainerRefusal(reason: "ImagePullBackOff", message: "Back-off pulling image \"\(container.image)\"")
                if refusals[start.container]?.reason != waits.reason {
                    context.recorder.record(pod.object, "BackOff", waits.message, field: fieldPath(container.name))
                    context.recorder.record(
                        pod.object, type: "Warning", "Failed", "Error: ImagePullBackOff", field: fieldPath(container.name))
                }
                refusals[start.container] = waits
            }
            wake(at: until)
            return
        case .failed?, nil: break
        }
        pulls[start.container] = .running
        let (pod, field) = (pod, fieldPath(container.name))
        nursery.start { [images] in
            do throws(ContainerRefusal) {
                let image = try await images.ensure(container, of: pod, field: field)
                await self.pulled(container.name, .success(image))
            } catch {
                await self.pulled(container.name, .failure(error))
            }
        }
    }

    private func pulled(_ name: String, _ result: Result<(id: String, user: String), ContainerRefusal>) {
        let now = Date()
        switch result {
        case .success(let image):
            pulls[name] = .ready(id: image.id, user: image.user)
            if let reason = refusals[name]?.reason, Self.imageReasons.contains(reason) { refusals[name] = nil }
        case .failure(let refusal):
            refusals[name] = refusal
            pullFailures[name] = now
            pullBackOff.next(name, now: now)
            pulls[name] = .failed(refusal, until: now.addingTimeInterval(pullBackOff.wait(name)))
            if refusal.reason == "ErrImagePull" { wake(at: now.addingTimeInterval(1.5)) }
        }
        wake()
    }

    private static let imageReasons: Set = [
        "ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "ImageInspectError",
    ]

    // MARK: Volumes and network

    private func volumeBuilder() -> PodVolumeBuilder {
        PodVolumeBuilder(
            pod: pod, folder: folder, facts: context.facts(pod, podIP: podIP),
            lookUp: { [store = context.store] in try await store.get($0) })
    }

    /// - Returns: false while a volume is waited for.
    private func prepareVolumes() async throws -> Bool {
        do {
            if places == nil {
                places = try await volumeBuilder().build()
            } else if volumesAreStale {
                try await volumeBuilder().refresh()
            }
            volumesAreStale = false
            return true
        } catch let failure as VolumeFailure {
            context.recorder.record(pod.object, type: "Warning", "FailedMount", failure.description)
            if places == nil { wake(at: Date().addingTimeInterval(10)) }
            volumesAreStale = false
            return places != nil
        }
    }

    /// The network of the pod stands.
    /// - Returns: false when what hung on the old one must end first.
    private func ensureHolder() async throws -> Bool {
        if let holder, holder.state == .running, pod.usesHostNetwork || holder.addresses[context.network] != nil { return true }
        if !runningContainers.isEmpty {
            context.recorder.record(pod.object, "SandboxChanged", "Pod sandbox changed, it will be killed and re-created.")
            for (_, attempt) in runningContainers { try await context.podman.signal(attempt.id, "SIGKILL") }
            return false
        }
        let names = PodNameFiles(pod: pod, podIP: "")
        try names.write(to: folder)
        let specification = ContainerSpecification(pod: pod, cluster: context.layout.fingerprint)
        let attempt = holderCount
        do {
            let id = try await context.podman.createContainer(
                specification.holder(attempt: attempt, root: context.layout.pause, network: context.network, mounts: []))
            holderCount += 1
            try await context.podman.startContainer(id)
            holder = try await context.podman.inspectContainer(id)
        } catch {
            if error.isConflict { holderCount += 1 }
            context.recorder.record(
                pod.object, type: "Warning", "FailedCreatePodSandBox", "Failed to create pod sandbox: \(error)")
            throw error
        }
        try writeNames()
        return true
    }

    /// Services have come or gone.
    func writeNames() throws {
        guard holder?.state == .running else { return }
        try PodNameFiles(pod: pod, podIP: podIP, services: context.names.hosts(in: pod.namespace)).write(to: folder)
    }

    /// Gives the network back. The dead container stays as long as others are made on it.
    func releaseHolder() async throws {
        guard let holder, holder.state == .running else { return }
        try await context.podman.signal(holder.id, "SIGKILL")
        self.holder = nil
    }
}
