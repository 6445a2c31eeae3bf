import Hummingbird
import Kubernetes
import ServiceKit

/// The OpenAPI documents, as far as clients act by them: that changes can be validated here (`fieldValidation`), for every kind. They have
/// no schemas; with those that it has built in itself `kubectl` finds its way.
struct OpenAPI: Sendable {
    /// Asked for with an `@` in place of the dot, which is no media type that Go can read in an answer.
    static let protobuf = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"

    let kinds: KindRegistry

    func register(on router: PlatformRouter) {
        router.get("/openapi/v2", access: .principal) { request, _ in version2(accept: request.headers[.accept] ?? "") }
        router.get("/openapi/v3", access: .principal) { _, _ in version3() }
        router.get("/openapi/v3/{path...}", access: .principal) { _, context in try version3(path: context.parameter("path")) }
    }

    // MARK: Version 2

    /// Older clients read it as a message of Protocol Buffers, and that alone.
    private func version2(accept: String) -> Response {
        guard accept.contains("protobuf") else {
            return Answer.json([
                "swagger": "2.0", "info": OpenAPI.info, "paths": .object(Dictionary(paths(kinds.all), uniquingKeysWith: { $1 })),
                "definitions": [:],
            ])
        }
        // openapi.v2.Document: 1 swagger, 2 info (1 title, 2 version), 8 paths.
        let info = OpenAPI.field(1, Array(OpenAPI.title.utf8)) + OpenAPI.field(2, Array(ClusterVersion.git.utf8))
        let document = OpenAPI.field(1, Array("2.0".utf8)) + OpenAPI.field(2, info) + OpenAPI.field(8, [])
        return Response(status: .ok, headers: [.contentType: OpenAPI.protobuf], body: .init(byteBuffer: ByteBuffer(bytes: document)))
    }

    /// A length-delimited field of a message.
    private static func field(_ number: UInt8, _ content: [UInt8]) -> [UInt8] {
        var length = content.count
        var bytes = [number << 3 | 2]
        while length > 0x7F {
            bytes.append(UInt8(length & 0x7F) | 0x80)
            length >>= 7
        }
        bytes.append(UInt8(length))
        return bytes + content
    }

    // MARK: Version 3

    private func version3() -> Response {
        var paths: [String: JSONValue] = [:]
        for version in Set(kinds.all.map(OpenAPI.prefix)) {
            paths[version] = ["serverRelativeURL": .string("/openapi/v3/\(version)?hash=\(kinds.generation)")]
        }
        return Answer.json(["paths": .object(paths)])
    }

    private func version3(path: String) throws -> Response {
        let found = kinds.all.filter { OpenAPI.prefix($0) == path }
        guard !found.isEmpty else { throw StatusError.unknownResource() }
        return Answer.json([
            "openapi": "3.0.0", "info": OpenAPI.info, "paths": .object(Dictionary(paths(found), uniquingKeysWith: { $1 })),
            "components": ["schemas": [:]],
        ])
    }

    private static let title = "Kubernetes"
    private static let info: JSONValue = ["title": .string(title), "version": .string(ClusterVersion.git)]

    /// `api/v1`, `apis/apps/v1`.
    private static func prefix(_ kind: ResourceKind) -> String { kind.group.isEmpty ? "api/\(kind.version)" : "apis/\(kind.apiVersion)" }

    private func paths(_ kinds: [ResourceKind]) -> [(String, JSONValue)] {
        kinds.flatMap { kind -> [(String, JSONValue)] in
            let collection = "/\(OpenAPI.prefix(kind))\(kind.isNamespaced ? "/namespaces/{namespace}" : "")/\(kind.plural)"
            return [
                (collection, ["get": OpenAPI.operation("list", kind, []), "post": OpenAPI.operation("post", kind, OpenAPI.change)]),
                (
                    collection + "/{name}",
                    [
                        "get": OpenAPI.operation("get", kind, []), "put": OpenAPI.operation("put", kind, OpenAPI.change),
                        "patch": OpenAPI.operation("patch", kind, OpenAPI.change + ["force"]),
                        "delete": OpenAPI.operation("delete", kind, ["dryRun", "gracePeriodSeconds", "propagationPolicy"]),
                    ]
                ),
            ]
        }
    }

    private static let change = ["dryRun", "fieldManager", "fieldValidation"]

    private static func operation(_ action: String, _ kind: ResourceKind, _ parameters: [String]) -> JSONValue {
        [
            "x-kubernetes-action": .string(action),
            "x-kubernetes-group-version-kind": [
                "group": .string(kind.group), "version": .string(kind.version), "kind": .string(kind.kind),
            ],
            "parameters": .array(
                parameters.map { ["name": .string($0), "in": "query", "schema": ["type": "string", "uniqueItems": true]] }),
            "responses": ["200": ["description": "OK"]],
        ]
    }
}

/// The version of Kubernetes whose API this is a part of.
enum ClusterVersion {
    static let git = "v1.32.0+orrery"

    static var document: JSONValue {
        [
            "major": "1", "minor": "32", "gitVersion": .string(git), "gitCommit": "", "gitTreeState": "clean", "buildDate": "",
            "goVersion": "", "compiler": "swift", "platform": "linux",
        ]
    }
}
