import Kubernetes
import Logging
import ServiceKit
import ServiceLifecycle

/// Moves old disks to their projects, as long as there are any. Every process does it; what one has done the others find done.
struct DiskMigration: Service {
    /// How long a move that waits for Kubernetes is looked at again and again.
    private static let patience = Duration.seconds(60)

    let mover: DiskMover
    let interval: Duration
    let logger: Logger

    /// nil where there is nothing to move from.
    init?(_ settings: Settings, store: DiskStore, logger: Logger) throws {
        guard let source = settings.optional("disk.migration.namespace") else { return nil }
        guard DiskReference(source) != nil, source.utf8.count <= 63, !source.contains(".") else {
            throw SettingError("ORRERY_DISK_MIGRATION_NAMESPACE is '\(source)'; expected the name of a namespace.")
        }
        mover = DiskMover(store: store, source: source, logger: logger)
        interval = try settings.duration("disk.migration.interval", default: .seconds(300))
        self.logger = logger
    }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                await pass()
                // Not all processes at once.
                try? await Task.sleep(for: interval * Double.random(in: 0.8...1.2))
            }
        }
    }

    private func pass() async {
        let end = ContinuousClock.now + Self.patience
        do {
            var waiting = try await mover.disks()
            while !waiting.isEmpty, !Task.isCancelled {
                var next: [OldDisk] = []
                for disk in waiting where await isWaiting(disk) { next.append(disk) }
                waiting = next
                guard !waiting.isEmpty, .now < end else { return }
                try await Task.sleep(for: .seconds(1))
            }
        } catch is CancellationError {
        } catch {
            logger.warning("old disks could not be listed", metadata: ["error": "\(error)"])
        }
    }

    /// One that cannot be moved does not hold up the others.
    private func isWaiting(_ disk: OldDisk) async -> Bool {
        do {
            switch try await mover.advance(disk) {
            case .moved: return false
            case .waiting, .interrupted: return true
            case .left(let reason):
                logger.warning("an old disk is not moved", metadata: ["disk": "\(disk.id)", "reason": "\(reason)"])
                return false
            }
        } catch {
            if !Task.isCancelled {
                logger.warning("an old disk could not be moved", metadata: ["disk": "\(disk.id)", "error": "\(error)"])
            }
            return false
        }
    }
}
