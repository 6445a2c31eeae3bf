import Foundation
import Hummingbird
import Kubernetes
import ServiceKit
import TestSupport

@testable import LocalCluster

/// The streams of pods behind the platform's server channel, and a store with pods for them.
struct StreamsService: PlatformService {
    struct Place: Sendable {
        let store: ObjectStore
        let folder: String
        let socket: String
    }

    @TaskLocal static var place: Place?
    static let name = "streams"
    static var errorRenderer: any ErrorRenderer { StatusErrors() }

    let place: Place
    let streams: StreamConnections

    init(_ context: ServiceContext) async throws {
        guard let place = Self.place else { throw SettingError("no place") }
        self.place = place
        let client = Podman.makeClient()
        context.run(StreamClient(client: client))
        streams = StreamConnections(store: place.store, podman: Podman(socketPath: place.socket, http: client), folder: place.folder)
    }

    func register(on router: PlatformRouter) {
        for kind in PodStreamKind.allCases {
            let path = "/api/v1/namespaces/{namespace}/pods/{name}/\(kind.rawValue)"
            router.get(path, access: .anyone) { try await respond(kind, $0, $1) }
            router.post(path, access: .anyone) { try await respond(kind, $0, $1) }
        }
    }

    private func respond(_ kind: PodStreamKind, _ request: Request, _ context: PlatformContext) async throws -> Response {
        let key = ObjectKey(.pods, namespace: try context.parameter("namespace"), name: try context.parameter("name"))
        guard let pod = try await place.store.get(key) else { throw StatusError.notFound(key) }
        return try await streams.respond(to: kind, of: pod, request: request, context: context)
    }

    /// - Parameter socket: podman's; absent: nobody answers there.
    static func with(
        socket: String? = nil, _ body: @Sendable (TestService, Place) async throws -> Void
    ) async throws {
        try await TestStore.withFolder { store, folder in
            let place = Place(store: store, folder: folder, socket: socket ?? folder + "/podman.sock")
            try await $place.withValue(place) {
                try await withService(StreamsService.self, settings: ["postgres.url": "none"]) { try await body($0, place) }
            }
        }
    }
}

extension StreamsService.Place {
    /// A pod with one container that runs.
    @discardableResult
    func pod(_ name: String = "p", address: String = "127.0.0.1", _ change: @Sendable (inout Object) -> Void = { _ in }) async throws
        -> Object
    {
        var pod: Object = [
            "metadata": ["name": .string(name), "namespace": "n"],
            "spec": ["nodeName": "node", "containers": [["name": "main", "image": "i"]]],
            "status": [
                "phase": "Running", "podIP": .string(address),
                "containerStatuses": [
                    ["name": "main", "restartCount": 0, "containerID": "podman://box", "state": ["running": [:]]]
                ],
            ],
        ]
        change(&pod)
        return try await store.create(pod, as: ObjectKey(.pods, namespace: "n", name: name))
    }

    /// The container has ended.
    func end(_ name: String = "p") async throws {
        try await store.update(ObjectKey(.pods, namespace: "n", name: name)) {
            $0[path: "status", "containerStatuses"] = [
                [
                    "name": "main", "restartCount": 0, "containerID": "podman://box",
                    "state": ["terminated": ["exitCode": 0, "containerID": "podman://box"]],
                ]
            ]
        }
    }

    func log(_ pod: Object, _ text: String) throws {
        let folder = "\(self.folder)/pods/\(pod.uid)/main"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let path = folder + "/0.log"
        if !FileManager.default.fileExists(atPath: path) { try Data().write(to: URL(fileURLWithPath: path)) }
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        try file.seekToEnd()
        try file.write(contentsOf: Data(text.utf8))
    }
}
