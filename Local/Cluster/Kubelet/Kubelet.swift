import AsyncHTTPClient
import Foundation
import Kubernetes
import Logging
import ServiceLifecycle

/// Runs the pods of the cluster's one node by podman: schedules them, keeps a worker for each, and the node's own object.
actor Kubelet: Service {
    nonisolated let context: KubeletContext
    nonisolated let engine: PodmanService
    private let client: HTTPClient
    private let keepsPods: Bool
    private let images: ImagePuller
    private let nursery = Nursery()
    var workers: [String: PodWorker] = [:]
    private var pods: [String: Object] = [:]
    private var node: Object?
    private var scheduler: PodScheduler
    private var isScheduling = false
    private var mustSchedule = false
    private var isStopping = false
    private var isNaming = false
    private var mustName = false
    private(set) var isReady = false

    /// - Parameters:
    ///   - client: podman's, shut down at the end.
    ///   - keepsPods: what happens at a graceful stop: pods go on and are found again, or are ended.
    init(context: KubeletContext, engine: PodmanService, client: HTTPClient, keepsPods: Bool) {
        self.context = context
        self.engine = engine
        self.client = client
        self.keepsPods = keepsPods
        images = ImagePuller(
            podman: context.podman, recorder: context.recorder, lookUp: { [store = context.store] in try await store.get($0) })
        scheduler = PodScheduler(context: context)
    }

    /// Pods can run now.
    var isAnswering: Bool { isReady && engine.isAnswering }

    func run() async throws {
        let failure = await withTaskGroup(of: Void.self) { outer in
            outer.addTask { await self.context.recorder.run() }
            let failure = await self.work()
            // What has been said until now is written.
            self.context.recorder.close()
            await outer.waitForAll()
            return failure
        }
        try await client.shutdown()
        if let failure { throw failure }
    }

    /// - Returns: why the kubelet cannot go on, if it is not asked to stop.
    private func work() async -> (any Error)? {
        do {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await self.engine.run() }
                group.addTask {
                    try await self.begin()
                    try await withThrowingDiscardingTaskGroup { group in
                        group.addTask { await self.nursery.run() }
                        group.addTask { await self.followStore() }
                        group.addTask { await self.followEngine() }
                        group.addTask { await self.keepNode() }
                        group.addTask { await self.keepHouse() }
                    }
                }
                group.addTask { try await gracefulShutdown() }
                // Whichever ends first: an engine or a start that failed, or the word to stop.
                _ = try await group.next()
                isReady = false
                if !keepsPods, !Task.isCancelled { await endAll() }
                group.cancelAll()
                while let result = await group.nextResult() { _ = result }
                // Volumes in memory, and the storage that podman mounts upon itself: nobody needs them, and the folder could not be removed.
                if isStopping { MountTable.unmountAll(below: context.clusterFolder) }
            }
            return nil
        } catch is CancellationError {
            return nil
        } catch {
            return error
        }
    }

    // MARK: Start

    private func begin() async throws {
        try await engine.waitUntilAnswering()
        try await ensureNetwork()
        node = try await NodeKeeper(context: context, isEngineAnswering: { [engine] in engine.isAnswering })
            .report(podmanVersion: try await podmanVersion())
    }

    private func podmanVersion() async throws -> String {
        try await context.podman.call(.GET, "/version")["Version"]?.string ?? "unknown"
    }

    private func ensureNetwork() async throws {
        if try await context.podman.network(context.network) != nil { return }
        let third = PodSubnets.free(preferring: context.layout.fingerprint)
        try await context.podman.createNetwork(
            PodNetwork(
                name: context.network, subnet: "198.18.\(third).0/24", gateway: "198.18.\(third).1",
                interface: "orr" + context.layout.fingerprint.prefix(8)))
    }

    // MARK: Pods

    /// From the store: what is there, then each change.
    private func followStore() async {
        let changes = await context.store.changes()
        do {
            for object in try await context.store.list(.pods).items { take(object) }
            try await removeOrphans()
        } catch {
            context.logger.error("the pods could not be read", metadata: ["error": "\(error)"])
        }
        isReady = true
        name()
        schedule()
        for await change in changes { take(change) }
    }

    private func take(_ change: StoreChange) {
        switch change.key.kind.storage {
        case ResourceKind.pods.storage:
            if let after = change.after { take(after) } else if let before = change.before { forget(before) }
        case ResourceKind.nodes.storage where change.key.name == context.nodeName:
            let needs = change.after.map { $0["spec"] != node?["spec"] || $0.labels != node?.labels } ?? false
            node = change.after ?? node
            if needs { schedule() }
        case ResourceKind.persistentVolumeClaims.storage, ResourceKind.persistentVolumes.storage: schedule()
        case ResourceKind.endpoints.storage: if !isNaming { name() } else { mustName = true }
        case ResourceKind.secrets.storage: refresh(.secrets, change.key)
        case ResourceKind.configMaps.storage: refresh(.configMaps, change.key)
        default: return
        }
    }

    private func take(_ object: Object) {
        let before = pods[object.uid].map(PodTemplate.init)
        pods[object.uid] = object
        let pod = PodTemplate(object)
        guard let name = pod.nodeName else {
            schedule()
            return
        }
        if before?.isFinished == false, pod.isFinished { schedule() }
        guard name == context.nodeName, !isStopping else { return }
        if let worker = workers[pod.uid] {
            nursery.start { await worker.update(object) }
        } else {
            employ(object)
        }
    }

    private func employ(_ object: Object) {
        let worker = PodWorker(object, context: context, images: images)
        workers[object.uid] = worker
        nursery.start {
            await worker.run()
            if !Task.isCancelled { await self.dismiss(worker) }
        }
    }

    private func dismiss(_ worker: PodWorker) {
        if workers[worker.uid] === worker { workers[worker.uid] = nil }
        schedule()
    }

    private func forget(_ object: Object) {
        pods[object.uid] = nil
        if let worker = workers[object.uid] { nursery.start { await worker.end(.removed) } }
        schedule()
    }

    private func refresh(_ kind: ResourceKind, _ key: ObjectKey) {
        for (uid, worker) in workers {
            guard let pod = pods[uid].map(PodTemplate.init), pod.namespace == key.namespace, !pod.isFinished,
                pod.references(to: kind).contains(key.name)
            else { continue }
            nursery.start { await worker.refreshVolumes() }
        }
    }

    // MARK: Names

    private func name() {
        isNaming = true
        nursery.start { await self.nameServices() }
    }

    /// Tells every pod where the Services lead.
    private func nameServices() async {
        repeat {
            mustName = false
            guard let endpoints = try? await context.store.list(.endpoints).items else { break }
            guard context.names.set(ServiceNames.entries(of: endpoints)) else { continue }
            for worker in workers.values { await worker.refreshNames() }
        } while mustName
        isNaming = false
    }

    // MARK: Scheduling

    private func schedule() {
        guard isReady, !isStopping else { return }
        mustSchedule = true
        guard !isScheduling else { return }
        isScheduling = true
        nursery.start { await self.schedulePods() }
    }

    private func schedulePods() async {
        while mustSchedule, let node {
            mustSchedule = false
            var scheduler = scheduler
            for object in await scheduler.pass(pods: Array(pods.values), node: node) {
                // The store's word of it may have come meanwhile, or the pod may be gone again.
                if pods[object.uid] != nil { take(object) }
            }
            self.scheduler = scheduler
        }
        isScheduling = false
    }

    // MARK: Engine

    private func followEngine() async {
        while !Task.isCancelled {
            do {
                try await context.podman.followEvents {
                    await self.wakeAll()
                } _: { event in
                    await self.take(event)
                }
            } catch {
                context.logger.debug("podman's events broke off", metadata: ["error": "\(error)"])
            }
            do { try await Task.sleep(for: .milliseconds(200)) } catch { return }
            try? await engine.waitUntilAnswering()
        }
    }

    private func take(_ event: ContainerEvent) {
        guard event.action != "start", let uid = event.labels[ContainerSpecification.Label.uid] else { return }
        workers[uid]?.wake()
    }

    private func wakeAll() {
        for (uid, worker) in workers where pods[uid].map({ !PodTemplate($0).isFinished }) ?? true { worker.wake() }
    }

    private func keepNode() async {
        let version = (try? await podmanVersion()) ?? "unknown"
        await NodeKeeper(context: context, isEngineAnswering: { [engine] in engine.isAnswering }).run(podmanVersion: version)
    }

    /// What no event tells is found once a minute.
    private func keepHouse() async {
        let keeper = HouseKeeper(context: context)
        while !Task.isCancelled {
            do { try await Task.sleep(for: .seconds(60)) } catch { return }
            wakeAll()
            schedule()
            do {
                try await removeOrphans()
                try await context.recorder.expire()
                try await keeper.removeDeadContainers(of: pods.values.map(PodTemplate.init))
                try await keeper.removeImages()
            } catch {
                context.logger.warning("the house could not be kept", metadata: ["error": "\(error)"])
            }
        }
    }

    /// Containers and folders of pods that are no more.
    private func removeOrphans() async throws {
        let known = { (uid: String) in self.pods[uid] != nil || self.workers[uid] != nil }
        let label = "\(ContainerSpecification.Label.cluster)=\(context.layout.fingerprint)"
        let found = try await context.podman.containers(labelled: [label])
        try await context.podman.removeContainers(
            found.filter { $0.labels[ContainerSpecification.Label.uid].map { !known($0) } ?? false })
        let folder = context.clusterFolder + "/pods"
        for uid in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] where !known(uid) {
            try? MountTable.remove("\(folder)/\(uid)")
        }
    }

    // MARK: Stop and loss

    /// Ends all containers and writes their ends; nothing is begun any more.
    func endAll() async {
        isStopping = true
        for worker in workers.values { await worker.end(.shutdown(seconds: 5)) }
        let end = ContinuousClock.now + .seconds(12)
        while !workers.isEmpty, ContinuousClock.now < end {
            do { try await Task.sleep(for: .milliseconds(50)) } catch { return }
        }
    }
}
