import Kubernetes
import NIOCore

/// The bridge that the pods of a cluster share.
struct PodNetwork: Sendable, Equatable {
    let name: String
    let subnet: String
    let gateway: String
    let interface: String
}

extension Podman {
    func network(_ name: String) async throws(EngineError) -> PodNetwork? {
        do {
            let value = try await call(.GET, "/networks/\(name)/json")
            guard let subnet = value["subnets"]?[0] else { return nil }
            return PodNetwork(
                name: name, subnet: subnet["subnet"]?.string ?? "", gateway: subnet["gateway"]?.string ?? "",
                interface: value["network_interface"]?.string ?? "")
        } catch  where error.isNotFound {
            return nil
        }
    }

    func createNetwork(_ network: PodNetwork) async throws(EngineError) {
        try await call(
            .POST, "/networks/create",
            body: [
                "name": .string(network.name), "driver": "bridge", "network_interface": .string(network.interface), "dns_enabled": false,
                "subnets": [["subnet": .string(network.subnet), "gateway": .string(network.gateway)]],
            ])
    }

    func removeNetwork(_ name: String) async throws(EngineError) {
        do {
            try await call(.DELETE, "/networks/\(name)", [("force", "true")])
        } catch  where error.isNotFound {
            return
        }
    }
}
