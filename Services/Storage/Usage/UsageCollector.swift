import Glibc
import Logging
import Metrics
import PlatformClients
import PlatformModel
import ServiceKit
import ServiceLifecycle

/// Measures once in a while what the files of each project take of the disk, and shows it as `storage_used_bytes` (storage.md 15).
struct UsageCollector: Service {
    private static let metric = "storage_used_bytes"
    /// Entries between two chances to stop, and for others to use the threads.
    private static let portion = 2_000

    private let admin: AdminClient
    private let cluster: ClusterName
    private let table: StorageTable
    private let metrics: PrometheusMetrics
    private let interval: Duration
    private let logger: Logger

    /// Nil where it is switched off, or nobody can say which projects there are.
    init?(_ context: ServiceContext, cluster: ClusterName, table: StorageTable) throws {
        interval = try context.settings.duration("storage.usage.interval", default: .seconds(3600))
        guard context.settings.optional("admin.url") != nil, interval > .zero else { return nil }
        admin = try AdminClient(context)
        (self.cluster, self.table) = (cluster, table)
        (metrics, logger) = (context.metrics, context.logger)
        metrics.describe(gauge: Self.metric, "The amount of used storage space in bytes")
    }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            var shown: [Owner: Meter] = [:]
            while !Task.isCancelled {
                do {
                    show(try await measure(), instead: &shown)
                } catch is CancellationError {
                    return
                } catch {
                    logger.warning("The use of the storage was not measured", metadata: ["error": "\(error)"])
                }
                try? await Task.sleep(for: interval)
            }
        }
    }

    /// What was measured, and whose could not be this time.
    private struct Measurement {
        var used: [Owner: Int64] = [:]
        var untold: Set<Owner> = []
    }

    private func measure() async throws -> Measurement {
        var measurement = Measurement()
        for project in try await admin.projects(cluster) {
            let owner = Owner(org: project.orgName?.text, project: project.name.text)
            do {
                measurement.used[owner] = try await measure(owner)
            } catch let error as FileFailure where error != .silentStorage {
                logger.warning(
                    "The use of a project's storage was not measured",
                    metadata: ["org": "\(owner.org ?? "")", "project": "\(owner.project)", "error": "\(error)"])
                measurement.untold.insert(owner)
            }
        }
        return measurement
    }

    /// Nil when the project has no folder.
    private func measure(_ owner: Owner) async throws -> Int64? {
        let place = try table.locate(StoragePath(components: [owner.org, owner.project].compactMap(\.self)))
        let work = place.storage.work
        var measure: TreeMeasure
        do {
            measure = try await work.run { try TreeMeasure(place.storage.listing(place.components).folder) }
        } catch let error as FileFailure where error == .missing || error.code == ENOTDIR {
            return nil
        }
        var isUnfinished = true
        while isUnfinished {
            try Task.checkCancellation()
            (measure, isUnfinished) = try await work.run { [measure] in
                var measure = measure
                let isUnfinished = try measure.next(Self.portion)
                return (measure, isUnfinished)
            }
        }
        return measure.bytes
    }

    /// What could not be told keeps its value; what is gone is shown no more.
    private func show(_ measurement: Measurement, instead shown: inout [Owner: Meter]) {
        for (owner, meter) in shown where measurement.used[owner] == nil && !measurement.untold.contains(owner) {
            meter.destroy()
            shown[owner] = nil
        }
        for (owner, bytes) in measurement.used {
            let meter = shown[owner] ?? Meter(label: Self.metric, dimensions: owner.labels, factory: metrics)
            meter.set(bytes)
            shown[owner] = meter
        }
    }

    private struct Owner: Hashable, Sendable {
        let org: String?
        let project: String

        var labels: [(String, String)] { [("org_name", org ?? "no_org"), ("project_name", project)] }
    }
}
