import Kubernetes

/// The lists of a pod that a webhook adds to.
public struct PodLists: Sendable {
    public let containers: [JSONValue]
    /// nil where the pod has no list of them.
    public let volumes: [JSONValue]?

    /// What one piece adds.
    public struct Addition: Sendable {
        /// nil when the volume is there already.
        let volume: Volume?
        let mount: VolumeMount
        /// Indices of the containers that get the mount; nil for all.
        let containers: [Int]?

        public init(volume: Volume?, mount: VolumeMount, containers: [Int]? = nil) {
            self.volume = volume
            self.mount = mount
            self.containers = containers
        }
    }

    public init(_ pod: JSONValue) {
        containers = pod["spec"]?["containers"]?.array ?? []
        volumes = pod["spec"]?["volumes"]?.array
    }

    /// Of the container at an index; nil where it has no list of them.
    public func mounts(of container: Int) -> [JSONValue]? { containers[container]["volumeMounts"]?.array }

    /// A patch that adds the pieces. Lists that are missing are made first.
    public func adding(_ pieces: [Addition]) -> [JSONValue] {
        func add(_ path: String, _ value: JSONValue) -> JSONValue { ["op": "add", "path": .string(path), "value": value] }
        var operations: [JSONValue] = volumes == nil ? [add("/spec/volumes", [])] : []
        let mounting = Set(pieces.flatMap { $0.containers ?? Array(containers.indices) })
        for index in mounting.sorted() where mounts(of: index) == nil {
            operations.append(add("/spec/containers/\(index)/volumeMounts", []))
        }
        for piece in pieces {
            if let volume = piece.volume { operations.append(add("/spec/volumes/-", volume.json)) }
            for index in piece.containers ?? Array(containers.indices) {
                operations.append(add("/spec/containers/\(index)/volumeMounts/-", piece.mount.json))
            }
        }
        return operations
    }
}

extension Volume {
    fileprivate var json: JSONValue {
        var value: [String: JSONValue] = ["name": .string(name)]
        if let hostPath { value["hostPath"] = ["path": .string(hostPath.path), "type": .string(hostPath.type ?? "")] }
        if let nfs { value["nfs"] = ["server": .string(nfs.server), "path": .string(nfs.path)] }
        if let persistentVolumeClaim { value["persistentVolumeClaim"] = ["claimName": .string(persistentVolumeClaim.claimName)] }
        return .object(value)
    }
}

extension VolumeMount {
    fileprivate var json: JSONValue {
        var value: [String: JSONValue] = ["name": .string(name), "mountPath": .string(mountPath)]
        if let subPath { value["subPath"] = .string(subPath) }
        if readOnly == true { value["readOnly"] = true }
        return .object(value)
    }
}
