import Glibc

/// A directory that is held open, so that whatever is done in it is done there and nowhere else, however names above it change meanwhile.
///
/// Names are single components. No call follows a link: who runs jobs on a storage can put links into it at any moment.
final class Folder: Sendable {
    /// Only a place (O_PATH): it can be walked from, and needs no right to read.
    private static let place = CInt(0o10000000) | O_DIRECTORY | O_CLOEXEC
    private let descriptor: CInt

    private init(_ descriptor: CInt) { self.descriptor = descriptor }

    deinit { close(descriptor) }

    /// A folder that an operator named; it may be reached through links.
    convenience init(path: String) throws(FileFailure) {
        self.init(try calling { Glibc.open(path, Self.place) })
    }

    /// A storage's folder in the operator's own, which may be a link.
    func mount(_ name: String) throws(FileFailure) -> Folder {
        Folder(try calling { openat(descriptor, name, Self.place) })
    }

    // MARK: Looking

    var status: FileStatus {
        get throws(FileFailure) {
            var raw = stat()
            try calling { fstat(descriptor, &raw) }
            return FileStatus(raw)
        }
    }

    func status(of name: UnsafePointer<CChar>) throws(FileFailure) -> FileStatus {
        var raw = stat()
        try calling { fstatat(descriptor, name, &raw, AT_SYMLINK_NOFOLLOW) }
        return FileStatus(raw)
    }

    /// As ``status(of:)``, and nil for what is missing.
    func statusIfThere(of name: UnsafePointer<CChar>) throws(FileFailure) -> FileStatus? {
        do { return try status(of: name) } catch { if error == .missing { return nil } else { throw error } }
    }

    /// What it takes of the disk itself, without what it holds.
    func allocation() throws(FileFailure) -> Allocation {
        var raw = stat()
        try calling { fstat(descriptor, &raw) }
        return Allocation(raw)
    }

    func allocation(of name: UnsafePointer<CChar>) throws(FileFailure) -> Allocation {
        var raw = stat()
        try calling { fstatat(descriptor, name, &raw, AT_SYMLINK_NOFOLLOW) }
        return Allocation(raw)
    }

    /// What tells an object from every other.
    func identity(of name: String) throws(FileFailure) -> (dev_t, ino_t) {
        var raw = stat()
        try calling { fstatat(descriptor, name, &raw, AT_SYMLINK_NOFOLLOW) }
        return (raw.st_dev, raw.st_ino)
    }

    func usage() throws(FileFailure) -> DiskUsage { try DiskUsage(descriptor) }

    /// The file system that holds an object.
    func usage(of name: String) throws(FileFailure) -> DiskUsage {
        let object = try calling { openat(descriptor, name, CInt(0o10000000) | O_NOFOLLOW | O_CLOEXEC) }
        defer { close(object) }
        var raw = stat()
        try calling { fstat(object, &raw) }
        guard FileStatus(raw).kind != .link else { throw .missing }
        return try DiskUsage(object)
    }

    /// Its entries, to be read.
    func reader() throws(FileFailure) -> FolderReader {
        try FolderReader(owning: calling { openat(descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC) })
    }

    // MARK: Going down

    /// - Throws: `ENOTDIR` for another object; a link is as good as missing.
    func folder(_ name: UnsafePointer<CChar>) throws(FileFailure) -> Folder {
        do {
            return Folder(try calling { openat(descriptor, name, Self.place | O_NOFOLLOW) })
        } catch let error where error.code == ENOTDIR || error.code == ELOOP {
            // A directory by now: what stood here a moment ago was not.
            let kind = try status(of: name).kind
            throw kind == .link || kind == .directory ? .missing : FileFailure(ENOTDIR)
        }
    }

    /// A regular file, for reading: the descriptor is the caller's.
    /// - Throws: `ENOENT` for a link, a pipe, a socket or a device, which are never opened.
    func open(_ name: String) throws(FileFailure) -> CInt {
        guard try status(of: name).kind == .file else { throw .missing }
        let file = try openUnlinked(name, O_RDONLY)
        return try regular(file)
    }

    /// A regular file, for writing.
    /// - Parameter work: closes it.
    /// - Throws: `EISDIR` for a directory, `ENOENT` for a link, `EINVAL` for what is neither.
    func openForWriting(_ name: String, creating: Bool, closedBy work: FileWork) throws(FileFailure) -> WritableFile {
        do throws(FileFailure) {
            switch try status(of: name).kind {
            case .file: break
            case .directory: throw FileFailure(EISDIR)
            case .link: throw FileFailure.missing
            case .special: throw FileFailure(EINVAL)
            }
        } catch let error where error == .missing && creating {
            // To be made, unless it is a link: then O_NOFOLLOW refuses.
        }
        if creating {
            do {
                let file = try openUnlinked(name, O_WRONLY | O_CREAT | O_EXCL)
                return WritableFile(file, self, name, work, isNew: true, size: 0)
            } catch let error where error.code == EEXIST {
                // It is there, or has come to be there meanwhile.
            }
        }
        let file = try regular(try openUnlinked(name, O_WRONLY))
        var raw = stat()
        _ = fstat(file, &raw)
        return WritableFile(file, self, name, work, isNew: false, size: Int64(raw.st_size))
    }

    /// Should the name stand for something else by now: no waiting for a pipe's other end, and no link.
    private func openUnlinked(_ name: String, _ flags: CInt) throws(FileFailure) -> CInt {
        let file = openat(descriptor, name, flags | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0o777)
        guard file < 0 else { return file }
        throw errno == ELOOP ? .missing : FileFailure(errno)
    }

    private func regular(_ file: CInt) throws(FileFailure) -> CInt {
        var raw = stat()
        guard fstat(file, &raw) == 0, raw.st_mode & S_IFMT == S_IFREG else {
            close(file)
            throw .missing
        }
        return file
    }

    // MARK: Changing

    func make(_ name: String) throws(FileFailure) {
        try calling { mkdirat(descriptor, name, 0o777) }
    }

    /// Removes anything but a directory.
    func remove(_ name: UnsafePointer<CChar>) throws(FileFailure) {
        try calling { unlinkat(descriptor, name, 0) }
    }

    func removeFolder(_ name: UnsafePointer<CChar>) throws(FileFailure) {
        try calling { unlinkat(descriptor, name, AT_REMOVEDIR) }
    }

    func rename(_ name: String, to other: Folder, _ newName: String) throws(FileFailure) {
        try calling { renameat(descriptor, name, other.descriptor, newName) }
    }
}
