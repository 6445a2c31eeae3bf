import Foundation
import Logging

/// What the parts of a kubelet share.
struct KubeletContext: Sendable {
    let clusterFolder: String
    let nodeName: String
    let machine: Machine
    let store: ObjectStore
    let podman: Podman
    let layout: EngineLayout
    let recorder: EventRecorder
    let logger: Logger
    /// The name of the pods' network.
    let network: String
    let names = ServiceNames()

    func folder(_ uid: String) -> PodFolder { PodFolder(cluster: clusterFolder, uid: uid) }

    func facts(_ pod: PodTemplate, podIP: String) -> PodFacts {
        PodFacts(pod: pod, nodeName: nodeName, hostIP: machine.address, podIP: podIP, allocatable: machine.allocatable)
    }
}
