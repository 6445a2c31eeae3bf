import Foundation
import Logging
import PlatformClients
import PlatformModel
import ServiceLifecycle

/// What config-api says of the clusters, in memory. Bound: as many documents as there are clusters. Ended early by: config-api, which tells of
/// each change at once, and asking at once for a cluster that is not known. While config-api is away what was last read stays in force.
actor ClusterRegistry {
    private let config: ConfigClient
    /// How soon config-api is asked again after it did not answer, or did not know a cluster.
    private let interval: Duration
    private let logger: Logger
    /// nil until config-api answered once.
    private var documents: [String: ClusterDocument]?
    private var missedAt: [String: ContinuousClock.Instant] = [:]
    private var followers: [UUID: AsyncStream<[String: ClusterDocument]>.Continuation] = [:]

    init(config: ConfigClient, interval: Duration, logger: Logger) {
        self.config = config
        self.interval = interval
        self.logger = logger
    }

    /// The document of a cluster; nil when config-api does not know it. Waits for config-api only as long as nothing was ever read.
    func cluster(_ name: String) async throws -> ClusterDocument? {
        let known = try await all()
        if let document = known[name] { return document }
        // It may have been added a moment ago; but a name that is asked for again and again must not make a request each time.
        if let missed = missedAt[name], ContinuousClock.now - missed < interval { return nil }
        if missedAt.count > 1000 { missedAt = [:] }
        missedAt[name] = .now
        guard let name = try? ClusterName(name), let document = try? await config.cluster(name) else { return nil }
        var documents = self.documents ?? [:]
        documents[name.text] = document
        take(documents)
        return document
    }

    func all() async throws -> [String: ClusterDocument] {
        if let documents { return documents }
        let read = Self.byName(try await config.clusters())
        take(read)
        return read
    }

    /// Whether config-api itself says that there is no such cluster; false whenever that is not certain.
    func isGone(_ name: String) async -> Bool {
        guard let documents, documents[name] == nil, let name = try? ClusterName(name) else { return false }
        do {
            return try await config.cluster(name) == nil
        } catch {
            return false
        }
    }

    /// The documents now and after every change, until the caller stops listening; a slow listener sees the newest only.
    func changes() -> AsyncStream<[String: ClusterDocument]> {
        let (stream, continuation) = AsyncStream.makeStream(of: [String: ClusterDocument].self, bufferingPolicy: .bufferingNewest(1))
        followers[UUID()] = continuation
        if let documents { continuation.yield(documents) }
        return stream
    }

    private func take(_ read: [String: ClusterDocument]) {
        guard read != documents else { return }
        documents = read
        missedAt = [:]
        for (id, follower) in followers {
            if case .terminated = follower.yield(read) { followers[id] = nil }
        }
    }

    private static func byName(_ clusters: [ClusterDocument]) -> [String: ClusterDocument] {
        Dictionary(clusters.map { ($0.name.text, $0) }) { _, last in last }
    }
}

extension ClusterRegistry: Service {
    /// Follows config-api until shutdown.
    func run() async throws {
        let changes = config.clusterChanges(every: interval)
        try await cancelWhenGracefulShutdown {
            do {
                for try await clusters in changes { await self.take(Self.byName(clusters)) }
            } catch is CancellationError {
                // Stopped.
            }
        }
    }
}
