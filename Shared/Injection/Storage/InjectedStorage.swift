import Crypto
import Foundation
import Kubernetes
import PlatformModel

/// The volumes and mounts that bring pieces of storage into a pod (storage.md 16.4).
///
/// A volume is the folder of the pod's *project*, not the storage as a whole with the project's folder as part of the `subPath`: the kubelet
/// follows links in a `subPath` as long as they stay within the volume, at every start of the container, and who runs jobs can put links into
/// the project's folder at any moment. This way none leads into another project.
public struct InjectedStorage: Hashable, Sendable {
    /// What the names of the volumes begin with.
    public static let prefix = "storage-auto-injected-volume"

    /// What one piece adds.
    public struct Step: Hashable, Sendable {
        /// nil when a piece before it has brought the volume.
        public let volume: Volume?
        public let mount: VolumeMount
    }

    public let steps: [Step]

    public var volumes: [Volume] { steps.compactMap(\.volume) }
    public var mounts: [VolumeMount] { steps.map(\.mount) }

    /// No volume serves a place.
    public struct Unresolvable: Error, Hashable, Sendable {
        public let path: String
    }

    /// - Parameter find: where a place of the storage is, and the way from there.
    public init(
        _ items: [StorageInjection], find: ([String]) throws -> (source: StorageBackends.Source, rest: ArraySlice<String>)?
    ) throws {
        var names: [StorageBackends.Source: String] = [:]
        var steps: [Step] = []
        for item in items {
            guard let (source, rest) = try find(item.path) else { throw Unresolvable(path: "/" + item.path.joined(separator: "/")) }
            let part = rest.suffix(item.path.count - 2)
            let project = source.appending(rest.dropLast(part.count))
            var volume: Volume?
            let name: String
            if let known = names[project] {
                name = known
            } else {
                name = Self.name(of: project, index: names.count)
                names[project] = name
                volume = Self.volume(name, project)
            }
            let mount = VolumeMount(
                name: name, mountPath: item.mountPath, subPath: part.isEmpty ? nil : part.joined(separator: "/"),
                readOnly: item.mode == .read ? true : nil)
            steps.append(Step(volume: volume, mount: mount))
        }
        self.steps = steps
    }

    /// Eight digits that are the same for the same pod, so that a repeat makes no other pod.
    private static func name(of source: StorageBackends.Source, index: Int) -> String {
        let digest = SHA256.hash(data: Data("\(index) \(source)".utf8)).prefix(4)
        return prefix + "-" + digest.map { String(Int($0) + 256, radix: 16).dropFirst() }.joined()
    }

    private static func volume(_ name: String, _ source: StorageBackends.Source) -> Volume {
        var volume = Volume(name: name)
        switch source {
        case .hostPath(let path, let type): volume.hostPath = HostPath(path: path, type: type)
        case .nfs(let server, let path): volume.nfs = NFSVolume(server: server, path: path)
        }
        return volume
    }
}

extension InjectedStorage {
    /// Whether every container of a pod has these places, with writing where and only where that was asked for, from volumes that were
    /// injected.
    public static func isComplete(_ pod: Pod, for wanted: [(mountPath: String, readOnly: Bool)]) -> Bool {
        let volumes = Set(
            (pod.spec?.volumes ?? []).filter { $0.name.hasPrefix(prefix) && ($0.hostPath != nil || $0.nfs != nil) }.map(\.name))
        let containers = pod.spec?.containers ?? []
        return !containers.isEmpty
            && containers.allSatisfy { container in
                wanted.allSatisfy { place in
                    (container.volumeMounts ?? []).contains {
                        $0.mountPath == place.mountPath && volumes.contains($0.name) && ($0.readOnly ?? false) == place.readOnly
                    }
                }
            }
    }
}
