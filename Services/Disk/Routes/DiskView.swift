import PlatformModel

/// A disk as clients read it: every key is there, also those without a value.
struct DiskView: Encodable, Sendable {
    let disk: Disk

    init(_ disk: Disk) { self.disk = disk }

    private enum CodingKeys: String, CodingKey {
        case id, storage, status, owner, name
        case org = "org_name"
        case project = "project_name"
        case created = "created_at"
        case lastUsage = "last_usage"
        case lifeSpan = "life_span"
        case usedBytes = "used_bytes"
    }

    func encode(to encoder: any Encoder) throws {
        var box = encoder.container(keyedBy: CodingKeys.self)
        try box.encode(disk.id.text, forKey: .id)
        try box.encode(disk.storage, forKey: .storage)
        try box.encode(disk.status.rawValue, forKey: .status)
        try box.encode(disk.owner, forKey: .owner)
        try box.encode(disk.name, forKey: .name)
        try box.encode(disk.org, forKey: .org)
        try box.encode(disk.project, forKey: .project)
        try box.encode(disk.createdAt, forKey: .created)
        try box.encode(disk.lastUsage, forKey: .lastUsage)
        try box.encode(disk.lifeSpan?.seconds, forKey: .lifeSpan)
        try box.encode(disk.usedBytes, forKey: .usedBytes)
    }
}
