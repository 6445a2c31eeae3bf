import Foundation
import Kubernetes
import Logging
import PlatformModel

/// Disks as Kubernetes has them. Every step may be repeated, and what is removed is exactly what was found.
struct DiskStore: Sendable {
    private let homes: ProjectHomes
    /// nil leaves it to the cluster.
    let storageClass: String?
    let names: DiskNames
    let logger: Logger

    static let marked = Selector([DiskKeys.mark.old: DiskKeys.yes])
    private static let visible = Selector("\(marked),!\(DiskKeys.deleted.old)")

    private static let copied = Selector("\(visible),vcluster.loft.sh/managed-by")

    /// The cluster that projects' virtual clusters are in.
    var client: KubernetesClient { homes.host }

    init(homes: ProjectHomes, storageClass: String?, logger: Logger) {
        self.homes = homes
        self.storageClass = storageClass
        self.logger = logger
        names = DiskNames(homes: homes, logger: logger)
    }
}

// MARK: - Looking

extension DiskStore {
    func list(in place: DiskPlace) async throws -> [Disk] {
        do {
            return try await homes.with(place.namespace) { home in
                let claims = try await home.client.list(.persistentVolumeClaims, in: home.namespace, labels: Self.visible)
                return claims.items.compactMap { Disk($0, in: place, isVirtual: home.isVirtual) }
            }
        } catch let error as KubernetesError where error.isNotFound {
            return []
        }
    }

    /// Of all projects of an org.
    func list(of org: OrgName) async throws -> [Disk] {
        let selector = Selector("\(Self.visible),\(DiskKeys.org.old)=\(org)")
        return try await client.list(.persistentVolumeClaims, labels: selector).items.compactMap { Disk($0) }
    }

    /// By id, else by name.
    func find(_ reference: DiskReference, in place: DiskPlace) async throws -> Disk? {
        try await homes.with(place.namespace) { home in
            if let disk = try await read(reference, in: place, at: home) { return disk }
            guard let name = try? DiskName(reference.text), let id = try await names.holder(of: name, in: place) else { return nil }
            return try await read(id, in: place, at: home)
        }
    }

    /// Whether the claims of a place are not on the host.
    func isInVirtualCluster(_ place: DiskPlace) async throws -> Bool { try await homes.with(place.namespace) { $0.isVirtual } }

    /// By id, wherever it is.
    func findAnywhere(_ id: DiskReference) async throws -> Disk? {
        let claims = try await client.list(.persistentVolumeClaims, labels: Self.visible, fields: ["metadata.name": id.text])
        if let disk = claims.items.compactMap({ Disk($0) }).first(where: { $0.id == id }) { return disk }
        // What virtual clusters have is called otherwise on the host.
        return try await client.list(.persistentVolumeClaims, labels: Self.copied).items.lazy.compactMap { Disk($0) }.first { $0.id == id }
    }

    private func read(_ id: DiskReference, in place: DiskPlace, at home: ProjectHomes.Home) async throws -> Disk? {
        try await home.client.find(.persistentVolumeClaims, id.text, in: home.namespace).flatMap {
            Disk($0, in: place, isVirtual: home.isVirtual)
        }
    }

    /// As it is now on the host, if it is still the same one.
    func again(_ disk: Disk) async throws -> Disk? {
        guard let claim = try await client.find(.persistentVolumeClaims, disk.claim.name, in: disk.namespace) else { return nil }
        return Disk(claim).flatMap { $0.uid == disk.uid ? $0 : nil }
    }
}

// MARK: - Making

extension DiskStore {
    /// - Parameter owner: the label's value.
    /// - Throws: `DiskRefusal`.
    func create(_ request: DiskRequest, owner: String, at time: UTCTime) async throws -> Disk {
        let id = DiskReference.random()
        let place = request.place
        if let name = request.name { try await names.take(name, for: id, in: place) }
        do {
            let claim = claim(id, request, owner: owner, at: time)
            return try await homes.with(place.namespace) { home in
                guard let disk = Disk(try await stand(claim, at: home), in: place, isVirtual: home.isVirtual) else {
                    throw DiskRefusal.vanished
                }
                return disk
            }
        } catch {
            logger.warning("a disk could not be made", metadata: ["disk": "\(id)", "error": "\(error)"])
            // Its name is free again; where even this fails, the name is taken back later by whoever wants it.
            if let name = request.name { try? await names.free(DiskNaming.objectName(name, place), of: id, in: place.namespace) }
            throw Self.refusal(error)
        }
    }

    /// Creates the claim, or finds out that an answer that was lost had said so.
    private func stand(_ claim: PersistentVolumeClaim, at home: ProjectHomes.Home) async throws -> PersistentVolumeClaim {
        do {
            return try await home.client.create(.persistentVolumeClaims, claim, in: home.namespace)
        } catch KubernetesError.unavailable(let reason, mayHaveRun: true) {
            guard let made = try await home.client.find(.persistentVolumeClaims, claim.metadata.name ?? "", in: home.namespace) else {
                throw KubernetesError.unavailable(reason: reason, mayHaveRun: false)
            }
            return made
        }
    }

    private func claim(_ id: DiskReference, _ request: DiskRequest, owner: String, at time: UTCTime) -> PersistentVolumeClaim {
        var metadata = ObjectMeta(name: id.text)
        DiskKeys.mark.write(DiskKeys.yes, to: &metadata.labels)
        DiskKeys.user.write(owner, to: &metadata.labels)
        DiskKeys.org.write(request.place.org.text, to: &metadata.labels)
        DiskKeys.project.write(request.place.project.text, to: &metadata.labels)
        DiskKeys.created.write(UnixStamp.text(time), to: &metadata.annotations)
        if let span = request.lifeSpan { DiskKeys.lifeSpan.write(span.annotation, to: &metadata.annotations) }
        if let name = request.name { DiskKeys.name.write(name.text, to: &metadata.annotations) }
        var spec = ClaimSpec(accessModes: ["ReadWriteOnce"], storageClassName: storageClass, storage: Quantity("\(request.storage)"))
        spec.volumeMode = "Filesystem"
        return PersistentVolumeClaim(metadata: metadata, spec: spec)
    }

    private static func refusal(_ error: any Error) -> any Error {
        guard let error = error as? KubernetesError, !error.isTransient else { return error }
        switch error.code {
        case 403 where error.status?.message?.contains("being terminated") == true, 404:
            return DiskRefusal.placeUnusable("The project is being removed.")
        default: return DiskRefusal.refusedByCluster
        }
    }
}

// MARK: - Changing

extension DiskStore {
    /// Hides the disk at once; Kubernetes removes it when no pod has it any more.
    /// - Parameter unchanged: only if nothing of it has changed since it was read.
    /// - Throws: `DiskRefusal.vanished`; `placeUnusable` for one that is on its way from the namespace of old disks.
    func remove(_ disk: Disk, unchanged: Bool = false) async throws {
        guard !disk.isMoving else { throw DiskRefusal.placeUnusable("The disk is being moved to its project; try again in a moment.") }
        var meta: [String: JSONValue] = ["labels": Self.both(DiskKeys.deleted, DiskKeys.yes)]
        if unchanged { meta["resourceVersion"] = .string(disk.version) }
        if !unchanged, let name = disk.name { try await names.free(DiskNaming.objectName(name, of: disk), of: disk.id, in: disk.namespace) }
        try await change(disk, meta)
        if unchanged, let name = disk.name { try await names.free(DiskNaming.objectName(name, of: disk), of: disk.id, in: disk.namespace) }
        try await finish(disk.claim)
    }

    /// All disks of a project, one by one; no namespace is made for it.
    /// - Throws: when one could not be removed; the others are, and this may be repeated.
    func removeAll(in place: DiskPlace) async throws {
        var failure: (any Error)?
        for disk in try await list(in: place) {
            do {
                try await remove(disk)
            } catch DiskRefusal.vanished {
                // Somebody else removed it.
            } catch {
                try Task.checkCancellation()
                logger.warning("a disk of a removed project could not be removed", metadata: ["disk": "\(disk.id)", "error": "\(error)"])
                failure = error
            }
        }
        if let failure { throw failure }
    }

    /// The last step of a removal. What a virtual cluster has is removed there, and its copy on the host goes after it; a copy that was left
    /// by a virtual cluster that has gone is removed itself.
    func finish(_ claim: ClaimSpot) async throws {
        guard claim.isVirtual || claim.original != nil else { return try await delete(claim.name, uid: claim.uid, client, claim.namespace) }
        try await homes.with(claim.namespace) { home in
            guard home.isVirtual else {
                if !claim.isVirtual { try await delete(claim.name, uid: claim.uid, client, claim.namespace) }
                return
            }
            guard let original = claim.original else { return try await delete(claim.name, uid: claim.uid, home.client, home.namespace) }
            guard let found = try await home.client.find(.persistentVolumeClaims, original.name, in: home.namespace),
                found.metadata.labels[DiskKeys.mark.old] == DiskKeys.yes, let uid = found.metadata.uid, uid == original.uid ?? uid
            else { return }
            try await delete(original.name, uid: uid, home.client, home.namespace)
        }
    }

    private func delete(_ claim: String, uid: String, _ client: KubernetesClient, _ namespace: String) async throws {
        do {
            try await client.delete(.persistentVolumeClaims, claim, in: namespace, DeleteOptions(uid: uid))
        } catch let error as KubernetesError where error.isNotFound || error.isConflict {
            // It has gone, whoever took it.
        }
    }

    func setLastUsage(_ disk: Disk, _ time: UTCTime) async throws {
        try await change(disk, ["annotations": Self.both(DiskKeys.lastUsage, UnixStamp.text(time))])
    }

    func setUsedBytes(_ disk: Disk, _ bytes: Int64) async throws {
        try await change(disk, ["annotations": Self.both(DiskKeys.usedBytes, "\(bytes)")])
    }

    /// Changes this very claim and no other of its name.
    private func change(_ disk: Disk, _ metadata: [String: JSONValue]) async throws {
        let metadata = metadata.merging(["uid": .string(disk.uid)]) { given, _ in given }
        do {
            let patch = Patch.merge(["metadata": .object(metadata)])
            guard disk.claim.isVirtual else {
                _ = try await client.patch(.persistentVolumeClaims, disk.claim.name, in: disk.namespace, patch)
                return
            }
            try await homes.with(disk.namespace) { home in
                guard home.isVirtual else { throw DiskRefusal.vanished }
                _ = try await home.client.patch(.persistentVolumeClaims, disk.claim.name, in: home.namespace, patch)
            }
        } catch let error as KubernetesError where error.isNotFound || error.isConflict {
            throw DiskRefusal.vanished
        }
    }

    private static func both(_ key: DiskKey, _ value: String) -> JSONValue {
        .object([key.old: .string(value), key.new: .string(value)])
    }
}
