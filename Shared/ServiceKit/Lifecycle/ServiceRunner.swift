import Foundation
import Logging
import Metrics
import ServiceLifecycle
import UnixSignals

/// Runs a service as a process.
public enum ServiceRunner {
    /// The whole of a `main.swift`: `try await ServiceRunner.main(AuthService.self)`.
    ///
    /// Bootstraps logging and metrics, builds the service from the environment, serves until SIGTERM or SIGINT, and stops in order. A
    /// start that fails ends the process with status 1 and one clear sentence in the log; so does a part that fails while running.
    public static func main<S: PlatformService>(_ type: S.Type, authenticator: AuthenticatorFactory? = nil) async throws {
        let settings = Settings.environment()
        let level = settings.optional("log.level").map { Logger.Level(rawValue: $0.lowercased()) } ?? .info
        LoggingSystem.bootstrap { JSONLogHandler(label: $0, level: level ?? .info) }
        let metrics = PrometheusMetrics()
        MetricsSystem.bootstrap(metrics)
        let logger = Logger(label: S.name)
        do {
            guard level != nil else {
                throw SettingError("ORRERY_LOG_LEVEL is none of \(Logger.Level.allCases.map(\.rawValue).joined(separator: ", ")).")
            }
            try await run(type, settings: settings, logger: logger, metrics: metrics, authenticator: authenticator)
            logger.notice("Stopped")
        } catch is CancellationError {
            logger.notice("Stopped before it had started")
        } catch {
            logger.critical("\(S.name) stops: \(error)")
            exit(1)
        }
    }

    private static func run<S: PlatformService>(
        _ type: S.Type, settings: Settings, logger: Logger, metrics: PrometheusMetrics, authenticator: AuthenticatorFactory?
    ) async throws {
        let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint)
        let (started, start) = AsyncStream.makeStream(of: ServiceAssembly.self)
        try await withThrowingTaskGroup(of: Bool.self) { tasks in
            tasks.addTask {
                let assembly = try await ServiceAssembly(
                    type, settings: settings, logger: logger, metrics: metrics, authenticator: authenticator)
                start.yield(assembly)
                try await assembly.run { port in
                    logger.notice("Started", metadata: ["port": "\(port)", "version": "\(BuildVersion.current)"])
                }
                return true
            }
            tasks.addTask {
                // A signal before the service is built cancels the start; a later one asks it to stop.
                for await _ in signals { break }
                return false
            }
            var assembly = started.makeAsyncIterator()
            while let finished = try await tasks.next(), !finished {
                start.finish()
                guard let assembly = await assembly.next() else { break }
                assembly.shutDown()
            }
            tasks.cancelAll()
        }
    }
}
