/// A fact's two keys: it is written under both, and the newer one is believed.
struct DiskKey: Sendable {
    let old: String
    let new: String

    func value(in map: [String: String]) -> String? { map[new] ?? map[old] }

    func write(_ value: String, to map: inout [String: String]) {
        map[old] = value
        map[new] = value
    }
}

/// The labels and annotations that make a claim a disk (disk.md 8.4).
enum DiskKeys {
    static let yes = "true"

    static let mark = DiskKey(old: "platform.neuromation.io/disk-api-pvc", new: "platform.apolo.us/disk")
    static let user = DiskKey(old: "platform.neuromation.io/user", new: "platform.apolo.us/user")
    static let org = DiskKey(old: "platform.neuromation.io/disk-api-org-name", new: "platform.apolo.us/org")
    static let project = DiskKey(old: "platform.neuromation.io/project", new: "platform.apolo.us/project")
    static let deleted = DiskKey(old: "platform.neuromation.io/disk-api-pvc-deleted", new: "platform.apolo.us/disk-deleted")

    static let created = DiskKey(
        old: "platform.neuromation.io/disk-api-pvc-created-at", new: "platform.apolo.us/disk-creation-date")
    static let lifeSpan = DiskKey(old: "platform.neuromation.io/disk-api-pvc-life-span", new: "platform.apolo.us/disk-life-span")
    static let name = DiskKey(old: "platform.neuromation.io/disk-api-pvc-name", new: "platform.apolo.us/disk-name")
    static let lastUsage = DiskKey(
        old: "platform.neuromation.io/disk-api-pvc-last-usage", new: "platform.apolo.us/disk-last-usage-date")
    static let usedBytes = DiskKey(old: "platform.neuromation.io/disk-api-used-bytes", new: "platform.apolo.us/disk-bytes-used")
}
