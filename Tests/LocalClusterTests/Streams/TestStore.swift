import Foundation
import Logging
import ServiceLifecycle

@testable import LocalCluster

/// A store in a folder of its own.
enum TestStore {
    static func with<T>(_ body: (ObjectStore) async throws -> T) async throws -> T {
        try await withFolder { store, _ in try await body(store) }
    }

    static func withFolder<T>(_ body: (ObjectStore, String) async throws -> T) async throws -> T {
        let folder = NSTemporaryDirectory() + "orrery-" + UUID().uuidString.lowercased()
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let store = try ObjectStore(path: folder + "/state.sqlite", logger: quiet)
        do {
            let value = try await body(store, folder)
            await store.close()
            return value
        } catch {
            await store.close()
            throw error
        }
    }

    static var quiet: Logger {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        return logger
    }

    /// Runs a loop beside `body`.
    static func running<T>(_ service: any Service, _ body: () async throws -> T) async throws -> T {
        let group = ServiceGroup(configuration: .init(services: [service], gracefulShutdownSignals: [], logger: quiet))
        return try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            let result: Result<T, any Error>
            do { result = .success(try await body()) } catch { result = .failure(error) }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
            return try result.get()
        }
    }

    /// The first state of an object that fulfils a condition, however it comes about.
    static func wait(
        _ store: ObjectStore, _ kind: ResourceKind, _ name: String, until condition: (WatchChange) -> Bool
    ) async throws -> Object? {
        for try await change in try await store.watch(kind, selector: Selector(fields: ["metadata.name": name]), after: nil)
        where condition(change) {
            return change.object
        }
        return nil
    }
}
