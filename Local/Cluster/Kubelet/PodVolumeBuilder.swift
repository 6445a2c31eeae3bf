import Foundation
import Kubernetes

#if canImport(Glibc)
    import Glibc
#endif

/// Makes a pod's volumes on the machine and says where they are.
struct PodVolumeBuilder: Sendable {
    enum Place: Sendable, Equatable {
        case folder(String, isReadOnly: Bool)
        /// Files that the kubelet writes and nobody else.
        case files(String)
        /// Memory of each container alone, where the kubelet may not mount: options of a tmpfs.
        case memory([String])
    }
    let pod: PodTemplate
    let folder: PodFolder
    let facts: PodFacts
    let lookUp: @Sendable (ObjectKey) async throws -> Object?

    /// Every volume of the pod by name. What is there already is left or brought up to date.
    /// - Throws: `VolumeFailure` for one that cannot be had yet.
    func build() async throws -> [String: Place] {
        var places: [String: Place] = [:]
        for volume in pod.volumes {
            guard let name = volume["name"]?.string else { continue }
            places[name] = try await build(name, volume)
        }
        return places
    }

    /// Brings the files of Secrets, ConfigMaps and the pod's own fields up to date.
    func refresh() async throws {
        for volume in pod.volumes {
            guard let name = volume["name"]?.string, let files = try await files(name, volume) else { continue }
            try files.write(to: folder.volume(name), group: group)
        }
    }

    private var group: UInt32? { pod.securityContext["fsGroup"]?.integer.flatMap { UInt32(exactly: $0) } }

    private func build(_ name: String, _ volume: JSONValue) async throws -> Place {
        if let files = try await files(name, volume) {
            try files.write(to: folder.volume(name), group: group)
            return .files(folder.volume(name))
        }
        if let empty = volume["emptyDir"] { return try emptyFolder(name, empty) }
        if let host = volume["hostPath"] {
            return .folder(try HostPathVolume(name: name, value: host).prepare(), isReadOnly: false)
        }
        if let claim = volume["persistentVolumeClaim"] { return try await claimed(name, claim) }
        let kind = volume.object?.keys.first { $0 != "name" } ?? "none"
        throw VolumeFailure(name, "volumes of the kind \(kind) cannot be had in a cluster of one machine")
    }

    private func emptyFolder(_ name: String, _ source: JSONValue) throws -> Place {
        let path = folder.volume(name)
        guard source["medium"]?.string == "Memory" else {
            if !FileManager.default.fileExists(atPath: path) {
                try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
                chmod(path, 0o777)
                own(path)
            }
            return .folder(path, isReadOnly: false)
        }
        let wanted = source["sizeLimit"]?.string.flatMap { Quantity($0).wholeValue }
        let size = [wanted, PodResourceAmounts(pod: pod).memoryLimit].compactMap { $0 }.filter { $0 > 0 }.min()
        let options = ["mode=1777"] + (size.map { ["size=\($0)"] } ?? [])
        guard EngineLayout.isRoot else { return .memory(options + ["nosuid", "nodev"]) }
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        if !MountTable.current().contains(path) {
            guard mount("tmpfs", path, "tmpfs", UInt(MS_NOSUID | MS_NODEV), options.joined(separator: ",")) == 0 else {
                throw VolumeFailure(name, "mounting memory failed: \(String(cString: strerror(errno)))")
            }
            own(path)
        }
        return .folder(path, isReadOnly: false)
    }

    private func own(_ path: String) {
        guard let group else { return }
        chown(path, geteuid(), group)
        chmod(path, 0o2777)
    }

    private func claimed(_ name: String, _ source: JSONValue) async throws -> Place {
        let claimName = source["claimName"]?.string ?? ""
        guard let claim = try await lookUp(ObjectKey(.persistentVolumeClaims, namespace: pod.namespace, name: claimName)) else {
            throw VolumeFailure(name, "persistentvolumeclaim \"\(claimName)\" not found")
        }
        guard let volumeName = claim[path: "spec", "volumeName"]?.string,
            let volume = try await lookUp(ObjectKey(.persistentVolumes, name: volumeName))
        else { throw VolumeFailure(name, "PVC is not bound") }
        guard let path = (volume[path: "spec", "hostPath", "path"] ?? volume[path: "spec", "local", "path"])?.string else {
            throw VolumeFailure(name, "volume \(volumeName) is no directory of this machine")
        }
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        return .folder(path, isReadOnly: source["readOnly"]?.bool ?? false)
    }

    // MARK: Files

    /// - Returns: nil for a volume that is no set of files.
    private func files(_ name: String, _ volume: JSONValue) async throws -> ProjectedFiles? {
        var files = ProjectedFiles()
        if let source = volume["secret"] {
            try await addSecret(source["secretName"]?.string ?? "", source, mode: mode(source), name, &files)
        } else if let source = volume["configMap"] {
            try await addMap(source["name"]?.string ?? "", source, mode: mode(source), name, &files)
        } else if let source = volume["downwardAPI"] {
            try addFields(source, mode: mode(source), name, &files)
        } else if let source = volume["projected"] {
            for part in source["sources"]?.array ?? [] {
                if let secret = part["secret"] {
                    try await addSecret(secret["name"]?.string ?? "", secret, mode: mode(source), name, &files)
                } else if let map = part["configMap"] {
                    try await addMap(map["name"]?.string ?? "", map, mode: mode(source), name, &files)
                } else if let fields = part["downwardAPI"] {
                    try addFields(fields, mode: mode(source), name, &files)
                }
                // A service account's token would be of no use: the cluster has but one caller.
            }
        } else {
            return nil
        }
        return files
    }

    private func mode(_ source: JSONValue) -> Int { Int(source["defaultMode"]?.integer ?? 0o644) }

    private func addSecret(
        _ name: String, _ source: JSONValue, mode: Int, _ volume: String, _ files: inout ProjectedFiles
    ) async throws {
        guard let secret = try await lookUp(ObjectKey(.secrets, namespace: pod.namespace, name: name)) else {
            if source["optional"]?.bool == true { return }
            throw VolumeFailure(volume, "secret \"\(name)\" not found")
        }
        try files.add(EnvironmentBuilder.data(secret), source, mode: mode, volume: volume) { "references non-existent secret key: \($0)" }
    }

    private func addMap(
        _ name: String, _ source: JSONValue, mode: Int, _ volume: String, _ files: inout ProjectedFiles
    ) async throws {
        guard let map = try await lookUp(ObjectKey(.configMaps, namespace: pod.namespace, name: name)) else {
            if source["optional"]?.bool == true { return }
            throw VolumeFailure(volume, "configmap \"\(name)\" not found")
        }
        var contents = (map["data"]?.object ?? [:]).compactMapValues { $0.string.map { Data($0.utf8) } }
        for (key, value) in map["binaryData"]?.object ?? [:] { contents[key] = value.string.flatMap { Data(base64Encoded: $0) } }
        try files.add(contents, source, mode: mode, volume: volume) { "references non-existent config key: \($0)" }
    }

    private func addFields(_ source: JSONValue, mode: Int, _ volume: String, _ files: inout ProjectedFiles) throws {
        for item in source["items"]?.array ?? [] {
            guard let path = item["path"]?.string else { continue }
            var value: String?
            if let field = item[path: "fieldRef", "fieldPath"]?.string { value = facts.field(field) }
            if let resource = item["resourceFieldRef"], let first = pod.containers.first { value = facts.resource(resource, of: first) }
            try files.add(
                path, Data((value ?? "").utf8), mode: item["mode"]?.integer.map(Int.init) ?? mode, volume: volume)
        }
    }
}
