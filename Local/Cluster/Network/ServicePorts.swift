import Kubernetes

/// One port of a Service as a certain pod offers it.
struct ServicePort: Sendable, Hashable {
    let name: String?
    let port: Int64
    let `protocol`: String
    let appProtocol: String?

    /// What the Service's ports are on this pod, in the Service's order. A port that names a container port which the pod has not is left out.
    static func resolve(_ service: Object, on pod: Object) -> [ServicePort] {
        (service[path: "spec", "ports"]?.array ?? []).compactMap { port in
            let `protocol` = port["protocol"]?.string ?? "TCP"
            let number: Int64? =
                switch port["targetPort"] {
                case .string(let name)?: Int64(name) ?? containerPort(name, `protocol`, of: pod)
                case .integer(let number)? where number > 0: number
                default: port["port"]?.integer
                }
            return number.map {
                ServicePort(name: port["name"]?.string, port: $0, protocol: `protocol`, appProtocol: port["appProtocol"]?.string)
            }
        }
    }

    private static func containerPort(_ name: String, _ protocol: String, of pod: Object) -> Int64? {
        for container in pod[path: "spec", "containers"]?.array ?? [] {
            for port in container["ports"]?.array ?? []
            where port["name"]?.string == name && (port["protocol"]?.string ?? "TCP") == `protocol` {
                return port["containerPort"]?.integer
            }
        }
        return nil
    }

    /// As a port of Endpoints or, with `inSlice`, of an EndpointSlice.
    func value(inSlice: Bool) -> JSONValue {
        var value: JSONValue = ["port": .integer(port), "protocol": .string(`protocol`)]
        // A slice's port always has a name, be it empty.
        if let name, !name.isEmpty { value["name"] = .string(name) } else if inSlice { value["name"] = "" }
        if let appProtocol { value["appProtocol"] = .string(appProtocol) }
        return value
    }
}
