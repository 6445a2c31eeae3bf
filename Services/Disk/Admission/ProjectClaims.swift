import Kubernetes
import PlatformModel

/// The claims behind the disks of a project's namespace, as pods there must name them.
struct ProjectClaims: Sendable {
    let client: KubernetesClient
    let names: DiskNames

    /// Of a disk by its id, else by its name; nil when there is none that may be mounted.
    func claim(of disk: DiskReference, in place: DiskPlace) async throws -> String? {
        if let claim = try await claim(withID: disk, in: place) { return claim }
        guard let name = try? DiskName(disk.text), let id = try await names.holder(of: name, in: place) else { return nil }
        return try await claim(withID: id, in: place)
    }

    private func claim(withID id: DiskReference, in place: DiskPlace) async throws -> String? {
        if let claim = try await client.find(.persistentVolumeClaims, id.text, in: place.namespace), Self.id(of: claim.metadata) == id.text,
            Disk(claim, in: place) != nil
        {
            return id.text
        }
        let claims = try await client.list(.persistentVolumeClaims, in: place.namespace, labels: DiskStore.marked).items
        return claims.first { $0.metadata.annotations[ClaimSpot.Original.nameAnnotation] == id.text && Disk($0, in: place) != nil }?
            .metadata.name
    }

    private static func id(of metadata: ObjectMeta) -> String? { metadata.annotations[ClaimSpot.Original.nameAnnotation] ?? metadata.name }
}
