import Foundation
import Kubernetes

extension PodWorker {
    /// Makes and starts a run of a container; what stands in its way is noted as why it waits.
    func run(_ container: ContainerTemplate, _ start: PodPlan.Start, user: String) async {
        let field = fieldPath(container.name)
        func warn(_ message: String) { context.recorder.record(pod.object, type: "Warning", "Failed", message, field: field) }
        let now = Date()
        let id: String
        // A container that has started has its mounts to itself; one that has not begins anew.
        defer { MountTable.unmountAll(below: folder.parts(container.name)) }
        do {
            try checkUser(container, imageUser: user)
            id = try await create(container, start)
        } catch let refusal as ContainerRefusal {
            refuse(container.name, refusal, now: now) { warn("Error: \($0)") }
            return
        } catch let error as EngineError {
            // The image went away between its pull and now: it is fetched again.
            if error.isNotFound { pulls[container.name] = nil }
            refuse(container.name, ContainerRefusal(reason: "CreateContainerError", message: error.message), now: now) {
                warn("Error: \($0)")
            }
            return
        } catch {
            refuse(container.name, .configuration("\(error.localizedDescription)"), now: now) { warn("Error: \($0)") }
            return
        }
        context.recorder.record(pod.object, "Created", "Created container \(container.name)", field: field)
        // The next run looks for its image anew.
        pulls[container.name] = nil
        pullBackOff.forget(container.name)
        if start.attempt > 0 { backOff.next(container.name, now: now) }
        toldBackOffs.remove(container.name)
        do {
            try await context.podman.startContainer(id)
            refusals[container.name] = nil
            context.recorder.record(pod.object, "Started", "Started container \(container.name)", field: field)
        } catch {
            let message = error.message
            warn("Error: failed to start container \"\(container.name)\": \(message)")
            failures[id] = RunEnd(exitCode: 128, reason: "StartError", message: message, finishedAt: Date(), id: id)
            refusals[container.name] = ContainerRefusal(reason: "RunContainerError", message: message)
            wake()
        }
        if let inspection = try? await context.podman.inspectContainer(id) {
            // It may have ended already.
            let attempt = read(inspection, name: container.name, number: start.attempt)
            attempts[container.name] = [attempt] + (attempts[container.name] ?? []).filter { $0.number < start.attempt }
            if inspection.state == .exited { wake() }
        }
        await forgetOldRuns(container.name, newest: start.attempt)
    }

    private func refuse(_ name: String, _ refusal: ContainerRefusal, now: Date, _ tell: (String) -> Void) {
        if refusals[name] != refusal { tell(refusal.message) }
        refusals[name] = refusal
        wake(at: now.addingTimeInterval(10))
    }

    private func create(_ container: ContainerTemplate, _ start: PodPlan.Start) async throws -> String {
        let secrets = try await objects(.secrets)
        let maps = try await objects(.configMaps)
        let environment = try EnvironmentBuilder(facts: context.facts(pod, podIP: podIP), secrets: secrets, configMaps: maps)
            .variables(of: container)
        try folder.prepare(container.name, attempt: start.attempt)
        let mounts = try ContainerMounts(pod: pod, places: places ?? [:], folder: folder)
            .mounts(container, attempt: start.attempt, environment: environment)
        guard let holder else { throw EngineError("the pod has no network yet") }
        let specification = ContainerSpecification(pod: pod, cluster: context.layout.fingerprint).container(
            .init(
                container: container, attempt: start.attempt, holder: holder.id, environment: environment, mounts: mounts,
                log: folder.log(container.name, start.attempt), machineMemory: context.machine.memory,
                limitsSwap: context.machine.accountsForSwap))
        return try await make(
            specification, name: ContainerSpecification.name(uid: uid, container: container.name, attempt: start.attempt))
    }

    private func make(_ specification: JSONValue, name: String) async throws(EngineError) -> String {
        let refusal: EngineError
        do throws(EngineError) {
            return try await context.podman.createContainer(specification)
        } catch {
            refusal = error
        }
        guard refusal.isConflict || refusal.message.contains("already in use") else { throw refusal }
        // Made by a kubelet that ended before it could start it.
        try await context.podman.removeContainer(name)
        return try await context.podman.createContainer(specification)
    }

    private func objects(_ kind: ResourceKind) async throws -> [String: Object] {
        var found: [String: Object] = [:]
        for name in pod.references(to: kind) {
            found[name] = try await context.store.get(ObjectKey(kind, namespace: pod.namespace, name: name))
        }
        return found
    }

    private func checkUser(_ container: ContainerTemplate, imageUser: String) throws(ContainerRefusal) {
        let (own, shared) = (container.securityContext, pod.securityContext)
        guard (own["runAsNonRoot"] ?? shared["runAsNonRoot"])?.bool == true else { return }
        let who = "(pod: \"\(pod.name)_\(pod.namespace)(\(uid))\", container: \(container.name))"
        if let user = (own["runAsUser"] ?? shared["runAsUser"])?.integer {
            if user == 0 { throw .configuration("container's runAsUser breaks non-root policy \(who)") }
            return
        }
        let name = imageUser.split(separator: ":").first.map(String.init) ?? ""
        guard !name.isEmpty, name != "0", name != "root" else {
            throw .configuration("container has runAsNonRoot and image will run as root \(who)")
        }
        guard Int(name) != nil else {
            throw .configuration(
                "container has runAsNonRoot and image has non-numeric user (\(name)), cannot verify user is non-root \(who)")
        }
    }

    /// The last two runs can be read; those before are removed.
    private func forgetOldRuns(_ name: String, newest: Int) async {
        for attempt in attempts[name] ?? [] where attempt.number < newest - 1 {
            try? await context.podman.removeContainer(attempt.id)
        }
    }
}
