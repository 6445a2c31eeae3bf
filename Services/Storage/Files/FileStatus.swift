import Glibc

/// What the file system says of one object.
struct FileStatus: Sendable, Equatable {
    enum Kind: Sendable {
        case file, directory, link
        /// A pipe, socket or device: shown as an empty file, and never opened.
        case special

        /// As clients call it.
        var name: String {
            switch self {
            case .file, .special: "FILE"
            case .directory: "DIRECTORY"
            case .link: "SYMLINK"
            }
        }
    }

    let kind: Kind
    /// Bytes of a file; 0 for a directory, 1 for a link.
    let length: Int64
    /// Whole seconds since 1970; negative before.
    let modified: Int64

    init(_ raw: stat) {
        kind =
            switch raw.st_mode & S_IFMT {
            case S_IFREG: .file
            case S_IFDIR: .directory
            case S_IFLNK: .link
            default: .special
            }
        length =
            switch kind {
            case .file: Int64(raw.st_size)
            case .directory, .special: 0
            case .link: 1
            }
        modified = Int64(raw.st_mtim.tv_sec)
    }

    init(kind: Kind, length: Int64, modified: Int64) {
        self.kind = kind
        self.length = length
        self.modified = modified
    }
}
