import Glibc
import ServiceKit

/// Which storage holds a path. One storage is the root folder itself; of several, the default one lies below it under the cluster's name and
/// the others under their own, as the settings say: never as what happens to be there.
struct StorageTable: Sendable {
    /// A path's storage, and the way there from the storage's own root.
    struct Location: Sendable {
        let storage: Storage
        let components: ArraySlice<String>
        let path: StoragePath
        /// Whether the storage is the one that projects are made in.
        let isDefault: Bool
        /// The root of a storage is not a client's to remove.
        var isRoot: Bool { components.isEmpty }
        /// An organization's folder, or a project's that has none.
        var isTopLevel: Bool { components.count == 1 }
    }

    private let cluster: String
    /// The root folder as it was named.
    var root: [String]
    /// What `/` shows.
    private let base: Storage
    private let standard: Storage
    private let others: [String: Storage]

    init(_ settings: Settings, cluster: String) throws {
        let root = try settings.string("storage.root")
        let threads = try settings.int("storage.threads", default: 32)
        guard (1...1000).contains(threads) else { throw SettingError("ORRERY_STORAGE_THREADS is \(threads); expected 1 to 1000.") }
        let limit = try settings.duration("storage.timeout", default: .seconds(25))
        guard limit > .zero else { throw SettingError("ORRERY_STORAGE_TIMEOUT is \(limit); expected more than 0 seconds.") }
        let folder: Folder
        do {
            folder = try Folder(path: root)
        } catch {
            throw SettingError("ORRERY_STORAGE_ROOT is \"\(root)\", which cannot be opened: \(error.text).")
        }
        self.cluster = cluster
        self.root = root.split(separator: "/").map(String.init).filter { $0 != "." }
        base = Storage(base: folder, mount: nil, threads: threads, limit: limit)
        let names = (settings.optional("storage.mounts") ?? "").split(separator: ",").map(String.init)
        for name in names {
            let isName = try? StoragePath("/" + name).components == [name]
            guard isName == true, name != cluster, names.filter({ $0 == name }).count == 1 else {
                throw SettingError("ORRERY_STORAGE_MOUNTS holds \"\(name)\"; expected different names of folders below the root.")
            }
        }
        if names.isEmpty {
            (standard, others) = (base, [:])
        } else {
            standard = Storage(base: folder, mount: cluster, threads: threads, limit: limit)
            let mounts = names.map { ($0, Storage(base: folder, mount: $0, threads: threads, limit: limit)) }
            others = Dictionary(uniqueKeysWithValues: mounts)
        }
    }

    /// - Throws: 404 for the second name that files of the default storage would have.
    func locate(_ path: StoragePath) throws -> Location {
        guard !others.isEmpty else {
            return Location(storage: base, components: path.components[...], path: path, isDefault: true)
        }
        guard let first = path.components.first else {
            return Location(storage: base, components: [], path: path, isDefault: false)
        }
        if let other = others[first] {
            return Location(storage: other, components: path.components.dropFirst(), path: path, isDefault: false)
        }
        guard first != cluster else { throw PlatformError.notFound() }
        return Location(storage: standard, components: path.components[...], path: path, isDefault: true)
    }

    /// The way from the file system's root, by which a volume that is mounted there can be told.
    func physical(_ path: StoragePath) throws -> [String] {
        let location = try locate(path)
        return root + (location.storage.mountName.map { [$0] } ?? []) + location.components
    }

    /// The storages that projects have folders in, each under its organization's name or at the top.
    var ofProjects: [Storage] { [standard] + others.sorted { $0.key < $1.key }.map(\.value) }

    var all: [Storage] { others.isEmpty ? [base] : [base, standard] + others.values }
}
