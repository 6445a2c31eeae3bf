import LocalCluster
import ServiceKit

try await ServiceRunner.main(ClusterService.self)
