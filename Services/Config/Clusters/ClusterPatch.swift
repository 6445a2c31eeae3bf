import Foundation
import PlatformModel
import ServiceKit

/// A partial document (config.md 4.1): an absent key is unchanged, a present section replaces that section, with the exceptions that are
/// spelled out below. Unknown keys are ignored.
struct ClusterPatch: Sendable {
    private let members: [String: JSON]

    /// Sections that are replaced, each with the optional keys that keep their stored value when absent.
    private static let replaced: [String: [String]] = [
        "storage": ["volumes"], "apps": ["launchpad_use_subdomain"], "ingress": ["default_cors_origins", "additional_cors_origins"],
        "dns": ["a_records"], "disks": ["storage_limit_per_user"], "registry": [], "monitoring": [], "secrets": [], "grafana": [],
        "prometheus": [], "metrics": [], "buckets": [], "energy": [],
    ]
    /// Sections whose keys are merged one by one.
    private static let merged: Set<String> = ["orchestrator", "credentials"]
    private static let scalars: Set<String> = ["location", "logo_url", "timezone"]
    /// What the software inside a cluster may change with the cluster's own token.
    private static let ownKeys: Set<String> = ["orchestrator", "dns"]

    init(_ body: JSON) throws {
        guard case .object(let members) = body else { throw PlatformError.badRequest("The body must be a JSON object") }
        for (key, value) in members where Self.replaced[key] != nil || Self.merged.contains(key) {
            guard case .object = value else { throw PlatformError.badRequest("\(key): expected an object") }
        }
        if members["timezone"] == .null { throw PlatformError.badRequest("timezone: must not be null") }
        self.members = members.filter { Self.replaced[$0.key] != nil || Self.merged.contains($0.key) || Self.scalars.contains($0.key) }
    }

    /// Whether a cluster's own token is enough.
    var isForOwnToken: Bool { members.keys.allSatisfy(Self.ownKeys.contains) }

    /// Whether it names the Kubernetes API that the control plane's services are to use.
    var saysWhereToConnect: Bool {
        switch members["credentials"]?["kubernetes"] {
        case nil, .null: false
        default: true
        }
    }

    /// - Parameter monitored: the patch comes from the software inside the cluster, which knows nothing but the nodes.
    func apply(to document: inout ClusterDocument, monitored: Bool) throws {
        let before = document
        var stored = try document.members()
        for (key, value) in members where key != "credentials" {
            switch value {
            case .object(let section): stored[key] = .object(Self.combine(key, section, stored[key]))
            default: stored[key] = value
            }
        }
        // The older name of both.
        if let metrics = members["metrics"] {
            stored["grafana"] = members["grafana"] ?? metrics
            stored["prometheus"] = members["prometheus"] ?? metrics
        }
        document = try JSONBodyDecoder.decode(ClusterDocument.self, from: JSONEncoder().encode(JSON.object(stored)))
        if let credentials = members["credentials"] {
            document.credentials = try ClusterCredentials(before.credentials).merging(credentials).json
        }
        document.energy.normalize()
        if monitored, members["orchestrator"]?["resource_pool_types"] != nil {
            document.orchestrator.keepWhatTheMonitorDoesNotKnow(of: before.orchestrator.resourcePoolTypes)
        }
    }

    private static func combine(_ key: String, _ section: [String: JSON], _ stored: JSON?) -> [String: JSON] {
        guard case .object(let before) = stored else { return section }
        if merged.contains(key) { return before.merging(section.filter { $0.value != .null }) { _, new in new } }
        var result = section
        for name in replaced[key] ?? [] where result[name] == nil || result[name] == .null { result[name] = before[name] }
        return result
    }
}

extension ClusterDocument {
    /// The members of its JSON form.
    func members() throws -> [String: JSON] {
        guard case .object(let members) = try JSONDecoder().decode(JSON.self, from: PlatformJSON.encoder().encode(self)) else { return [:] }
        return members
    }

    /// The names of the sections that are not the same, in order.
    func sections(differingFrom other: ClusterDocument) throws -> [String] {
        let (own, others) = (try members(), try other.members())
        return Set(own.keys).union(others.keys).filter { own[$0] != others[$0] }.sorted()
    }
}

extension OrchestratorSection {
    /// The pool monitor inside a cluster counts nodes. Prices, watts and what else it cannot see stay as they were; so do the limits of a
    /// pool that grows and shrinks by itself, and such a pool stays even if the monitor, which may have read an older document, leaves it
    /// out.
    fileprivate mutating func keepWhatTheMonitorDoesNotKnow(of stored: [ResourcePoolType]) {
        let known = Dictionary(stored.map { ($0.name, $0) }) { first, _ in first }
        resourcePoolTypes = resourcePoolTypes.map { pool in
            guard let known = known[pool.name] else { return pool }
            var pool = pool
            pool.price = known.price
            pool.currency = known.currency
            pool.cpuMinWatts = known.cpuMinWatts
            pool.cpuMaxWatts = known.cpuMaxWatts
            pool.idleSize = known.idleSize
            pool.isPreemptible = known.isPreemptible
            pool.tpu = known.tpu
            pool.intelGPU = known.intelGPU
            if known.isAutoscaled { (pool.minSize, pool.maxSize) = (known.minSize, known.maxSize) }
            return pool
        }
        let reported = Set(resourcePoolTypes.map(\.name))
        resourcePoolTypes += stored.filter { $0.isAutoscaled && !reported.contains($0.name) }
    }
}

extension ResourcePoolType {
    fileprivate var isAutoscaled: Bool { minSize != maxSize }
}

extension EnergySection {
    /// A period until midnight ends with the day's last minute, which is how clients can read it.
    fileprivate mutating func normalize() {
        for schedule in schedules.indices {
            for period in schedules[schedule].periods.indices
            where ["00:00", "00:00:00"].contains(schedules[schedule].periods[period].endTime) {
                schedules[schedule].periods[period].endTime = Period.endOfDay
            }
        }
    }
}

extension EnergySection.Period {
    static let endOfDay = "23:59"
}
