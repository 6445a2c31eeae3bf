import Foundation
import Kubernetes
import Logging
import PlatformModel

/// The names of disks: who has which.
struct DiskNames: Sendable {
    private let homes: ProjectHomes
    private let logger: Logger
    /// So many seconds may pass between a name and its disk while it is made.
    private let patience: Double
    /// They are all on the host.
    private var client: KubernetesClient { homes.host }

    init(homes: ProjectHomes, logger: Logger, patience: Double = 60) {
        self.homes = homes
        self.logger = logger
        self.patience = patience
    }

    func holder(of name: DiskName, in place: DiskPlace) async throws -> DiskReference? {
        let naming = try await client.find(.diskNamings, DiskNaming.objectName(name, place), in: place.namespace)
        return naming.flatMap { DiskReference($0.spec.diskID) }
    }

    /// - Throws: `DiskRefusal.nameUsed`.
    func take(_ name: DiskName, for id: DiskReference, in place: DiskPlace) async throws {
        let naming = DiskNaming(name, of: id, in: place)
        for _ in 0..<3 {
            do {
                try await create(naming, in: place.namespace)
                return
            } catch let error as KubernetesError where error.isAlreadyExists {
                guard try await removeIfLeft(DiskNaming.objectName(name, place), in: place.namespace) else {
                    throw DiskRefusal.nameUsed(name, place)
                }
            }
        }
        throw DiskRefusal.nameUsed(name, place)
    }

    /// Whether a name could be taken: nothing is done.
    func isFree(_ name: DiskName, in place: DiskPlace) async throws -> Bool {
        guard let naming = try await client.find(.diskNamings, DiskNaming.objectName(name, place), in: place.namespace) else { return true }
        return try await isLeft(naming, in: place.namespace)
    }

    /// Frees a name that is this disk's.
    func free(_ objectName: String, of id: DiskReference, in namespace: String) async throws {
        guard let naming = try await client.find(.diskNamings, objectName, in: namespace), naming.spec.diskID == id.text else { return }
        try await delete(naming, in: namespace)
    }

    /// Names whose disks never came or have gone.
    func removeLeft() async throws {
        for naming in try await client.list(.diskNamings).items {
            guard let name = naming.metadata.name, let namespace = naming.metadata.namespace, isOld(naming) else { continue }
            do {
                guard try await removeIfLeft(name, in: namespace) else { continue }
                logger.info("a name without a disk was removed", metadata: ["name": "\(name)", "namespace": "\(namespace)"])
            } catch let error as KubernetesError {
                // A virtual cluster that does not answer does not hold up the others.
                logger.info(
                    "whether a name has a disk is not known",
                    metadata: ["name": "\(name)", "namespace": "\(namespace)", "error": "\(error)"])
            }
        }
    }

    /// Whether the name is free now. A name that was given a moment ago is not: its disk may be on its way.
    private func removeIfLeft(_ objectName: String, in namespace: String) async throws -> Bool {
        guard let naming = try await client.find(.diskNamings, objectName, in: namespace) else { return true }
        guard try await isLeft(naming, in: namespace) else { return false }
        try await delete(naming, in: namespace)
        return true
    }

    private func isLeft(_ naming: DiskNaming, in namespace: String) async throws -> Bool {
        guard isOld(naming) else { return false }
        guard let id = DiskReference(naming.spec.diskID) else { return true }
        return try await !stands(id, in: namespace)
    }

    private func stands(_ id: DiskReference, in namespace: String) async throws -> Bool {
        if try await client.find(.persistentVolumeClaims, id.text, in: namespace) != nil { return true }
        return try await homes.with(namespace) { home in
            guard home.isVirtual else { return false }
            return try await home.client.find(.persistentVolumeClaims, id.text, in: home.namespace) != nil
        }
    }

    private func isOld(_ naming: DiskNaming) -> Bool {
        naming.metadata.creationTimestamp.map { Date().timeIntervalSince($0) > patience } ?? false
    }

    private func delete(_ naming: DiskNaming, in namespace: String) async throws {
        do {
            try await client.delete(.diskNamings, naming.metadata.name ?? "", in: namespace, DeleteOptions(uid: naming.metadata.uid))
        } catch let error as KubernetesError where error.isNotFound || error.isConflict {
            // Somebody else did, or it is another by now.
        }
    }

    /// The kind may not be known to the cluster yet.
    private func create(_ naming: DiskNaming, in namespace: String) async throws {
        do {
            try await client.create(.diskNamings, naming, in: namespace)
        } catch let error as KubernetesError where error.isNotFound {
            try await define()
            var left = 20
            while true {
                do {
                    try await client.create(.diskNamings, naming, in: namespace)
                    return
                } catch let error as KubernetesError where error.isNotFound && left > 0 {
                    left -= 1
                    try await Task.sleep(for: .milliseconds(250))
                }
            }
        }
    }

    /// Tells the cluster of the kind, where the charts have not.
    func define() async throws {
        guard try await client.find(.definitions, DiskNaming.definition.metadata.name ?? "") == nil else { return }
        do {
            try await client.create(.definitions, DiskNaming.definition)
        } catch let error as KubernetesError where error.isAlreadyExists {}
    }
}
