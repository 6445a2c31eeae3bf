import Foundation
import PlatformModel

/// How much all disks of a project may hold together.
struct ProjectQuota: Sendable {
    /// Bytes.
    let limit: Int64

    /// Whether so much more fits beside what stands.
    func admits(_ bytes: Int64, beside standing: [Disk]) -> Bool {
        var sum = bytes
        for disk in standing {
            let (next, overflow) = sum.addingReportingOverflow(disk.storage)
            if overflow { return false }
            sum = next
        }
        return sum <= limit
    }

    /// Whether a disk that was just made still fits: of disks made at the same time by several processes, the later ones do not.
    func admits(_ disk: Disk, asked bytes: Int64, among standing: [Disk]) -> Bool {
        admits(bytes, beside: standing.filter { $0.id != disk.id && ($0.createdAt, $0.id.text) < (disk.createdAt, disk.id.text) })
    }

    /// In the units that clients show: `500.0`, `0.01953125`.
    var gigabytes: String { "\(Double(limit) / Double(1 << 30))" }
}
