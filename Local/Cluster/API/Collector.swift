import Foundation
import Kubernetes
import Logging
import ServiceLifecycle

/// Deletes what has lost its owners, and what an owner takes along; ends deletions that wait for it. Driven by the changes of the store,
/// with a look at everything at the start and every minute.
struct Collector: Service {
    let objects: ObjectAPI
    let logger: Logger
    var interval = Duration.seconds(60)

    private var store: ObjectStore { objects.store }

    func run() async throws {
        let changes = await store.changes()
        await sweep()
        try? await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                for await change in changes.cancelOnGracefulShutdown() { await follow(change) }
            }
            group.addTask {
                while true {
                    try await cancelWhenGracefulShutdown { try await Task.sleep(for: interval) }
                    await sweep()
                }
            }
            try await group.next()
            group.cancelAll()
        }
    }

    private func follow(_ change: StoreChange) async {
        guard let after = change.after else {
            // An owner is gone.
            guard let before = change.before else { return }
            await collectDependents(of: before.uid)
            await nudgeOwners(of: before)
            return
        }
        if after.deletionTimestamp != nil, change.before?.deletionTimestamp == nil || change.before?.finalizers != after.finalizers {
            await finish(change.key, after)
        }
        if !after.ownerReferences.isEmpty, change.before?.ownerReferences != after.ownerReferences { await check(change.key) }
    }

    /// Looks at everything that has an owner.
    private func sweep() async {
        for owner in await store.owners() {
            if let key = await store.key(uid: owner) {
                if let object = try? await store.get(key), object.deletionTimestamp != nil { await finish(key, object) }
            } else {
                await collectDependents(of: owner)
            }
        }
    }

    private func collectDependents(of uid: String) async {
        for key in await store.dependents(of: uid) { await check(key) }
    }

    /// Deletes an object when all its owners are gone. An owner that is going in the foreground takes along what would hold it.
    private func check(_ key: ObjectKey) async {
        guard let object = try? await store.get(key), object.deletionTimestamp == nil else { return }
        let owners = object.ownerReferences
        guard !owners.isEmpty else { return }
        var isOwned = false
        for owner in owners {
            guard let present = await store.key(uid: owner.uid), let found = try? await store.get(present) else { continue }
            let goesFirst = found.deletionTimestamp != nil && found.finalizers.contains("foregroundDeletion") && owner.blockOwnerDeletion
            if !goesFirst { isOwned = true }
        }
        guard !isOwned else { return }
        logger.info("Deleting what has no owner any more", metadata: ["object": "\(key)"])
        var options = DeletionOptions()
        options.propagation = .background
        options.uid = object.uid
        do {
            _ = try await objects.delete(key, options: options)
        } catch let error as StatusError where error.code == 404 || error.code == 409 {
            return  // Somebody was faster.
        } catch {
            logger.warning("An object without an owner stays for now", metadata: ["object": "\(key)", "error": "\(error)"])
        }
    }

    /// Does what a deletion waits for: dependents go first, or are set free.
    private func finish(_ key: ObjectKey, _ object: Object) async {
        if object.finalizers.contains("orphan") {
            for dependent in await store.dependents(of: object.uid) {
                _ = try? await store.update(dependent) { $0.ownerReferences = $0.ownerReferences.filter { $0.uid != object.uid } }
            }
            await release(key, "orphan")
        }
        guard object.finalizers.contains("foregroundDeletion") else { return }
        var isHeld = false
        for dependent in await store.dependents(of: object.uid) {
            await check(dependent)
            guard let rest = try? await store.get(dependent) else { continue }
            if rest.ownerReferences.contains(where: { $0.uid == object.uid && $0.blockOwnerDeletion }) { isHeld = true }
        }
        if !isHeld { await release(key, "foregroundDeletion") }
    }

    /// An object that goes may be the last that an owner waits for.
    private func nudgeOwners(of object: Object) async {
        for owner in object.ownerReferences {
            guard let key = await store.key(uid: owner.uid), let found = try? await store.get(key), found.deletionTimestamp != nil else {
                continue
            }
            await finish(key, found)
        }
    }

    private func release(_ key: ObjectKey, _ finalizer: String) async {
        _ = try? await store.update(key) { $0.finalizers = $0.finalizers.filter { $0 != finalizer } }
    }
}
