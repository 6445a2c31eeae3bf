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
                guard claim.metadata.deletionTimestamp == nil, let spot = ClaimSpot(onHost: claim) else { continue }
                do {
                    try await store.finish(spot)
                } catch let error as KubernetesError {
                    // A virtual cluster that does not answer does not hold up the others.
                    logger.info("a hidden disk could not be removed", metadata: ["claim": "\(spot.name)", "error": "\(error)"])
                }
            }
            try await store.names.removeLeft()
        } catch {
            logger.info("what was left of disks could not be removed", metadata: ["error": "\(error)"])
        }
    }
}
