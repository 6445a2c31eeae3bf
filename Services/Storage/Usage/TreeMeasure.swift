import Glibc

/// Adds up what a directory and all below it take of the disk, some entries at a time. An object of several names counts once; a link counts
/// itself, not what it leads to.
struct TreeMeasure: Sendable {
    /// A directory on the way down.
    private struct Level: Sendable {
        let folder: Folder
        let reader: FolderReader
        var entries: ArraySlice<FolderReader.Entry> = []
    }

    /// Each level holds descriptors. Through the API nothing can lie deeper: a path has at most 4,095 bytes.
    private static let deepest = 2_100
    /// Of objects with several names; further ones count with each name.
    private static let remembered = 1_000_000

    private(set) var bytes: Int64 = 0
    private var levels: [Level] = []
    private var seen: Set<Allocation.Identity> = []

    init(_ folder: Folder) throws(FileFailure) {
        bytes = try folder.allocation().bytes
        levels = [Level(folder: folder, reader: try folder.reader())]
    }

    /// Looks at up to `limit` more entries; whether any are left. What goes away meanwhile does not count.
    mutating func next(_ limit: Int) throws(FileFailure) -> Bool {
        var left = limit
        while left > 0, let last = levels.indices.last {
            if levels[last].entries.isEmpty { levels[last].entries = try levels[last].reader.next(1024)[...] }
            guard let entry = levels[last].entries.popFirst() else {
                levels.removeLast()
                continue
            }
            left -= 1
            do {
                try count(entry, in: levels[last].folder)
            } catch let error where error == .missing || error.code == ENOTDIR {
                // Gone, or something else, since the directory was read.
            }
        }
        return !levels.isEmpty
    }

    private mutating func count(_ entry: FolderReader.Entry, in folder: Folder) throws(FileFailure) {
        let allocation = try folder.allocation(of: entry.name)
        if let shared = allocation.shared, seen.contains(shared) || (seen.count < Self.remembered && !seen.insert(shared).inserted) {
            return
        }
        bytes += allocation.bytes
        guard allocation.isDirectory, levels.count < Self.deepest else { return }
        let inner = try folder.folder(entry.name)
        levels.append(Level(folder: inner, reader: try inner.reader()))
    }
}
