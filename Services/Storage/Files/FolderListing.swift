/// A directory that is being listed.
struct FolderListing: Sendable {
    struct Entry: Sendable {
        let name: FolderReader.Entry
        let status: FileStatus
    }

    let folder: Folder
    private let reader: FolderReader

    init(folder: Folder, reader: FolderReader) {
        self.folder = folder
        self.reader = reader
    }

    /// Some more entries, and whether they are the last. What went away since its name was read is left out.
    func next(_ limit: Int) throws(FileFailure) -> (entries: [Entry], isLast: Bool) {
        let names = try reader.next(limit)
        var entries: [Entry] = []
        entries.reserveCapacity(names.count)
        for name in names {
            do {
                entries.append(Entry(name: name, status: try folder.status(of: name.name)))
            } catch let error where error == .missing {
                continue
            }
        }
        return (entries, names.count < limit)
    }
}
