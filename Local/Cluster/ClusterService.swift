import Foundation
import Kubernetes
import Logging
import ServiceKit
import ServiceLifecycle

/// orrery-cluster: a cluster of one machine. Kubernetes' API over a file, its pods run by podman.
public struct ClusterService: PlatformService {
    public static let name = "orrery-cluster"

    let store: ObjectStore

    public init(_ context: ServiceContext) async throws {
        store = try ObjectStore(path: try context.settings.string("cluster.folder") + "/state.sqlite", logger: context.logger)
    }

    public func register(on router: PlatformRouter) {}
}
