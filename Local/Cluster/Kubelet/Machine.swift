import Foundation
import NIOCore

#if canImport(Glibc)
    import Glibc
#endif

/// What this machine has, as far as this process may use it.
struct Machine: Sendable {
    let name: String
    let address: String
    let processors: Int
    /// Bytes.
    let memory: Int64
    /// Bytes of the file system that pods write to.
    let disk: Int64
    let kernel: String
    let operatingSystem: String
    let identifier: String
    let bootIdentifier: String
    /// The kernel counts swap by group, so that a limit of memory can forbid it.
    let accountsForSwap: Bool

    /// The kubelet's own reserve, below which it would begin to evict.
    static let reservedMemory: Int64 = 100 << 20
    static let podLimit = 110

    init(folder: String) {
        func read(_ path: String) -> String? {
            KernelFile.text(path)?.trimmingCharacters(in: .whitespacesAndNewlines)
        }
        var names = utsname()
        uname(&names)
        func text<T>(_ tuple: T) -> String {
            withUnsafeBytes(of: tuple) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        }
        name = Self.nodeName(text(names.nodename))
        kernel = text(names.release)
        address = Self.primaryAddress()
        processors = ProcessInfo.processInfo.activeProcessorCount
        let physical = read("/proc/meminfo").flatMap(Self.totalMemory) ?? Int64(ProcessInfo.processInfo.physicalMemory)
        // In a container the machine is larger than what may be used.
        let limits = ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"].compactMap {
            read($0).flatMap { Int64($0) }
        }
        memory = ([physical] + limits).min() ?? physical
        var disk = statvfs()
        self.disk = statvfs(folder, &disk) == 0 ? Int64(disk.f_blocks) * Int64(disk.f_frsize) : 0
        operatingSystem = read("/etc/os-release").flatMap(Self.prettyName) ?? "Linux"
        identifier = read("/etc/machine-id") ?? ""
        bootIdentifier = read("/proc/sys/kernel/random/boot_id") ?? ""
        let unified = FileManager.default.fileExists(atPath: "/sys/fs/cgroup/cgroup.controllers")
        accountsForSwap = unified || FileManager.default.fileExists(atPath: "/sys/fs/cgroup/memory/memory.memsw.limit_in_bytes")
    }

    static var architecture: String {
        #if arch(x86_64)
            "amd64"
        #elseif arch(arm64)
            "arm64"
        #else
            "unknown"
        #endif
    }

    var capacity: [String: String] {
        [
            "cpu": String(processors), "memory": "\(memory / 1024)Ki", "pods": String(Self.podLimit),
            "ephemeral-storage": "\(disk / 1024)Ki",
        ]
    }

    var allocatable: [String: String] {
        var allocatable = capacity
        allocatable["memory"] = "\((memory - Self.reservedMemory) / 1024)Ki"
        allocatable["ephemeral-storage"] = String(disk / 10 * 9)
        return allocatable
    }

    /// A host name as an object's name.
    static func nodeName(_ host: String) -> String {
        let allowed = host.lowercased().map { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "." || $0 == "-") ? $0 : "-" }
        let trimmed = String(allowed).trimmingCharacters(in: CharacterSet(charactersIn: "-."))
        return trimmed.isEmpty ? "node" : String(trimmed.prefix(63))
    }

    static func totalMemory(_ text: String) -> Int64? {
        for line in text.split(separator: "\n") where line.hasPrefix("MemTotal:") {
            return line.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int64($0) }.map { $0 * 1024 }
        }
        return nil
    }

    private static func prettyName(_ text: String) -> String? {
        for line in text.split(separator: "\n") where line.hasPrefix("PRETTY_NAME=") {
            return line.dropFirst("PRETTY_NAME=".count).trimmingCharacters(in: CharacterSet(charactersIn: "\""))
        }
        return nil
    }

    /// The first address that others could know this machine by.
    private static func primaryAddress() -> String {
        for device in (try? System.enumerateDevices()) ?? [] {
            guard case .v4? = device.address, let address = device.address?.ipAddress, !address.hasPrefix("127.") else { continue }
            // Bridges of pods are not the machine's.
            if address.hasPrefix("198.18.") || address.hasPrefix("198.19.") { continue }
            return address
        }
        return "127.0.0.1"
    }
}
