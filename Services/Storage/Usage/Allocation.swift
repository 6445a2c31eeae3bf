import Glibc

/// What an object takes of the disk, as `du` counts it: allocated blocks, whatever its length.
struct Allocation: Sendable {
    /// An object, whatever it is called.
    struct Identity: Hashable, Sendable {
        let device: UInt64
        let number: UInt64
    }

    let bytes: Int64
    let isDirectory: Bool
    /// What an object is known by that may have other names; nil when it has one only.
    let shared: Identity?

    init(_ raw: stat) {
        // POSIX leaves the unit of st_blocks open; Linux says 512.
        bytes = Int64(raw.st_blocks) * 512
        isDirectory = raw.st_mode & S_IFMT == S_IFDIR
        shared = isDirectory || raw.st_nlink < 2 ? nil : Identity(device: UInt64(raw.st_dev), number: UInt64(raw.st_ino))
    }
}
