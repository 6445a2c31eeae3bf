import Foundation
import Kubernetes

#if canImport(Glibc)
    import Glibc
#endif

/// A container's mounts out of the pod's volumes.
struct ContainerMounts: Sendable {
    let pod: PodTemplate
    let places: [String: PodVolumeBuilder.Place]
    let folder: PodFolder

    func mounts(_ container: ContainerTemplate, attempt: Int, environment: [(name: String, value: String)]) throws -> [ContainerMount] {
        let values = Dictionary(environment.map { ($0.name, $0.value) }) { $1 }
        var mounts: [ContainerMount] = []
        for mount in container.mounts {
            guard let name = mount["name"]?.string, let destination = mount["mountPath"]?.string else { continue }
            guard let place = places[name] else {
                throw ContainerRefusal.configuration("cannot find volume \"\(name)\" to mount into container \"\(container.name)\"")
            }
            var part = mount["subPath"]?.string ?? ""
            if let expression = mount["subPathExpr"]?.string { part = VariableExpansion.expand(expression) { values[$0] } }
            switch place {
            case .memory(let options):
                mounts.append(
                    ContainerMount(source: "", destination: destination, isReadOnly: mount["readOnly"]?.bool ?? false, memory: options))
            case .folder(let path, let isReadOnly):
                let source = try Self.resolve(path, part, volume: name)
                mounts.append(
                    ContainerMount(source: source, destination: destination, isReadOnly: isReadOnly || mount["readOnly"]?.bool ?? false))
            }
        }
        let taken = Set(mounts.map(\.destination))
        for (source, destination) in [(folder.hosts, "/etc/hosts"), (folder.resolver, "/etc/resolv.conf")]
        where !taken.contains(destination) && FileManager.default.fileExists(atPath: source) {
            mounts.append(ContainerMount(source: source, destination: destination))
        }
        mounts.append(ContainerMount(source: folder.message(container.name, attempt), destination: container.terminationMessagePath))
        return mounts
    }

    /// The place of a part of a volume, which is made if it is not there. A path or link that leaves the volume is refused.
    static func resolve(_ volume: String, _ part: String, volume name: String) throws -> String {
        let components = part.split(separator: "/").filter { $0 != "." }
        if components.isEmpty { return volume }
        func refuse(_ why: String) -> ContainerRefusal {
            .configuration("failed to prepare subPath for volumeMount \"\(part)\" of volume \"\(name)\": \(why)")
        }
        guard !components.contains("..") else { throw refuse("it leaves the volume") }
        let path = volume + "/" + components.joined(separator: "/")
        if !FileManager.default.fileExists(atPath: path) {
            do {
                try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
            } catch { throw refuse("\(error.localizedDescription)") }
        }
        guard let real = canonical(path), let root = canonical(volume), real == root || real.hasPrefix(root + "/") else {
            throw refuse("it leaves the volume")
        }
        return real
    }

    private static func canonical(_ path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }
}
