import Foundation

/// What a caller writes for a disk: its id, which is the name of its claim, or what it is called.
///
/// Only a text that may name an object of Kubernetes is one: nothing else may become part of a path there.
struct DiskReference: Hashable, Sendable, CustomStringConvertible {
    let text: String

    /// nil for a text that can name no disk.
    init?(_ text: String) {
        let bytes = Array(text.utf8)
        guard (1...253).contains(bytes.count), let first = bytes.first, let last = bytes.last, Self.isLowerOrDigit(first),
            Self.isLowerOrDigit(last),
            bytes.allSatisfy({ Self.isLowerOrDigit($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: ".") })
        else { return nil }
        self.text = text
    }

    private init(checked text: String) { self.text = text }

    /// The id of a new disk.
    static func random() -> DiskReference { DiskReference(checked: "disk-" + UUID().uuidString.lowercased()) }

    /// Whether it has the form of an id that this service gave, which no two disks of a cluster share.
    var isID: Bool {
        guard text.hasPrefix("disk-") else { return false }
        let groups = text.dropFirst("disk-".count).split(separator: "-", omittingEmptySubsequences: false)
        return groups.map(\.utf8.count) == [8, 4, 4, 4, 12] && groups.allSatisfy { $0.utf8.allSatisfy(Self.isLowerOrDigit) }
    }

    var description: String { text }

    private static func isLowerOrDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }
}
