import Glibc
import NIOCore
import WebSocket

/// One storage: its root, which no path of it can leave, and the threads on which it is worked with. All calls block.
struct Storage: Sendable {
    private let base: Folder
    /// The folder below the base where the operator has mounted it; nil when the base is the storage.
    private let mount: String?
    var mountName: String? { mount }
    let work: FileWork
    private let systems = FileSystems()

    typealias Components = ArraySlice<String>

    init(base: Folder, mount: String?, threads: Int, limit: Duration) {
        self.base = base
        self.mount = mount
        work = FileWork(threads: threads, limit: limit)
    }

    func isSame(as other: Storage) -> Bool { work === other.work }

    // MARK: Ways

    /// Opened anew each time, since what is mounted may go and come back.
    private func root() throws(FileFailure) -> Folder {
        guard let mount else { return base }
        do { return try base.mount(mount) } catch { throw .awayStorage }
    }

    private func folder(_ path: Components) throws(FileFailure) -> Folder {
        var folder = try root()
        for name in path { folder = try folder.folder(name) }
        return folder
    }

    /// The folder that holds the last component, and that component; nil for the root.
    private func place(_ path: Components) throws(FileFailure) -> (Folder, String)? {
        guard let last = path.last else { return nil }
        return (try folder(path.dropLast()), last)
    }

    /// The folder of a path whose missing folders are made.
    private func making(_ path: Components) throws(FileFailure) -> Folder {
        var folder = try root()
        for name in path {
            do {
                folder = try folder.folder(name)
            } catch let error where error == .missing {
                do { try folder.make(name) } catch let error where error.code == EEXIST {
                    // Made by somebody else meanwhile, or a link: the next line tells.
                }
                folder = try folder.folder(name)
            }
        }
        return folder
    }

    // MARK: Looking

    func status(_ path: Components) throws(FileFailure) -> FileStatus {
        guard let (folder, name) = try place(path) else { return try root().status }
        return try folder.status(of: name)
    }

    func usage(_ path: Components) throws(FileFailure) -> DiskUsage {
        guard let (folder, name) = try place(path) else { return try root().usage() }
        return try folder.usage(of: name)
    }

    /// The directory and its entries, to be read.
    func listing(_ path: Components) throws(FileFailure) -> FolderListing {
        let folder = try folder(path)
        return FolderListing(folder: folder, reader: try folder.reader())
    }

    /// What is to be sent: a file is open then.
    func open(_ path: Components) throws -> (status: FileStatus, file: OpenFile?) {
        guard let (folder, name) = try place(path) else { return (try root().status, nil) }
        let status = try folder.status(of: name)
        switch status.kind {
        case .directory: return (status, nil)
        case .link, .special: throw FileFailure.missing
        case .file:
            let descriptor = try folder.open(name)
            let file: OpenFile
            do {
                file = try OpenFile(descriptor: descriptor, threads: systems.isRemote(descriptor) ? work : nil)
            } catch let error as FileError { throw FileFailure(error.code) }
            return (FileStatus(kind: .file, length: file.size, modified: status.modified), file)
        }
    }

    /// Sees to a place that is to be mounted into a pod: a folder, made if nothing is there, or a file. One that is reached through a link is
    /// refused, wherever that leads.
    /// - Parameter making: false: it is only looked at.
    func prepareMount(_ path: Components, making: Bool) throws(FileFailure) {
        var folder = try root()
        for (index, name) in path.enumerated() {
            let kind: FileStatus.Kind
            do {
                kind = try folder.status(of: name).kind
            } catch let error where error == .missing {
                guard making else { return }
                return try makeFolder(path)
            }
            switch kind {
            case .directory: folder = try folder.folder(name)
            case .file where index == path.count - 1: return
            case .link: throw FileFailure(ELOOP)
            case .file, .special: throw FileFailure(ENOTDIR)
            }
        }
    }

    /// Bytes of a file; fewer at its end.
    func read(_ path: Components, at offset: Int64, count: Int) throws -> ByteBuffer {
        guard let (folder, name) = try place(path) else { throw FileFailure(EISDIR) }
        guard try folder.status(of: name).kind != .directory else { throw FileFailure(EISDIR) }
        let file = try folder.open(name)
        defer { close(file) }
        var raw = stat()
        try calling { fstat(file, &raw) }
        let size = Int(clamping: Int64(raw.st_size) - offset)
        var buffer = ByteBuffer()
        var left = min(count, max(0, size))
        var position = offset
        while left > 0 {
            let read = try buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: left) { memory in
                var read: Int
                repeat { read = pread(file, memory.baseAddress, left, off_t(position)) } while read < 0 && errno == EINTR
                guard read >= 0 else { throw FileFailure(errno) }
                return read
            }
            guard read > 0 else { break }
            left -= read
            position += Int64(read)
        }
        return buffer
    }

    // MARK: Changing

    /// An empty file, made or cut, and the folders above it.
    /// - Parameter length: what it is going to have, if that is known. When there is no room for it, nothing is made or cut.
    /// - Throws: `ENOSPC`.
    func create(_ path: Components, length: Int64?) throws(FileFailure) -> WritableFile {
        try checkRoom(path, length)
        let file = try openForWriting(path, creating: true)
        try file.truncate(to: 0)
        return file
    }

    /// What is not known now, a quota among it, tells itself when the file is written.
    private func checkRoom(_ path: Components, _ length: Int64?) throws(FileFailure) {
        // Of little, too little is lost to ask a file system of another machine for it each time.
        guard let length, length > 64 << 10, let (folder, name) = try? place(path), let usage = try? folder.usage(), usage.total > 0 else {
            return
        }
        let old = (try? folder.status(of: name)).map { $0.kind == .file ? max(0, $0.length) : 0 } ?? 0
        guard UInt64(length) <= usage.free + UInt64(old) else { throw FileFailure(ENOSPC) }
    }

    func openForWriting(_ path: Components, creating: Bool) throws(FileFailure) -> WritableFile {
        let isDirectory = FileFailure(EISDIR, "Destination is a directory")
        guard let last = path.last else { throw isDirectory }
        let folder: Folder
        if creating {
            folder = try creatingParent(path.dropLast())
        } else {
            folder = try self.folder(path.dropLast())
        }
        do {
            return try folder.openForWriting(last, creating: creating, closedBy: work)
        } catch let error where error.code == EISDIR {
            throw isDirectory
        }
    }

    /// Right above the file, what is no folder stands in the way; further above, the way ends.
    private func creatingParent(_ path: Components) throws(FileFailure) -> Folder {
        guard let last = path.last else { return try root() }
        let above = try making(path.dropLast())
        let kind: FileStatus.Kind?
        do { kind = try above.status(of: last).kind } catch let error where error == .missing { kind = nil }
        if let kind, kind != .directory { throw FileFailure(EEXIST) }
        return try making(path)
    }

    func makeFolder(_ path: Components) throws(FileFailure) {
        guard let last = path.last else { return }
        let parent: Folder
        do {
            parent = try making(path.dropLast())
        } catch let error where error.code == ENOTDIR {
            throw FileFailure(ENOTDIR, "Predecessor is not a directory")
        }
        do {
            try parent.make(last)
        } catch let error where error.code == EEXIST {
            guard try parent.status(of: last).kind == .directory else { throw error }
        }
    }

    /// What removes the object, entry by entry.
    /// - Throws: `EISDIR` for a directory that is not to be removed with what it holds.
    func removal(_ path: StoragePath, _ components: Components, recursive: Bool) throws(FileFailure) -> TreeRemoval {
        guard let (folder, name) = try place(components) else { throw .storageRoot }
        let status = try folder.status(of: name)
        if status.kind == .directory, !recursive { throw FileFailure(EISDIR, "Target is a directory") }
        return TreeRemoval(folder, name, isDirectory: status.kind == .directory, path: path)
    }

    func rename(_ source: Components, to destination: Components) throws(FileFailure) {
        guard let (folder, name) = try place(source), let (other, newName) = try place(destination) else { throw .storageRoot }
        do {
            try folder.rename(name, to: other, newName)
        } catch {
            throw switch error.code {
            case EISDIR: FileFailure(EISDIR, "Destination is a directory")
            case ENOTDIR: FileFailure(ENOTDIR, "Destination is not a directory")
            case EEXIST: FileFailure(ENOTEMPTY, "Incorrect destination")
            case ENOTEMPTY, EINVAL, EBUSY, EXDEV: FileFailure(error.code, "Incorrect destination")
            default: error
            }
        }
    }
}
