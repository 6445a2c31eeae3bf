import Crypto
import Foundation
import Hummingbird
import NIOCore
import PlatformModel
import ServiceKit

/// `…/clusters` (config.md 4).
struct ClusterRoutes: Sendable {
    let clusters: ClusterStore
    let viewers: ClusterViewers
    /// The DNS zone below which a new cluster's addresses lie.
    let domain: String
    let publicURL: String

    /// The body of `POST clusters`; old callers hand over the cluster's service token.
    private struct NewCluster: Decodable {
        let name: ClusterName
        let token: String?
    }

    func register(on router: PlatformRouter) {
        router.get("/api/v1/clusters", access: .principal) { request, context in
            let viewer = try await viewers.viewer(context.requireCaller())
            return try Self.tagged(try await clusters.all().compactMap(viewer.view), request)
        }
        router.get("/api/v1/clusters/{cluster}", access: .principal) { request, context in
            let viewer = try await viewers.viewer(context.requireCaller())
            let name = try ClusterName(context.parameter("cluster"))
            guard let view = try await clusters.cluster(name).flatMap(viewer.view) else { throw Self.unknown(name) }
            return try Self.tagged(view, request)
        }
        router.post("/api/v1/clusters", access: .principal) { request, context in
            try await viewers.viewer(context.requireCaller()).requireManage(nil)
            let body = try await request.decode(as: NewCluster.self, context: context)
            var document = ClusterDocument(blank: body.name, dnsName: "\(body.name).\(domain)")
            if let token = body.token {
                document.credentials = .object(["neuro": .object(["url": .string(publicURL), "token": .string(token)])])
            }
            guard try await clusters.insert(document) else {
                throw PlatformError.badRequest("Cluster '\(body.name)' already exists")
            }
            document.credentials = nil
            return JSONResponse(document, status: .created)
        }
        router.patch("/api/v1/clusters/{cluster}", access: .principal) { request, context in
            let caller = try context.requireCaller()
            let name = try ClusterName(context.parameter("cluster"))
            let patch = try ClusterPatch(await request.decode(as: JSON.self, context: context))
            let isOwnToken = caller.kind == .cluster && caller.cluster == name.text
            let viewer = try await viewers.viewer(caller)
            if !isOwnToken || !patch.isForOwnToken { try viewer.requireManage(name) }
            guard let changed = try await clusters.update(name, { try patch.apply(to: &$0) }), let view = viewer.view(changed) else {
                throw Self.unknown(name)
            }
            return JSONResponse(view)
        }
        router.delete("/api/v1/clusters/{cluster}", access: .principal) { _, context in
            let name = try ClusterName(context.parameter("cluster"))
            try await viewers.viewer(context.requireCaller()).requireManage(name)
            guard try await clusters.delete(name) else { throw Self.unknown(name) }
            return HTTPResponse.Status.noContent
        }
    }

    static func unknown(_ name: ClusterName) -> PlatformError { .notFound("Cluster '\(name)' does not exist") }

    /// With an `ETag` of the content, so that services which follow the clusters read them only after a change.
    private static func tagged(_ value: some Encodable, _ request: Request) throws -> Response {
        let body = try PlatformJSON.encoder().encode(value)
        let tag = "\"" + SHA256.hash(data: body).prefix(16).map { String(format: "%02x", $0) }.joined() + "\""
        if request.headers[.ifNoneMatch] == tag { return Response(status: .notModified, headers: [.eTag: tag]) }
        return Response(
            status: .ok, headers: [.contentType: PlatformJSON.contentType, .eTag: tag], body: .init(byteBuffer: ByteBuffer(bytes: body)))
    }
}
