import Crypto
import Foundation
import Injection
import Kubernetes
import PlatformModel

/// Puts the disks that pods ask for into them (disk.md 12.3).
struct DiskInjector: Sendable {
    /// What the names of the volumes begin with.
    static let prefix = "disk-auto-injected-volume"

    let cluster: ClusterName
    let claims: ProjectClaims

    /// - Throws: ``AdmissionRefusal``, and errors of Kubernetes.
    func decide(_ request: AdmissionRequest, in place: DiskPlace) async throws -> AdmissionDecision {
        let pod = PodLists(request.object)
        guard !pod.containers.isEmpty, let annotation = request.annotation(DiskInjection.key) else { return .unchanged }
        // A pod that runs keeps its volumes: a disk of its that is gone must not hold up whoever changes something else of it.
        if request.operation == "UPDATE", request.oldAnnotation(DiskInjection.key) == annotation { return .unchanged }
        // Without them another webhook is still to add them, and this one is asked again.
        guard let org = request.label(ProjectNamespace.orgLabel), let project = request.label(ProjectNamespace.projectLabel) else {
            return .unchanged
        }
        let disks: [DiskInjection]
        do {
            disks = try DiskInjection.parse(annotation)
        } catch {
            throw AdmissionRefusal(422, "injection spec is invalid")
        }
        for disk in disks {
            guard disk.cluster == cluster.text, [disk.org, org].allSatisfy({ $0 == place.org.text }),
                [disk.project, project].allSatisfy({ $0 == place.project.text })
            else { throw AdmissionRefusal(403, "metadata value mismatch") }
        }
        let operations = pod.adding(try await additions(disks, to: pod, in: place))
        return operations.isEmpty ? .unchanged : .patched(operations)
    }

    private func additions(_ disks: [DiskInjection], to pod: PodLists, in place: DiskPlace) async throws -> [PodLists.Addition] {
        var known: [DiskReference: String] = [:]
        var additions: [PodLists.Addition] = []
        for disk in disks {
            if known[disk.disk] == nil { known[disk.disk] = try await claims.claim(of: disk.disk, in: place) }
            guard let claim = known[disk.disk] else { throw AdmissionRefusal(404, "Disk \(disk.disk) not found") }
            if let addition = addition(disk, claim, to: pod) { additions.append(addition) }
        }
        return additions
    }

    /// nil for a disk that every container has in its place: the webhook is asked again after others.
    private func addition(_ disk: DiskInjection, _ claim: String, to pod: PodLists) -> PodLists.Addition? {
        let standing = Set(
            (pod.volumes ?? []).filter { $0["persistentVolumeClaim"]?["claimName"]?.string == claim }.compactMap { $0["name"]?.string })
        func volume(of container: Int) -> String? {
            (pod.mounts(of: container) ?? [])
                .first { InjectedPlace.isSame($0["mountPath"]?.string ?? "", disk.mountPath) }?["name"]?.string
                .flatMap { standing.contains($0) ? $0 : nil }
        }
        let mounted = pod.containers.indices.compactMap { volume(of: $0) }.first
        let missing = pod.containers.indices.filter { volume(of: $0) == nil }
        guard !missing.isEmpty else { return nil }
        let name = mounted ?? Self.volumeName(claim, disk.mountPath)
        var added: Volume?
        if mounted == nil {
            added = Volume(name: name)
            added?.persistentVolumeClaim = ClaimVolume(claimName: claim)
        }
        let mount = VolumeMount(name: name, mountPath: disk.mountPath, readOnly: disk.isReadOnly ? true : nil)
        return PodLists.Addition(volume: added, mount: mount, containers: missing)
    }

    /// Eight digits that are the same for the same pod, so that a repeat makes no other pod.
    private static func volumeName(_ claim: String, _ path: String) -> String {
        let digest = SHA256.hash(data: Data("\(claim) \(path)".utf8)).prefix(4)
        return prefix + "-" + digest.map { String(Int($0) + 256, radix: 16).dropFirst() }.joined()
    }
}
