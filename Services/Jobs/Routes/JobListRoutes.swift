import Hummingbird
import NIOCore
import PlatformClients
import PlatformModel
import ServiceKit

/// `GET /api/v1/jobs` (jobs-api.md 8).
struct JobListRoutes: Sendable {
    let store: JobStore
    let clusters: ClusterRegistry
    let auth: AuthClient

    func register(on router: PlatformRouter) {
        router.get("/api/v1/jobs", access: .principal) { request, context in
            // The tree comes first: a token that no longer stands is 401 whatever the query says.
            let tree = try await auth.tree(ResourceURI(.job), as: context.requireCaller())
            let query = try JobListQuery(context.query)
            let jobs = try await JobList(
                store: store, clusters: clusters.all(), query: query, visibility: JobVisibility(tree.root, filter: query.filter))
            let wantsLines = request.headers[values: .accept].contains { $0.contains("application/x-ndjson") }
            return wantsLines
                ? try NDJSONResponse(jobs).response(from: request, context: context) : JSONList(jobs).response()
        }
    }
}

/// `{"jobs": [ … ]}`, written as it is read.
private struct JSONList: Sendable {
    let jobs: JobList

    init(_ jobs: JobList) { self.jobs = jobs }

    func response() -> Response {
        let body = ResponseBody { writer in
            let encoder = PlatformJSON.encoder()
            var buffer = ByteBuffer(string: #"{"jobs":["#)
            var isFirst = true
            for try await job in jobs {
                if !isFirst { buffer.writeString(",") }
                isFirst = false
                buffer.writeBytes(try encoder.encode(job))
                if buffer.readableBytes >= 16 << 10 {
                    try await writer.write(buffer)
                    buffer.clear()
                }
            }
            buffer.writeString("]}")
            try await writer.write(buffer)
            try await writer.finish(nil)
        }
        return Response(status: .ok, headers: [.contentType: PlatformJSON.contentType], body: body)
    }
}
