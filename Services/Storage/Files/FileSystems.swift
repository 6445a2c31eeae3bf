import CFileSystems
import Glibc
import Synchronization

/// Which file systems are other machines': what is asked of one may take as long as the network and that machine please.
final class FileSystems: Sendable {
    /// `f_type` of those that only disks or the memory of this machine are behind (statfs(2)): ext, XFS, Btrfs, ZFS, F2FS, bcachefs, tmpfs,
    /// and layers over them.
    private static let near: Set<UInt32> = [
        0xEF53, 0x5846_5342, 0x9123_683E, 0x2FC1_2FC1, 0xF2F5_2010, 0xCA45_1A4E, 0x0102_1994, 0x8584_58F6, 0x794C_7630,
    ]
    /// More are not remembered.
    private static let most = 1000

    /// By their numbers: to ask one for its kind is a question to the other machine.
    private let known = Mutex<[dev_t: Bool]>([:])

    /// Of an open file. What cannot be told is taken for another machine's.
    func isRemote(_ descriptor: CInt) -> Bool {
        var raw = stat()
        guard fstat(descriptor, &raw) == 0 else { return true }
        if let isRemote = known.withLock({ $0[raw.st_dev] }) { return isRemote }
        var system = statfs()
        guard fstatfs(descriptor, &system) == 0 else { return true }
        let isRemote = !Self.near.contains(UInt32(truncatingIfNeeded: system.f_type))
        known.withLock { known in
            if known.count >= Self.most { known.removeAll() }
            known[raw.st_dev] = isRemote
        }
        return isRemote
    }
}
