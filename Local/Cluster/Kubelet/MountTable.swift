import Foundation

#if canImport(Glibc)
    import Glibc
#endif

/// What is mounted on this machine.
enum MountTable {
    static func current() -> Set<String> {
        let text = KernelFile.text("/proc/self/mounts") ?? ""
        var points: Set<String> = []
        for line in text.split(separator: "\n") {
            let fields = line.split(separator: " ")
            guard fields.count > 1 else { continue }
            points.insert(fields[1].replacingOccurrences(of: "\\040", with: " "))
        }
        return points
    }

    /// Takes away what is mounted in a folder, so that it can be removed.
    static func unmountAll(below folder: String) {
        for point in current().filter({ $0.hasPrefix(folder + "/") }).sorted(by: >) { umount2(point, Int32(MNT_DETACH)) }
    }
}
