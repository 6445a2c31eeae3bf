import Foundation
import Kubernetes
import Logging
import PlatformModel
import Postgres
import Synchronization

/// Looks after the jobs of one cluster: waits to lead it, then follows its pods, the events about them and the job records, and looks at
/// every job of which something was heard; at all of them now and then.
struct ClusterController: Sendable {
    /// How many jobs are in hand at once.
    static let width = 16

    let name: String
    let document: Mutexed<ClusterDocument>
    let store: JobStore
    let effects: JobEffects
    let settings: ControllerSettings
    let gate: QuotaGate
    let keeper: LeaseKeeper
    let logger: Logger

    /// Runs until cancelled.
    func run() async {
        await keeper.run { leadership in
            guard let kubeconfig = document.value.kubernetes?.kubeconfig else { return }
            let client = try KubernetesClient(try .kubeconfig(text: kubeconfig), logger: logger)
            let outcome: Result<Void, any Error>
            do {
                outcome = .success(try await lead(leadership, client))
            } catch {
                outcome = .failure(error)
            }
            try? await client.shutdown()
            try outcome.get()
        }
    }

    private func lead(_ leadership: Leadership, _ client: KubernetesClient) async throws {
        let (queue, book) = (JobQueue(), PodBook())
        let objects = JobObjects(client: client, settings: settings, mayAct: { try leadership.check() }, logger: logger)
        let reconciler = JobReconciler(
            store: store, effects: effects, objects: objects, book: book, leadership: leadership, cluster: { document.value },
            settings: settings, gate: gate, logger: logger)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                for await event in client.watch(.pods, labels: Selector(JobLabels.job)) { queue.add(book.take(event)) }
            }
            group.addTask { await followEvents(client, book, queue) }
            group.addTask { await listen(queue) }
            group.addTask { await resync(book, queue) }
            group.addTask { await queue.runClock() }
            group.addTask { try await work(queue, book, reconciler) }
            defer { group.cancelAll() }
            // Each of them runs until cancelled: the first to end ends all.
            try await group.next()
        }
    }

    private func followEvents(_ client: KubernetesClient, _ book: PodBook, _ queue: JobQueue) async {
        for await event in client.watch(.events, fields: "involvedObject.kind=Pod") {
            switch event {
            case .listed(let events): queue.add(events.compactMap { book.take($0) })
            case .added(let event), .modified(let event): if let job = book.take(event) { queue.add(job) }
            case .deleted: break
            }
        }
    }

    /// Wakes for every stored change of a job of this cluster; after an interruption everything is looked at.
    private func listen(_ queue: JobQueue) async {
        while !Task.isCancelled {
            do {
                let connection = try await PostgresConnection.connect(keeper.configuration, logger: logger)
                let changes = try await connection.notifications(on: [JobStore.changesChannel])
                try await enqueueAll(queue)
                for try await change in changes {
                    guard let notice = try? JSONDecoder().decode(JobChangeNotice.self, from: Data(change.payload.utf8)) else { continue }
                    if notice.cluster == name { queue.add(notice.id) }
                }
                await connection.close()
            } catch {
                try? await Task.sleep(for: .milliseconds(500))
            }
        }
    }

    private func resync(_ book: PodBook, _ queue: JobQueue) async {
        while !Task.isCancelled {
            try? await Task.sleep(for: settings.resyncInterval)
            queue.add(book.jobs)
            do {
                try await enqueueAll(queue)
            } catch {
                logger.debug("The jobs could not be read", metadata: ["error": "\(error)"])
            }
        }
    }

    private func enqueueAll(_ queue: JobQueue) async throws { queue.add(try await store.inWork(cluster: name).map(\.id)) }

    private func work(_ queue: JobQueue, _ book: PodBook, _ reconciler: JobReconciler) async throws {
        try await withThrowingDiscardingTaskGroup { group in
            for await _ in queue.wakes {
                // Nothing is concluded from absence before the pods were listed once.
                guard book.isComplete else { continue }
                while let job = queue.next(limit: Self.width) {
                    group.addTask { try await look(at: job, queue, reconciler) }
                }
            }
        }
    }

    private func look(at job: JobID, _ queue: JobQueue, _ reconciler: JobReconciler) async throws {
        do {
            let again = try await reconciler.reconcile(job)
            queue.done(job)
            if let again { queue.add(job, after: again) }
        } catch let error as LeaseKeeper.Lost {
            throw error
        } catch JobStoreError.leaseLost {
            throw LeaseKeeper.Lost()
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            let pause = queue.failed(job)
            // A record that changed under our hands is nothing to speak of: the change is looked at next.
            let level: Logger.Level = error is JobRuleViolation ? .debug : .warning
            logger.log(
                level: level, "A job is looked at again later", metadata: ["job": "\(job)", "in": "\(pause)", "error": "\(error)"])
        }
    }
}

/// A value that several tasks see.
final class Mutexed<Value: Sendable>: Sendable {
    private let storage: Mutex<Value>
    init(_ value: Value) { storage = Mutex(value) }
    var value: Value { storage.withLock { $0 } }
    func set(_ value: Value) { storage.withLock { $0 = value } }
}
