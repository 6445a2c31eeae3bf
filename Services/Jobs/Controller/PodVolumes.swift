import Crypto
import Foundation
import Kubernetes
import PlatformModel

/// Volumes of a job's pod and where its container sees them: secrets, disks, shared memory (jobs-orchestration.md 4.11). Shared storage
/// is only asked for by annotation: the storage service's admission webhook adds it.
struct PodVolumes: Sendable {
    private(set) var volumes: [Volume] = []
    private(set) var mounts: [VolumeMount] = []

    init(_ container: JobContainer) {
        addSecrets(container.secretVolumes)
        addDisks(container.diskVolumes)
        if container.resources.shm == true {
            var volume = Volume(name: "dshm")
            volume.emptyDir = EmptyDirectory(medium: "Memory")
            volumes.append(volume)
            mounts.append(VolumeMount(name: "dshm", mountPath: "/dev/shm", subPath: ".", readOnly: false))
        }
    }

    private mutating func addSecrets(_ secrets: [JobContainer.SecretVolume]) {
        for secret in secrets {
            let reference = SecretReference(secret.sourceURI)
            let name = Self.volumeName(reference.objectName)
            if !volumes.contains(where: { $0.name == name }) {
                var volume = Volume(name: name)
                volume.secret = SecretVolume(secretName: reference.objectName, defaultMode: 0o400)
                volumes.append(volume)
            }
            mounts.append(VolumeMount(name: name, mountPath: secret.path, subPath: reference.key, readOnly: true))
        }
    }

    private mutating func addDisks(_ disks: [JobContainer.DiskVolume]) {
        var names: [String: String] = [:]
        for (place, disk) in disks.enumerated() {
            let claim = DiskReference(disk).id
            if names[claim] == nil {
                names[claim] = "disk-\(place + 1)"
                var volume = Volume(name: "disk-\(place + 1)")
                volume.persistentVolumeClaim = ClaimVolume(claimName: claim)
                volumes.append(volume)
            }
            mounts.append(VolumeMount(name: names[claim] ?? "", mountPath: disk.path, subPath: ".", readOnly: disk.readOnly))
        }
    }

    /// Volume names are DNS labels; a longer one is cut and told apart by a digest rather than by chance, so that a repeat is equal.
    private static func volumeName(_ secret: String) -> String {
        if secret.count <= 63 { return secret }
        let digest = SHA256.hash(data: Data(secret.utf8)).prefix(6).map { String(Int($0) + 256, radix: 16).dropFirst() }.joined()
        return secret.prefix(50) + digest
    }

    /// Text exactly as the webhook's tests pin it.
    static func storageAnnotation(_ volumes: [JobContainer.Volume]) -> String {
        let entries = volumes.map {
            "{\"storage_uri\": \(quoted($0.sourceURI)), \"mount_path\": \(quoted($0.path)), \"mount_mode\": \"\($0.readOnly ? "r" : "rw")\"}"
        }
        return "[" + entries.joined(separator: ", ") + "]"
    }

    private static func quoted(_ text: String) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .withoutEscapingSlashes
        return (try? encoder.encode(text)).map { String(decoding: $0, as: UTF8.self) } ?? "\"\""
    }
}
