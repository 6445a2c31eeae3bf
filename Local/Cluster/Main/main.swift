import Foundation
import LocalCluster
import ServiceKit

// `orrery-cluster --check`: what this machine lacks for running pods.
if CommandLine.arguments.dropFirst().first == "--check" {
    let folder = ProcessInfo.processInfo.environment["ORRERY_CLUSTER_FOLDER"] ?? NSTemporaryDirectory() + "orrery-cluster-check"
    let missing = await ClusterService.missingForPods(folder: folder)
    for sentence in missing { FileHandle.standardError.write(Data("\(sentence)\n".utf8)) }
    exit(missing.isEmpty ? 0 : 1)
}

// The services' usual place is all interfaces and port 8080; a cluster of one machine is for that machine alone.
setenv("ORRERY_HTTP_HOST", ClusterService.usualHost, 0)
setenv("ORRERY_HTTP_PORT", String(ClusterService.usualPort), 0)
try await ServiceRunner.main(ClusterService.self)
