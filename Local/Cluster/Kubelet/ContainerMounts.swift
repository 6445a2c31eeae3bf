import Foundation
import Kubernetes

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
            case .files(let path):
                mounts.append(
                    ContainerMount(source: try Self.resolve(path, part, volume: name), destination: destination, isReadOnly: true))
            case .folder(let path, let isReadOnly):
                let source = try source(path, part, volume: name, place: folder.part(container.name, mounts.count))
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

    /// The place of a part of a volume, which is made if it is not there. What was found is mounted at `place` until the container has
    /// started: who mounts it for the container goes by names, and those can change in between.
    private func source(_ volume: String, _ part: String, volume name: String, place: String) throws -> String {
        let components = try Self.components(part, volume: name)
        if components.isEmpty { return volume }
        do {
            let part = try VolumePart(of: volume, components)
            // Without the right to mount there is but one user on the machine, whose files all of them are.
            guard EngineLayout.isRoot else { return part.path }
            try FileManager.default.createDirectory(
                atPath: (place as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
            try part.mount(at: place)
            return place
        } catch let refusal as VolumePart.Refusal {
            throw Self.refusal(part, name, refusal.why)
        }
    }

    private static func refusal(_ part: String, _ volume: String, _ why: String) -> ContainerRefusal {
        .configuration("failed to prepare subPath for volumeMount \"\(part)\" of volume \"\(volume)\": \(why)")
    }

    private static func components(_ part: String, volume: String) throws -> [String] {
        // By bytes, as the kernel reads them.
        let components = part.utf8.split(separator: UInt8(ascii: "/")).map { String(decoding: $0, as: UTF8.self) }.filter { $0 != "." }
        guard !components.contains("..") else { throw refusal(part, volume, "it leaves the volume") }
        return components
    }

    /// The place of a file among those that the kubelet wrote, with links of its own.
    static func resolve(_ volume: String, _ part: String, volume name: String) throws -> String {
        let components = try components(part, volume: name)
        if components.isEmpty { return volume }
        let path = volume + "/" + components.joined(separator: "/")
        guard let real = MountTable.realPath(path), let root = MountTable.realPath(volume), real == root || real.hasPrefix(root + "/")
        else {
            throw refusal(part, name, "there is no such file")
        }
        return real
    }
}
