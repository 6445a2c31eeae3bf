import Glibc

/// A directory that is being listed.
struct FolderListing: Sendable {
    let folder: Folder
    private let reader: FolderReader

    init(folder: Folder, reader: FolderReader) {
        self.folder = folder
        self.reader = reader
    }

    /// Some more entries. What went away since its name was read is left out.
    /// - Parameter each: called with the bytes of each name, where they are read, and with what it names.
    /// - Returns: whether they are the last.
    func next(_ limit: Int, _ each: (UnsafeBufferPointer<UInt8>, FileStatus) -> Void) throws(FileFailure) -> Bool {
        let count = try reader.forEach(limit) { (name, _) throws(FileFailure) in
            guard let status = try folder.statusIfThere(of: name) else { return }
            each(UnsafeBufferPointer(start: UnsafeRawPointer(name).assumingMemoryBound(to: UInt8.self), count: strlen(name)), status)
        }
        return count < limit
    }
}
