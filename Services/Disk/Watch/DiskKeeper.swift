import Kubernetes
import Logging
import PlatformModel
import ServiceKit
import ServiceLifecycle
import Synchronization

/// Follows claims and pods: records when disks were used and how full they are, and removes those that were unused for too long.
///
/// Every process of the service does all of it; what one has recorded the others see and leave, and a removal names the very claim.
final class DiskKeeper: Service {
    struct Pace: Sendable {
        /// How often the disks of pods that just run are said to be used.
        var usage = Duration.seconds(60)
        /// How often nodes are asked how full disks are.
        var measuring = Duration.seconds(60)
        /// How often what was left halfway is looked for.
        var sweeping = Duration.seconds(600)
        /// Between two rounds of recording.
        var recording = Duration.seconds(1)
        /// After a failure.
        var retry = Duration.seconds(10)
    }

    private let store: DiskStore
    private let pace: Pace
    private let logger: Logger
    private let book = Mutex(UsageBook())
    private let used = Bell()
    private let changed = Bell()

    init(store: DiskStore, pace: Pace, logger: Logger) {
        self.store = store
        self.pace = pace
        self.logger = logger
    }

    func run() async throws {
        await cancelWhenGracefulShutdown { [self] in
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await self.define() }
                group.addTask { await self.followClaims() }
                group.addTask { await self.followPods() }
                group.addTask { await self.record() }
                group.addTask { await self.expire() }
                group.addTask { await self.every(self.pace.usage) { self.refresh() } }
                let meter = DiskMeter(client: store.client, logger: logger)
                group.addTask { await self.every(self.pace.measuring) { await self.measure(meter) } }
                let sweeper = LeftoverSweeper(store: store, logger: logger)
                group.addTask { await self.every(self.pace.sweeping) { await sweeper.sweep() } }
            }
        }
    }

    // MARK: Following

    private func followClaims() async {
        for await event in store.client.watch(.persistentVolumeClaims, labels: DiskStore.marked) {
            let hasDue = book.withLock { book in
                book.apply(event)
                return book.hasDue
            }
            changed.ring()
            if hasDue { used.ring() }
        }
    }

    private func followPods() async {
        for await event in store.client.watch(.pods) {
            let hasDue = book.withLock { book in
                book.apply(event, at: .now)
                return book.hasDue
            }
            if hasDue { used.ring() }
            changed.ring()
        }
    }

    /// The charts define the kind; elsewhere it is done here, and by whoever first names a disk.
    private func define() async {
        var pause = Duration.seconds(1)
        while !Task.isCancelled {
            do {
                return try await store.names.define()
            } catch {
                guard (error as? KubernetesError)?.isTransient == true else {
                    return logger.warning("the names of disks are not defined in the cluster", metadata: ["error": "\(error)"])
                }
            }
            try? await Task.sleep(for: pause)
            pause = min(pause * 2, .seconds(30))
        }
    }

    private func every(_ interval: Duration, _ body: @Sendable () async -> Void) async {
        while !Task.isCancelled {
            // Not all processes at once.
            try? await Task.sleep(for: interval * Double.random(in: 0.8...1.2))
            if !Task.isCancelled { await body() }
        }
    }

    // MARK: Recording

    private func refresh() {
        let now = UTCTime.now
        let interval = Double(pace.usage.components.seconds)
        book.withLock { $0.refresh(at: now, unlessSince: now.adding(seconds: -interval / 2)) }
        used.ring()
    }

    private func record() async {
        for await _ in used.rings {
            let uses = book.withLock { $0.takeDue(at: .now) }
            var failed = false
            for use in uses {
                do {
                    try await store.setLastUsage(use.disk, use.time)
                } catch is DiskRefusal {
                    // It has gone.
                } catch {
                    failed = true
                    book.withLock { $0.giveBack(use) }
                    logger.info("a use of a disk is not recorded yet", metadata: ["disk": "\(use.disk.id)", "error": "\(error)"])
                }
            }
            try? await Task.sleep(for: failed ? pace.retry : pace.recording)
            if failed { used.ring() }
        }
    }

    private func measure(_ meter: DiskMeter) async {
        let disks = book.withLock(\.disks)
        guard !disks.isEmpty else { return }
        for (place, bytes) in await meter.measure() {
            guard let disk = disks[place], disk.usedBytes != bytes else { continue }
            do {
                try await store.setUsedBytes(disk, bytes)
            } catch {
                logger.info("how full a disk is could not be recorded", metadata: ["disk": "\(disk.id)", "error": "\(error)"])
            }
        }
    }

    // MARK: Life spans

    private func expire() async {
        await withTaskGroup(of: Void.self) { group in
            var alarm: UTCTime?
            for await _ in changed.rings {
                var failed = false
                for disk in book.withLock({ $0.expired(at: .now) }) where await !removeUnused(disk) { failed = true }
                let now = UTCTime.now
                let retry: UTCTime? = failed ? now.adding(seconds: Double(pace.retry.components.seconds)) : nil
                let next = retry ?? book.withLock { $0.nextExpiry(after: now) }
                if let armed = alarm, armed <= now { alarm = nil }
                guard let next, alarm.map({ next < $0 }) ?? true else { continue }
                alarm = next
                group.addTask { [changed] in
                    try? await Task.sleep(for: .seconds(max(0.01, next.seconds(since: now) + 0.01)))
                    changed.ring()
                }
            }
            group.cancelAll()
        }
    }

    /// Looks again before anything is lost: at the disk as it is now, and at the pods that are there now.
    /// - Returns: false when it is to be tried again.
    private func removeUnused(_ disk: Disk) async -> Bool {
        do {
            guard let present = try await store.again(disk), let end = present.expiry, end < UTCTime.now else { return true }
            let pods = try await store.client.list(.pods, in: present.namespace).items
            let place = UsageBook.Place(namespace: present.namespace, claim: present.claim.name)
            guard
                !pods.contains(where: { !["Succeeded", "Failed"].contains($0.status?.phase ?? "") && UsageBook.places($0).contains(place) })
            else { return true }
            try await store.remove(present, unchanged: true)
            logger.info(
                "a disk that was unused for too long was removed", metadata: ["disk": "\(disk.id)", "namespace": "\(disk.namespace)"])
            return true
        } catch is DiskRefusal {
            // It has changed or gone, of which the watch tells.
            return true
        } catch {
            logger.warning("an unused disk could not be removed", metadata: ["disk": "\(disk.id)", "error": "\(error)"])
            return false
        }
    }
}
