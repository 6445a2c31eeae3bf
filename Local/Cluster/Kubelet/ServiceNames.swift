import Foundation
import Kubernetes
import Synchronization

/// The names of Services and where they lead, as the cluster's own name server would tell them. Every pod has them in its `/etc/hosts`.
final class ServiceNames: Sendable {
    struct Entry: Sendable, Equatable {
        let namespace: String
        let service: String
        let address: String
    }
    private let entries = Mutex<[Entry]>([])

    /// - Returns: false when they are what they were.
    func set(_ new: [Entry]) -> Bool {
        entries.withLock { entries in
            if entries == new { return false }
            entries = new
            return true
        }
    }

    /// The lines of a pod in a namespace: there the first name is enough.
    func hosts(in namespace: String) -> String { Self.hosts(entries.withLock { $0 }, in: namespace) }

    static func hosts(_ entries: [Entry], in namespace: String) -> String {
        if entries.isEmpty { return "" }
        return "\n# Services of the cluster.\n"
            + entries.map { entry in
                let full = "\(entry.service).\(entry.namespace)"
                let near = entry.namespace == namespace ? "\(entry.service)\t" : ""
                return "\(entry.address)\t\(near)\(full)\t\(full).svc\t\(full).svc.cluster.local\n"
            }.joined()
    }

    /// The addresses of a Service's pods that are ready.
    static func entries(of endpoints: [Object]) -> [Entry] {
        endpoints.flatMap { object in
            (object["subsets"]?.array ?? []).flatMap { $0["addresses"]?.array ?? [] }.compactMap { $0["ip"]?.string }
                .map { Entry(namespace: object.namespace ?? "", service: object.name, address: $0) }
        }.sorted { ($0.namespace, $0.service, $0.address) < ($1.namespace, $1.service, $1.address) }
    }
}
