import Foundation
import Kubernetes
import PlatformModel
import ServiceKit

/// What pods can mount of the storage (storage.md 16.5).
struct InjectableVolumes: Sendable {
    private enum Places: Sendable {
        /// Of the storage, as clients name them.
        case logical
        /// Of the file system that this process sees.
        case physical
    }

    private let backends: StorageBackends
    private let places: Places

    /// As the operator says.
    init(stated backends: StorageBackends) { (self.backends, places) = (backends, .logical) }

    /// Of the volumes that this process's own pod mounts, those that other pods can mount as well: folders of the node, and NFS, inline or
    /// behind a claim. (A claim itself can be used in its own namespace only.)
    /// - Parameter claimed: reads the volume behind a claim of the pod's namespace.
    init(pod: KubernetesObject, claimed: (String) async throws -> KubernetesObject?) async throws {
        let spec = pod["spec"]
        var sources: [String: StorageBackends.Source] = [:]
        for volume in spec?["volumes"]?.array ?? [] {
            guard let name = volume["name"]?.string else { continue }
            if let claim = volume["persistentVolumeClaim"]?["claimName"]?.string {
                sources[name] = Self.source(try await claimed(claim)?["spec"] ?? .null, isOwn: false)
            } else {
                sources[name] = Self.source(volume, isOwn: true)
            }
        }
        var backends: [StorageBackends.Backend] = []
        for container in spec?["containers"]?.array ?? [] {
            for mount in container["volumeMounts"]?.array ?? [] {
                guard let source = mount["name"]?.string.flatMap({ sources[$0] }), let path = mount["mountPath"]?.string,
                    // What the claim of a variable would make of it is known to the kubelet alone.
                    mount["subPathExpr"]?.string ?? "" == ""
                else { continue }
                let part = (mount["subPath"]?.string ?? "").split(separator: "/").map(String.init).filter { $0 != "." }
                backends.append(.init(place: Self.components(path), source: source.appending(part)))
            }
        }
        guard !backends.isEmpty else { throw SettingError("No eligible volumes are mounted to this pod") }
        self.backends = StorageBackends(backends)
        places = .physical
    }

    private static func source(_ volume: JSONValue, isOwn: Bool) -> StorageBackends.Source? {
        if let nfs = volume["nfs"], let server = nfs["server"]?.string, let path = nfs["path"]?.string {
            return .nfs(server: server, path: path)
        }
        // A folder of a node behind a claim is of that node alone.
        if isOwn, let host = volume["hostPath"], let path = host["path"]?.string {
            return .hostPath(path: path, type: host["type"]?.string ?? "")
        }
        return nil
    }

    private static func components(_ path: String) -> [String] { path.split(separator: "/").map(String.init).filter { $0 != "." } }

    func find(_ path: [String], in table: StorageTable) throws -> (source: StorageBackends.Source, rest: ArraySlice<String>)? {
        switch places {
        case .logical: backends.find(path)
        case .physical: backends.find(try table.physical(StoragePath(components: path)))
        }
    }
}
