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

    /// A claim is one volume, however many places it is mounted in: a kubelet waits forever for the second volume of a claim.
    private func additions(_ disks: [DiskInjection], to pod: PodLists, in place: DiskPlace) async throws -> [PodLists.Addition] {
        var known: [DiskReference: String] = [:]
        var volumes = Self.volumes(of: pod)
        var additions: [PodLists.Addition] = []
        for disk in disks {
            if known[disk.disk] == nil { known[disk.disk] = try await claims.claim(of: disk.disk, in: place) }
            guard let claim = known[disk.disk] else { throw AdmissionRefusal(404, "Disk \(disk.disk) not found") }
            let name = volumes[claim] ?? Self.volumeName(claim)
            // The webhook is asked again after others: what every container has in its place is left alone.
            let missing = pod.containers.indices.filter { !pod.mounts(name, at: disk.mountPath, in: $0) }
            if missing.isEmpty { continue }
            var added: Volume?
            if volumes[claim] == nil {
                added = Volume(name: name)
                added?.persistentVolumeClaim = ClaimVolume(claimName: claim)
                volumes[claim] = name
            }
            let mount = VolumeMount(name: name, mountPath: disk.mountPath, readOnly: disk.isReadOnly ? true : nil)
            additions.append(PodLists.Addition(volume: added, mount: mount, containers: missing))
        }
        return additions
    }

    /// The names of a pod's volumes, by their claims.
    private static func volumes(of pod: PodLists) -> [String: String] {
        let pairs = (pod.volumes ?? []).compactMap { volume -> (String, String)? in
            guard let claim = volume["persistentVolumeClaim"]?["claimName"]?.string, let name = volume["name"]?.string else { return nil }
            return (claim, name)
        }
        return Dictionary(pairs) { first, _ in first }
    }

    /// Eight digits that are the same for the same pod, so that a repeat makes no other pod.
    private static func volumeName(_ claim: String) -> String {
        let digest = SHA256.hash(data: Data(claim.utf8)).prefix(4)
        return prefix + "-" + digest.map { String(Int($0) + 256, radix: 16).dropFirst() }.joined()
    }
}

extension PodLists {
    fileprivate func mounts(_ volume: String, at path: String, in container: Int) -> Bool {
        (mounts(of: container) ?? []).contains {
            $0["name"]?.string == volume && InjectedPlace.isSame($0["mountPath"]?.string ?? "", path)
        }
    }
}
