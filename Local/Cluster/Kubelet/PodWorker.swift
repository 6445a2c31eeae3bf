import Foundation
import Logging

/// Brings one pod to what its object wants and writes what became of it.
///
/// It looks at podman and acts when woken (the object changed, a container began or ended, a time has come), one look at a time.
actor PodWorker {
    /// How an image stands for the next run of a container.
    enum Pull: Sendable {
        case running
        case ready(id: String, user: String)
        case failed(ContainerRefusal, until: Date)
    }
    /// The pod is being ended.
    struct Stopping: Sendable {
        var deadline: Date
        var asked: Set<String> = []
        var killed: Set<String> = []
    }
    enum Ending: Sendable {
        /// The whole cluster stops: containers end within this many seconds and stay recorded.
        case shutdown(seconds: Double)
        /// The object is gone.
        case removed
    }

    nonisolated let uid: String
    let context: KubeletContext
    let images: ImagePuller
    let logger: Logger
    let folder: PodFolder
    let nursery = Nursery()
    private nonisolated let wakeups: AsyncStream<Void>
    private nonisolated let waker: AsyncStream<Void>.Continuation

    var pod: PodTemplate
    var ending: Ending?
    /// The containers of each run as they were last seen, by container.
    var attempts: [String: [ContainerAttempt]] = [:]
    var holder: ContainerInspection?
    var holderCount = 0
    /// Ended runs do not change: what podman said of them.
    var endedRuns: [String: ContainerAttempt] = [:]
    /// Runs that could not be started.
    var failures: [String: RunEnd] = [:]
    /// Why containers wait.
    var refusals: [String: ContainerRefusal] = [:]
    var pulls: [String: Pull] = [:]
    var pullBackOff = BackOff()
    var pullFailures: [String: Date] = [:]
    var imageIDs: [String: String] = [:]
    var backOff = BackOff()
    var toldBackOffs: Set<String> = []
    var places: [String: PodVolumeBuilder.Place]?
    var volumesAreStale = false
    var stopping: Stopping?
    var verdict: (reason: String, message: String)?
    /// What the probes say.
    var probes: [String: ProbeRecord] = [:]
    private var timer: Date?
    private var isOver = false
    private var failuresInRow = 0
    /// Who wants the containers to be lost.
    private var losses: [CheckedContinuation<Void, any Error>] = []

    init(_ object: Object, context: KubeletContext, images: ImagePuller) {
        uid = object.uid
        pod = PodTemplate(object)
        self.context = context
        self.images = images
        folder = context.folder(object.uid)
        var logger = context.logger
        logger[metadataKey: "pod"] = "\(object.namespace ?? "")/\(object.name)"
        self.logger = logger
        (wakeups, waker) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
        waker.yield()
    }

    nonisolated func wake() { waker.yield() }

    /// The object as it is now.
    func update(_ object: Object) {
        if adopt(object) { wake() }
    }

    func end(_ ending: Ending) {
        if case .removed? = self.ending { return }
        self.ending = ending
        wake()
    }

    /// A Secret or ConfigMap that the pod reads has changed.
    func refreshVolumes() {
        volumesAreStale = true
        wake()
    }

    /// Services have come or gone.
    func refreshNames() {
        do {
            try writeNames()
        } catch {
            logger.warning("the names of Services could not be written", metadata: ["error": "\(error)"])
        }
    }

    /// Has podman lose the containers between two looks, so that nobody sees them end.
    func loseContainers() async throws {
        if isOver { return }
        try await withCheckedThrowingContinuation { loss in
            losses.append(loss)
            wake()
        }
    }

    private func carryOutLosses() async {
        guard !losses.isEmpty else { return }
        let waiting = losses
        losses = []
        do {
            try await context.podman.removeContainers(context.podman.containers(labelled: ["\(Label.uid)=\(uid)"]))
            for loss in waiting { loss.resume() }
        } catch {
            for loss in waiting { loss.resume(throwing: error) }
        }
    }

    /// - Returns: false for news that are older than what is known.
    @discardableResult
    func adopt(_ object: Object) -> Bool {
        let version = { (object: Object) in UInt64(object.resourceVersion ?? "") ?? 0 }
        guard version(object) > version(pod.object) else { return false }
        pod = PodTemplate(object)
        return true
    }

    /// Until the pod is gone, or the task is cancelled: then its containers go on.
    func run() async {
        await withDiscardingTaskGroup { group in
            group.addTask { await self.nursery.run() }
            for await _ in wakeups {
                if Task.isCancelled { break }
                await carryOutLosses()
                await look()
                if isOver { break }
            }
            isOver = true
            for loss in losses { loss.resume() }
            losses = []
            nursery.close()
            group.cancelAll()
        }
    }

    private func look() async {
        do {
            try await step()
            failuresInRow = 0
        } catch is CancellationError {
            return
        } catch {
            if Task.isCancelled { return }
            failuresInRow += 1
            let pause = min(pow(2, Double(failuresInRow)) / 2, 60)
            logger.warning("the pod could not be brought on", metadata: ["error": "\(error)", "again": "\(pause) s"])
            wake(at: Date().addingTimeInterval(pause))
        }
    }

    private func step() async throws {
        try await observe()
        if case .removed? = ending {
            try await demolish()
            isOver = true
            return
        }
        if verdict == nil, !pod.isFinished, let limit = pod.activeDeadline, let start = pod.startTime {
            let deadline = start.addingTimeInterval(Double(limit))
            if deadline <= Date() {
                verdict = ("DeadlineExceeded", "Pod was active on the node longer than the specified deadline")
                context.recorder.record(pod.object, "DeadlineExceeded", verdict?.message ?? "")
            } else {
                wake(at: deadline)
            }
        }
        var mustStop = verdict != nil || pod.object.deletionTimestamp != nil || pod.isFinished
        if case .shutdown? = ending { mustStop = true }
        if mustStop {
            guard try await stop() else {
                try await publish()
                return
            }
            try await releaseHolder()
            try await publish()
            if pod.object.deletionTimestamp != nil {
                try await demolish()
                try await context.store.remove(pod.key, uid: uid)
                isOver = true
            } else if case .shutdown? = ending {
                isOver = true
            }
            return
        }
        try await advance()
        try await publish()
        // What has just ended for good gives its network back.
        if pod.isFinished { try await releaseHolder() }
    }

    /// Wakes at a time. Of several the first counts: the look then says when the next is due.
    func wake(at time: Date) {
        if let timer, timer <= time, timer > Date() { return }
        timer = time
        nursery.start { [waker] in
            do { try await Task.sleep(for: .seconds(max(time.timeIntervalSinceNow, 0.001))) } catch { return }
            waker.yield()
        }
    }
}
