import Glibc

/// Removes an object and, of a directory, everything below it, each after what it holds. A step at a time, so that whoever asked can hear of it and
/// go away. Nothing is removed through a link: each directory is entered from the one above it.
struct TreeRemoval: Sendable {
    struct Removed: Sendable {
        /// As clients name it.
        let path: [UInt8]
        let isDirectory: Bool
    }

    /// A directory on the way down.
    private struct Level: Sendable {
        let folder: Folder
        var reader: FolderReader
        /// Its name in the directory above.
        let name: [CChar]
        let path: [UInt8]
        var entries: ArraySlice<FolderReader.Entry> = []
        /// Somebody may add what a pass did not see.
        var passes = 1
    }

    /// Each level holds descriptors.
    private static let deepest = 512
    private static let passes = 3

    private let parent: Folder
    private let name: [CChar]
    private let path: [UInt8]
    private let isDirectory: Bool
    private var levels: [Level] = []
    private var hasBegun = false
    /// Of a step after others whose objects were still to be told.
    private var failure: (any Error)?

    init(_ parent: Folder, _ name: String, isDirectory: Bool, path: StoragePath) {
        self.parent = parent
        self.name = Array(name.utf8CString)
        self.path = Array(path.text.utf8)
        self.isDirectory = isDirectory
    }

    /// Removes until `limit` objects are gone or `time` has passed; none when everything is.
    mutating func next(_ limit: Int, within time: Duration) throws -> [Removed] {
        let deadline = ContinuousClock.now + time
        var removed: [Removed] = []
        if let failure { throw failure }
        if !hasBegun {
            hasBegun = true
            if isDirectory {
                try descend(into: parent, name, path)
            } else {
                try parent.remove(name)
                return [Removed(path: path, isDirectory: false)]
            }
        }
        while removed.count < limit, !levels.isEmpty, removed.isEmpty || .now < deadline {
            do {
                if let one = try step() { removed.append(one) }
            } catch {
                guard !removed.isEmpty else { throw error }
                failure = error
                break
            }
        }
        return removed
    }

    /// One entry or one directory; nil when nothing went by this step.
    private mutating func step() throws -> Removed? {
        let last = levels.count - 1
        if levels[last].entries.isEmpty {
            levels[last].entries = try levels[last].reader.next(1024)[...]
        }
        guard let entry = levels[last].entries.popFirst() else { return try ascend() }
        let path = levels[last].path + [UInt8(ascii: "/")] + entry.bytes
        do {
            if entry.isDirectory == true {
                try descend(into: levels[last].folder, entry.name, path)
                return nil
            }
            do {
                try levels[last].folder.remove(entry.name)
            } catch let error where error.code == EISDIR {
                try descend(into: levels[last].folder, entry.name, path)
                return nil
            }
            return Removed(path: path, isDirectory: false)
        } catch let error where error == .missing {
            return nil
        }
    }

    private mutating func descend(into folder: Folder, _ name: [CChar], _ path: [UInt8]) throws(FileFailure) {
        guard levels.count < Self.deepest else { throw .nameTooLong }
        do {
            let folder = try folder.folder(name)
            levels.append(Level(folder: folder, reader: try folder.reader(), name: name, path: path))
        } catch let error where error.code == ENOTDIR {
            // It is another object by now.
            try folder.remove(name)
        }
    }

    private mutating func ascend() throws -> Removed? {
        guard let level = levels.last else { return nil }
        let above = levels.dropLast().last?.folder ?? parent
        do {
            try above.removeFolder(level.name)
        } catch {
            if error == .missing {
                levels.removeLast()
                return nil
            }
            guard error.code == ENOTEMPTY, level.passes < Self.passes else { throw error }
            levels[levels.count - 1].reader = try level.folder.reader()
            levels[levels.count - 1].passes += 1
            return nil
        }
        levels.removeLast()
        return Removed(path: level.path, isDirectory: true)
    }
}
