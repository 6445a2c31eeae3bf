import Foundation
import LocalCluster
import ServiceKit

// The services' usual place is all interfaces and port 8080; a cluster of one machine is for that machine alone.
setenv("ORRERY_HTTP_HOST", ClusterService.usualHost, 0)
setenv("ORRERY_HTTP_PORT", String(ClusterService.usualPort), 0)
try await ServiceRunner.main(ClusterService.self)
