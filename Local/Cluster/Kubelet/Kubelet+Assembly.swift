import Foundation
import Logging

extension Kubelet {
    /// - Parameters:
    ///   - folder: the cluster's; pods' files are in `pods` of it.
    ///   - mirrors: `registry.local=127.0.0.1:5000,…`
    /// - Throws: `EngineError` naming what this machine lacks.
    static func assemble(
        folder: String, mirrors: String, keepsPods: Bool, store: ObjectStore, logger: Logger
    ) throws -> Kubelet {
        let programs = EnginePrograms()
        let missing = PodmanRequirements.absent(programs)
        guard missing.isEmpty else { throw EngineError("pods cannot run on this machine: " + missing.joined(separator: "; ")) }
        try FileManager.default.createDirectory(atPath: folder + "/pods", withIntermediateDirectories: true)
        let layout = EngineLayout(clusterFolder: folder)
        let client = Podman.makeClient()
        let podman = Podman(socketPath: layout.socket, http: client)
        let engine = PodmanService(
            configuration: EngineConfiguration(layout: layout, programs: programs, mirrors: try EngineConfiguration.mirrors(mirrors)),
            podman: podman, logger: logger)
        let machine = Machine(folder: folder)
        let context = KubeletContext(
            clusterFolder: folder, nodeName: machine.name, machine: machine, store: store, podman: podman, layout: layout,
            recorder: EventRecorder(store: store, node: machine.name, logger: logger), logger: logger, network: "orrery")
        return Kubelet(context: context, engine: engine, client: client, keepsPods: keepsPods)
    }
}
