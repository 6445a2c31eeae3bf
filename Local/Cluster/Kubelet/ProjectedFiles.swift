import Foundation
import Kubernetes

#if canImport(Glibc)
    import Glibc
#endif

/// Files of a Secret, ConfigMap, downward API or projected volume, as they should be. Pure but for `write`.
struct ProjectedFiles: Sendable, Equatable {
    struct File: Sendable, Equatable {
        var content: Data
        var mode: Int
    }
    /// By path below the volume.
    private(set) var files: [String: File] = [:]

    /// - Parameters:
    ///   - contents: all that the source has.
    ///   - source: the part of the volume with `items` and `optional`.
    ///   - mode: for files whose item says none.
    mutating func add(
        _ contents: [String: Data], _ source: JSONValue, mode: Int, volume: String, missing: (String) -> String
    ) throws(VolumeFailure) {
        guard let items = source["items"]?.array, !items.isEmpty else {
            for (key, content) in contents { files[key] = File(content: content, mode: mode) }
            return
        }
        for item in items {
            guard let key = item["key"]?.string, let path = item["path"]?.string else { continue }
            guard let content = contents[key] else {
                if source["optional"]?.bool == true { continue }
                throw VolumeFailure(volume, missing(key))
            }
            try add(path, content, mode: item["mode"]?.integer.map(Int.init) ?? mode, volume: volume)
        }
    }

    mutating func add(_ path: String, _ content: Data, mode: Int, volume: String) throws(VolumeFailure) {
        guard !path.hasPrefix("/"), !path.split(separator: "/").contains(".."), !path.isEmpty else {
            throw VolumeFailure(volume, "the path \"\(path)\" leaves the volume")
        }
        files[path] = File(content: content, mode: mode)
    }

    /// Makes a folder hold exactly these files, all at once: programs see the old ones or the new ones, by a link that is turned.
    /// - Parameter group: may read them too.
    func write(to folder: String, group: UInt32?) throws {
        let manager = FileManager.default
        try manager.createDirectory(atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
        let link = folder + "/..data"
        let old = try? manager.destinationOfSymbolicLink(atPath: link)
        if let old, matches(folder + "/" + old) { return }
        let name = "..\(UInt64(Date().timeIntervalSince1970 * 1_000_000))"
        for (path, file) in files {
            let target = "\(folder)/\(name)/\(path)"
            try manager.createDirectory(
                atPath: (target as NSString).deletingLastPathComponent, withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o755])
            _ = manager.createFile(atPath: target, contents: file.content, attributes: [.posixPermissions: 0o600])
            if let group { chown(target, geteuid(), group) }
            chmod(target, mode_t(file.mode | (group == nil ? 0 : 0o440)))
        }
        try manager.createDirectory(atPath: "\(folder)/\(name)", withIntermediateDirectories: true)
        try? manager.removeItem(atPath: link + "_tmp")
        try manager.createSymbolicLink(atPath: link + "_tmp", withDestinationPath: name)
        guard rename(link + "_tmp", link) == 0 else { throw POSIXError(.init(rawValue: errno) ?? .EIO) }
        let roots = Set(files.keys.compactMap { $0.split(separator: "/").first.map(String.init) })
        for entry in (try? manager.contentsOfDirectory(atPath: folder)) ?? [] where !entry.hasPrefix("..") && !roots.contains(entry) {
            try? manager.removeItem(atPath: "\(folder)/\(entry)")
        }
        for root in roots where (try? manager.destinationOfSymbolicLink(atPath: "\(folder)/\(root)")) == nil {
            try manager.createSymbolicLink(atPath: "\(folder)/\(root)", withDestinationPath: "..data/\(root)")
        }
        if let old { try? manager.removeItem(atPath: "\(folder)/\(old)") }
    }

    private func matches(_ folder: String) -> Bool {
        var present: Set<String> = []
        guard let walk = FileManager.default.enumerator(atPath: folder) else { return false }
        for case let path as String in walk {
            var isFolder: ObjCBool = false
            if FileManager.default.fileExists(atPath: "\(folder)/\(path)", isDirectory: &isFolder), !isFolder.boolValue {
                present.insert(path)
            }
        }
        return present == Set(files.keys)
            && files.allSatisfy { FileManager.default.contents(atPath: "\(folder)/\($0.key)") == $0.value.content }
    }
}
