import HTTPTypes
import Hummingbird
import Kubernetes
import Logging
import PlatformModel
import ServiceKit
import WebSocket

/// A job's log, over HTTP and over WebSocket (monitoring.md 5).
struct LogRoutes: Sendable {
    static let subprotocol = "logs.apolo.us"
    static let separatorHeader = HTTPField.Name("X-Separator")

    let access: JobAccess
    let kubernetes: KubernetesClient
    let limits: StreamLimits
    let patience: JobLogs.Patience

    func register(on router: PlatformRouter) {
        router.get("/api/v1/jobs/{job}/log", access: .principal) { request, context in try await stream(request, context) }
        router.get("/api/v1/jobs/{job}/log_ws", access: .principal) { request, context in try await session(request, context) }
        router.delete("/api/v1/jobs/{job}/log", access: .principal) { _, context in
            _ = try await access.job(context.parameter("job"), .write, as: context.requireCaller())
            return Response(status: .noContent)
        }
    }

    private func stream(_ request: Request, _ context: PlatformContext) async throws -> Response {
        let (logs, place) = try await open(context)
        var headers: HTTPFields = [.contentType: "text/plain; charset=utf-8"]
        if let name = Self.separatorHeader { headers[name] = logs.options.separator }
        let body = ResponseBody { writer in
            defer { withExtendedLifetime(place) {} }
            try await request.body.consumeWithCancellationOnInboundClose { _ in
                try await Handoff.run(into: &writer) { send in try await logs.run(send: send) }
            }
            try await writer.finish(nil)
        }
        return Response(status: .ok, headers: headers, body: body)
    }

    private func session(_ request: Request, _ context: PlatformContext) async throws -> Response {
        let (logs, place) = try await open(context)
        guard let upgrade = WebSocketUpgrade(request: request) else {
            throw PlatformError.badRequest("No WebSocket UPGRADE hdr: None Can \"Upgrade\" only to \"WebSocket\".")
        }
        return upgrade.accept(subprotocol: upgrade.choose([Self.subprotocol]), logger: context.logger) { session in
            defer { withExtendedLifetime(place) {} }
            do {
                _ = try await session.whileOpen { try await logs.run { try await session.send($0) } }
            } catch let error as CancellationError {
                throw error
            } catch {
                // A source that failed ends the stream as any other end does; the client asks again.
                context.logger.info("a log stream ended early", metadata: ["error": "\(error)"])
            }
        }
    }

    /// Everything that can be refused.
    private func open(_ context: PlatformContext) async throws -> (JobLogs, StreamLimits.Place) {
        let options = try LogOptions(context.query)
        let caller = try context.requireCaller()
        let job = try await access.job(try context.parameter("job"), .read, as: caller)
        let place = try limits.begin(caller.name)
        let access = access
        let id = job.id.text
        let logs = JobLogs(
            kubernetes: kubernetes, isFinished: { await access.isFinished(id) }, pods: JobPods(kubernetes, job), options: options,
            patience: patience, logger: context.logger)
        return (logs, place)
    }
}
