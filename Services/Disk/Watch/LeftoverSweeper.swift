import Kubernetes
import Logging

/// Finishes what a process that died had begun: disks that are hidden and not deleted, and names without a disk.
struct LeftoverSweeper: Sendable {
    let store: DiskStore
    let logger: Logger

    func sweep() async {
        do {
            let hidden = Selector("\(DiskStore.marked),\(DiskKeys.deleted.old)=\(DiskKeys.yes)")
            for claim in try await store.client.list(.persistentVolumeClaims, labels: hidden).items {
                guard claim.metadata.deletionTimestamp == nil, let name = claim.metadata.name, let uid = claim.metadata.uid,
                    let namespace = claim.metadata.namespace
                else { continue }
                try await store.finish(name, uid: uid, in: namespace)
            }
            try await store.names.removeLeft()
        } catch {
            logger.info("what was left of disks could not be removed", metadata: ["error": "\(error)"])
        }
    }
}
