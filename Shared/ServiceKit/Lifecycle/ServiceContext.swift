import AsyncHTTPClient
import Foundation
import Logging
import Metrics
import ServiceLifecycle
import Synchronization

/// What a process gives its service: settings, log, HTTP clients, metrics, and the stores by ``postgres(migrations:)`` and ``redis()``.
public struct ServiceContext: Sendable {
    /// The service's name.
    public let name: String
    /// The settings of the process.
    public let settings: Settings
    /// The process's logger.
    public let logger: Logger
    /// For calls that answer at once: 5 s to connect, 30 s between two pieces of an answer.
    public let http: HTTPClient
    /// For watches, logs and uploads: HTTP/1.1 only, no total limit, five minutes of silence at most.
    public let streaming: HTTPClient
    /// The metrics of this process; `Counter(label: "…", factory: context.metrics)`.
    public let metrics: PrometheusMetrics
    /// The time; set in tests. Anything compared between replicas uses the database's clock instead.
    public let clock: @Sendable () -> Date

    let parts: ServiceParts

    /// A context; made by ``ServiceRunner`` and by the test support.
    public init(
        name: String, settings: Settings, logger: Logger, http: HTTPClient, streaming: HTTPClient, metrics: PrometheusMetrics,
        clock: @escaping @Sendable () -> Date = { Date() }
    ) {
        self.name = name
        self.settings = settings
        self.logger = logger
        self.http = http
        self.streaming = streaming
        self.metrics = metrics
        self.clock = clock
        parts = ServiceParts()
    }

    /// Adds something that must run while the process serves and stop after the server and the background services have (a store).
    public func run(_ service: any Service) { parts.add(service) }

    /// Says what is to be done with something made for the service if the service cannot be built after all, and so nothing ever runs.
    public func ifNotBuilt(_ end: @escaping @Sendable () async -> Void) { parts.end(end) }

    /// Shows a dependency's state in the body of `/ready` and in `/metrics`; it never changes readiness itself.
    public func watch(_ name: String, _ state: @escaping @Sendable () async -> DependencyState) { parts.watch(name, state) }
}
