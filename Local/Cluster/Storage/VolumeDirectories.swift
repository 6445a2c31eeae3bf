import Foundation
import Kubernetes
import NIOPosix

/// The directories behind the volumes: `<cluster's folder>/volumes/<volume's name>`.
struct VolumeDirectories: Sendable {
    private let folder: String

    init(folder: String) { self.folder = folder + "/volumes" }

    func path(_ volume: String) -> String { "\(folder)/\(volume)" }

    /// Whether the volume is one of ours, and its directory where we made it.
    func has(_ volume: Object) -> Bool {
        volume.annotations["pv.kubernetes.io/provisioned-by"] == StorageClasses.provisioner
            && volume[path: "spec", "hostPath", "path"]?.string == path(volume.name) && !volume.name.contains("/") && volume.name != ".."
    }

    /// Containers run as any user, so anyone may write; the folder above keeps other users of the machine out.
    func make(_ volume: String) throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o711])
        try FileManager.default.createDirectory(atPath: path(volume), withIntermediateDirectories: true)
        try FileManager.default.setAttributes([.posixPermissions: 0o777], ofItemAtPath: path(volume))
    }

    func remove(_ volume: String) async throws {
        let path = path(volume)
        try await NIOThreadPool.singleton.runIfActive {
            guard FileManager.default.fileExists(atPath: path) else { return }
            try FileManager.default.removeItem(atPath: path)
        }
    }
}
