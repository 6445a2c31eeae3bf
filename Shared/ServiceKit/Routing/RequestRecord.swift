import Hummingbird
import Logging

/// Counts each request when its answer begins, and logs it once: when its answer has been made, or written if it is a stream.
struct RequestRecord: Sendable {
    let metrics: RequestMetrics
    /// Routes that are asked all the time by machines: logged at debug only.
    let quiet: Set<String>

    func finish(_ response: Response, request: Request, context: PlatformContext, start: ContinuousClock.Instant) -> Response {
        count(response, request: request, context: context, duration: ContinuousClock.now - start)
        guard response.body.contentLength == nil else {
            write(response, request: request, context: context, start: start, broken: false)
            return response
        }
        let (head, body) = (Response(status: response.status, headers: response.headers), response.body)
        var streamed = response
        streamed.body = ResponseBody { writer in
            var broken = true
            defer { write(head, request: request, context: context, start: start, broken: broken) }
            try await body.write(writer)
            broken = false
        }
        return streamed
    }

    private func count(_ response: Response, request: Request, context: PlatformContext, duration: Duration) {
        metrics.record(
            .init(
                method: PlatformMethods.known.contains(request.method.rawValue) ? request.method.rawValue : "other",
                route: RequestRecord.route(context), status: response.status.code),
            duration: duration)
    }

    private static func route(_ context: PlatformContext) -> String { context.route.isEmpty ? "none" : context.route }

    private func write(_ response: Response, request: Request, context: PlatformContext, start: ContinuousClock.Instant, broken: Bool) {
        let route = RequestRecord.route(context)
        let level: Logger.Level = quiet.contains(route) ? .debug : .info
        guard level >= context.logger.logLevel else { return }
        let duration = ContinuousClock.now - start
        var metadata: Logger.Metadata = [
            "method": "\(request.method)", "route": "\(route)", "path": "\(request.uri.path.prefix(512))",
            "status": .stringConvertible(response.status.code),
            "duration_ms": .stringConvertible(duration.components.seconds * 1000 + duration.components.attoseconds / 1_000_000_000_000_000),
        ]
        if let query = request.uri.query { metadata["query"] = "\(Scrubber.scrub("?" + query).dropFirst().prefix(512))" }
        if let caller = context.caller { metadata["caller"] = "\(caller.name)" }
        if broken { metadata["broken_off"] = "true" }
        context.logger.log(level: level, "request", metadata: metadata)
    }
}

/// Methods that may become a metric's label; anyone can invent others.
enum PlatformMethods {
    static let known: Set = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
}
