import AsyncHTTPClient
import Foundation
import Kubernetes
import Logging
import NIOCore
import NIOHTTP1
import ServiceKit
import ServiceLifecycle
import TestSupport

@testable import LocalCluster

typealias Kind = LocalCluster.ResourceKind
typealias Conditions = LocalCluster.Selector

/// The API alone, in this process: no podman, no certificates.
struct APICluster: PlatformService {
    static let name = "orrery-cluster"
    static var errorRenderer: any ErrorRenderer { StatusErrors() }

    let api: ClusterAPI
    let token: TokenAuthenticator

    init(_ context: ServiceContext) async throws {
        let store = try ObjectStore(path: try context.settings.string("cluster.folder") + "/state.sqlite", logger: context.logger)
        context.run(StoreCloser(store: store))
        api = try await ClusterAPI(store: store, allowsFaults: true, logger: context.logger)
        token = TokenAuthenticator(Secret(TestCluster.token))
    }

    var authenticator: (any Authenticator)? { token }
    var background: [any Service] { api.loops }
    func register(on router: PlatformRouter) { api.register(on: router) }
}

/// A cluster of a test, and our own client of it.
struct TestCluster: Sendable {
    static let token = "a-token-of-the-tests"

    let service: TestService
    let client: KubernetesClient

    /// Runs one for the time of `body`, on a state that goes with it.
    static func with<T: Sendable>(folder: TestFolder = TestFolder(), _ body: (TestCluster) async throws -> T) async throws -> T {
        try await withService(APICluster.self, settings: ["postgres.url": "none", "cluster.folder": folder.path]) { service in
            let client = try KubernetesClient(
                KubernetesConfiguration(url: service.url, token: token), logger: Logger(label: "client") { _ in SwiftLogNoOpLogHandler() })
            do {
                let value = try await body(TestCluster(service: service, client: client))
                try await client.shutdown()
                return value
            } catch {
                try? await client.shutdown()
                throw error
            }
        }
    }

    /// Makes a request and reads its answer as JSON.
    func call(
        _ method: HTTPMethod, _ path: String, _ body: JSONValue? = nil, type: String = "application/json", accept: String? = nil,
        token: String? = TestCluster.token
    ) async throws -> (status: Int, body: JSONValue) {
        var request = HTTPClientRequest(url: service.url + path)
        request.method = method
        if let token { request.headers.add(name: "Authorization", value: "Bearer \(token)") }
        if let accept { request.headers.add(name: "Accept", value: accept) }
        if let body {
            request.headers.add(name: "Content-Type", value: type)
            request.body = .bytes(ByteBuffer(bytes: JSONWriter.bytes(body)))
        }
        let answer = try await service.call(request)
        return (answer.status, (try? JSONParser.parse(answer.data)) ?? .string(answer.body))
    }

    func get(_ path: String) async throws -> (status: Int, body: JSONValue) { try await call(.GET, path) }

    func create(_ path: String, _ object: JSONValue) async throws -> JSONValue {
        let answer = try await call(.POST, path, object)
        guard answer.status == 201 else { throw TestFailure("\(path): \(JSONWriter.text(answer.body))") }
        return answer.body
    }

    /// Waits until a path answers with a status.
    func wait(for status: Int, at path: String, limit: Duration = .seconds(10)) async throws {
        try await withTimeout(limit) {
            while try await get(path).status != status { try await Task.sleep(for: .milliseconds(5)) }
        }
    }
}

struct TestFailure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// A folder that goes with the test.
final class TestFolder: Sendable {
    let path: String

    init() {
        path = FileManager.default.temporaryDirectory.appendingPathComponent("cluster-\(UUID().uuidString)").path
        try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}

enum Sample {
    static func pod(_ name: String, labels: [String: String] = [:], image: String = "busybox:1") -> JSONValue {
        [
            "apiVersion": "v1", "kind": "Pod",
            "metadata": ["name": .string(name), "labels": .object(labels.mapValues { .string($0) })],
            "spec": ["containers": [["name": "main", "image": .string(image)]]],
        ]
    }

    static func configMap(_ name: String, _ data: [String: String] = [:], owner: JSONValue? = nil) -> JSONValue {
        var map: JSONValue = [
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": ["name": .string(name)], "data": .object(data.mapValues { .string($0) }),
        ]
        if let owner {
            map[path: "metadata", "ownerReferences"] = [
                ["apiVersion": "v1", "kind": "ConfigMap", "name": .string(owner.name), "uid": .string(owner.uid)]
            ]
        }
        return map
    }
}
