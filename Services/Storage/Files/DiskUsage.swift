import Glibc

/// How full a file system is, in bytes.
struct DiskUsage: Sendable, Encodable, Equatable {
    let total: UInt64
    let used: UInt64
    /// What users without privileges may still take.
    let free: UInt64

    init(_ descriptor: CInt) throws(FileFailure) {
        var raw = statvfs()
        try calling { fstatvfs(descriptor, &raw) }
        let block = UInt64(raw.f_frsize)
        total = UInt64(raw.f_blocks) * block
        used = UInt64(raw.f_blocks - raw.f_bfree) * block
        free = UInt64(raw.f_bavail) * block
    }
}
