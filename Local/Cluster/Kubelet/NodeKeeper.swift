import Foundation
import Kubernetes
import Logging

#if canImport(Glibc)
    import Glibc
#endif

/// Registers the node and keeps its object true: a lease every ten seconds, the whole status when something changed or every minute.
struct NodeKeeper: Sendable {
    let context: KubeletContext
    let isEngineAnswering: @Sendable () -> Bool

    static let leaseNamespace = "kube-node-lease"
    static let leasePeriod = Duration.seconds(10)

    private var key: ObjectKey { ObjectKey(.nodes, name: context.nodeName) }

    /// - Returns: the node as it is now.
    @discardableResult
    func report(podmanVersion: String) async throws -> Object {
        let report = NodeReport(
            machine: context.machine, podmanVersion: podmanVersion, isEngineAnswering: isEngineAnswering(),
            availableMemory: Self.availableMemory(), availableDisk: Self.availableDisk(context.clusterFolder), now: Date())
        let name = context.nodeName
        if try await context.store.get(key) == nil {
            var node: Object = .object([:])
            report.apply(to: &node, name: name)
            do {
                return try await context.store.create(node, as: key)
            } catch let error as StatusError where error.code == 409 {
                // Somebody was faster.
            }
        }
        return try await context.store.update(key) { node in report.apply(to: &node, name: name) }
    }

    func run(podmanVersion: String) async {
        var rounds = 0
        var wasAnswering = isEngineAnswering()
        while !Task.isCancelled {
            do {
                try await renewLease()
                let isAnswering = isEngineAnswering()
                let isRegistered = try await context.store.get(key) != nil
                if rounds % 6 == 0 || isAnswering != wasAnswering || !isRegistered { try await report(podmanVersion: podmanVersion) }
                wasAnswering = isAnswering
            } catch {
                context.logger.warning("the node could not be kept up to date", metadata: ["error": "\(error)"])
            }
            rounds += 1
            do { try await Task.sleep(for: Self.leasePeriod) } catch { return }
        }
    }

    private func renewLease() async throws {
        let lease = ObjectKey(.leases, namespace: Self.leaseNamespace, name: context.nodeName)
        let now = Date()
        let fraction = Int(now.timeIntervalSince1970.truncatingRemainder(dividingBy: 1) * 1_000_000)
        let digits = String(1_000_000 + fraction).dropFirst()
        let time = KubernetesTime.format(now).dropLast() + ".\(digits)Z"
        let holder = context.nodeName
        let spec: JSONValue = [
            "holderIdentity": .string(holder), "leaseDurationSeconds": 40, "renewTime": .string(String(time)),
        ]
        do {
            try await context.store.update(lease) { $0["spec"] = spec }
        } catch let error as StatusError where error.code == 404 {
            try await context.store.create(["spec": spec], as: lease)
        }
    }

    static func availableMemory() -> Int64 {
        let text = KernelFile.text("/proc/meminfo") ?? ""
        for line in text.split(separator: "\n") where line.hasPrefix("MemAvailable:") {
            return line.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int64($0) }.map { $0 * 1024 } ?? .max
        }
        return .max
    }

    static func availableDisk(_ folder: String) -> Int64 {
        var disk = statvfs()
        return statvfs(folder, &disk) == 0 ? Int64(disk.f_bavail) * Int64(disk.f_frsize) : .max
    }
}
