import Crypto
import Foundation

/// Names derived from an org and a project, computed once and stored with the job.
enum JobNamespace {
    /// Longest sum of the two shortened names: 63 less `platform`, three separators and the hash.
    private static let budget = 25

    /// The Kubernetes namespace of an org's project (jobs-orchestration.md 3.2).
    static func name(org: String, project: String) -> String {
        let org = normalised(org)
        let project = normalised(project)
        let joined = "\(org)--\(project)"
        let hash = hex(SHA256.hash(data: Data(joined.utf8))).prefix(24)
        guard joined.count > budget else { return "platform--\(joined)--\(hash)" }
        let total = org.count + project.count
        let excess = total - budget
        let orgCut = Int((Double(org.count) / Double(total) * Double(excess)).rounded(.toNearestOrEven))
        return "platform--\(shortened(org, by: orgCut))--\(shortened(project, by: excess - orgCut))--\(hash)"
    }

    /// Ten hex digits that stand for org and project in public host names (jobs-api.md 14.3). No separator between the two: collisions are
    /// possible, therefore the store keeps active names unique per hash.
    static func hash(org: String, project: String) -> String {
        String(hex(SHA256.hash(data: Data((org + project).utf8))).prefix(10))
    }

    private static func normalised(_ name: String) -> String {
        var result = ""
        var inRun = false
        for character in name {
            if character.isWhitespace || "_:/\\".contains(character) {
                if !inRun { result.append("-") }
                inRun = true
            } else {
                result.append(character)
                inRun = false
            }
        }
        return result.lowercased()
    }

    private static func shortened(_ name: String, by cut: Int) -> Substring {
        cut <= 0 ? name[...] : name.prefix(max(1, name.count - cut))
    }

    private static func hex(_ digest: SHA256.Digest) -> String {
        digest.map { byte in
            let text = String(byte, radix: 16)
            return byte < 16 ? "0" + text : text
        }.joined()
    }
}
