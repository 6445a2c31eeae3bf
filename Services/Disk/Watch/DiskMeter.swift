import Kubernetes
import Logging

/// Asks the nodes how full the claims are that their pods have mounted.
struct DiskMeter: Sendable {
    let client: KubernetesClient
    let logger: Logger

    /// Bytes by claim; a node that does not answer is left out.
    func measure() async -> [UsageBook.Place: Int64] {
        do {
            var amounts: [UsageBook.Place: Int64] = [:]
            for node in try await client.list(.nodes).items.compactMap(\.metadata.name) {
                do {
                    let summary = try await client.raw("/api/v1/nodes/\(node)/proxy/stats/summary")
                    amounts.merge(Self.amounts(summary)) { $1 }
                } catch {
                    logger.debug("a node does not say how full disks are", metadata: ["node": "\(node)", "error": "\(error)"])
                }
            }
            return amounts
        } catch {
            logger.info("the nodes could not be listed", metadata: ["error": "\(error)"])
            return [:]
        }
    }

    /// Out of a node's summary; entries without a claim or a number are passed over.
    static func amounts(_ summary: JSONValue) -> [UsageBook.Place: Int64] {
        var amounts: [UsageBook.Place: Int64] = [:]
        for pod in summary["pods"]?.array ?? [] {
            guard let namespace = pod["podRef"]?["namespace"]?.string else { continue }
            for volume in pod["volume"]?.array ?? [] {
                guard let claim = volume["pvcRef"]?["name"]?.string, let bytes = volume["usedBytes"]?.integer, bytes >= 0 else { continue }
                amounts[UsageBook.Place(namespace: namespace, claim: claim)] = bytes
            }
        }
        return amounts
    }
}
