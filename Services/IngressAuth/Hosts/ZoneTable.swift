import Logging
import PlatformClients
import PlatformModel
import ServiceLifecycle
import Synchronization

/// The zones of all clusters, following config-api's list: a new cluster works within the interval, a removed one is forgotten as soon.
/// While config-api is away, what is known stays in force.
final class ZoneTable: Service, Sendable {
    /// nil until the list has been read once: then nothing is known, not even that a host is foreign.
    private let zones = Mutex<[Zone]?>(nil)
    private let config: ConfigClient
    private let interval: Duration
    private let platformHosts: [String]
    private let logger: Logger

    init(config: ConfigClient, interval: Duration, platformHosts: [String], logger: Logger) {
        self.config = config
        self.interval = interval
        self.platformHosts = platformHosts
        self.logger = logger
    }

    func run() async throws {
        try await cancelWhenGracefulShutdown { [self] in
            do {
                for try await clusters in config.clusterChanges(every: interval) { replace(clusters) }
            } catch is CancellationError {}
        }
    }

    var isKnown: Bool { zones.withLock { $0 != nil } }

    /// The zone of a host; exact platform hosts before templates.
    func place(_ host: HostName) -> PlacedHost? {
        zones.withLock { zones in
            for zone in zones ?? [] {
                if let subject = zone.subject(of: host) { return PlacedHost(zone: zone, host: host, subject: subject) }
            }
            return nil
        }
    }

    private func replace(_ clusters: [ClusterDocument]) {
        let new = clusters.flatMap { Zone.zones(of: $0, platformHosts: platformHosts) }
        // A host that a platform page and a template share is the page's.
        zones.withLock { $0 = new.filter { $0.kind == .platform } + new.filter { $0.kind != .platform } }
        logger.info("The clusters changed", metadata: ["clusters": "\(clusters.count)", "zones": "\(new.count)"])
    }
}
