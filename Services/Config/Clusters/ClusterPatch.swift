import Foundation
import PlatformModel
import ServiceKit

/// A partial document (config.md 4.1): an absent key is unchanged, a present section replaces that section, with the exceptions that are
/// spelled out below.
struct ClusterPatch: Sendable {
    private let members: [String: JSON]

    /// Sections whose keys are merged one by one.
    private static let merged: Set<String> = ["orchestrator", "credentials"]
    /// Optional keys of replaced sections that keep their stored value when absent.
    private static let kept = [
        "storage": ["volumes"], "apps": ["launchpad_use_subdomain"], "ingress": ["default_cors_origins", "additional_cors_origins"],
        "dns": ["a_records"], "disks": ["storage_limit_per_user"],
    ]
    private static let sections: Set<String> = [
        "storage", "registry", "orchestrator", "monitoring", "secrets", "grafana", "prometheus", "metrics", "disks", "buckets", "energy",
        "apps", "credentials", "ingress", "dns",
    ]
    private static let scalars: Set<String> = ["location", "logo_url", "timezone"]
    /// What the software inside a cluster may change with the cluster's own token.
    private static let ownKeys: Set<String> = ["orchestrator", "dns"]

    init(_ body: JSON) throws {
        guard case .object(let members) = body else { throw PlatformError.badRequest("The body must be a JSON object") }
        for (key, value) in members where Self.sections.contains(key) {
            guard case .object = value else { throw PlatformError.badRequest("\(key): expected an object") }
        }
        // Unknown keys are ignored.
        self.members = members.filter { Self.sections.contains($0.key) || Self.scalars.contains($0.key) }
    }

    /// Whether a cluster's own token is enough.
    var isForOwnToken: Bool { members.keys.allSatisfy(Self.ownKeys.contains) }

    func apply(to document: inout ClusterDocument) throws {
        var stored = try Self.members(of: document)
        for (key, value) in members {
            switch value {
            case .object(let section): stored[key] = .object(Self.combine(key, section, stored[key]))
            default: stored[key] = value
            }
        }
        if let metrics = members["metrics"] {
            stored["grafana"] = members["grafana"] ?? metrics
            stored["prometheus"] = members["prometheus"] ?? metrics
        }
        let changed: ClusterDocument = try JSONBodyDecoder.decode(ClusterDocument.self, from: JSONEncoder().encode(JSON.object(stored)))
        try Self.validate(changed)
        document = changed
        document.orchestrator.computeAvailablePools()
    }

    private static func combine(_ key: String, _ section: [String: JSON], _ stored: JSON?) -> [String: JSON] {
        guard case .object(let before) = stored else { return section }
        if merged.contains(key) { return before.merging(section) { _, new in new } }
        var result = section
        for name in kept[key] ?? [] where result[name] == nil { result[name] = before[name] }
        return result
    }

    private static func members(of document: ClusterDocument) throws -> [String: JSON] {
        guard case .object(let members) = try JSONDecoder().decode(JSON.self, from: PlatformJSON.encoder().encode(document)) else {
            return [:]
        }
        return members
    }

    private static func validate(_ document: ClusterDocument) throws {
        guard TimeZone(identifier: document.timezone) != nil else {
            throw PlatformError.badRequest("timezone: '\(document.timezone)' is not an IANA time zone")
        }
        guard document.orchestrator.jobHostnameTemplate.contains("{job_id}") else {
            throw PlatformError.badRequest("orchestrator.job_hostname_template: must contain {job_id}")
        }
        let pools = document.orchestrator.resourcePoolTypes
        guard Set(pools.map(\.name)).count == pools.count else {
            throw PlatformError.badRequest("orchestrator.resource_pool_types: two pools have the same name")
        }
        let presets = document.orchestrator.resourcePresets
        guard Set(presets.map(\.name)).count == presets.count else {
            throw PlatformError.badRequest("orchestrator.resource_presets: two presets have the same name")
        }
        for preset in presets { try PresetRules.check(preset, pools: pools) }
    }
}
