import Hummingbird
import Logging
import ServiceLifecycle

/// Serves `GET /metrics` on a port of its own, so that the gateway never shows it.
struct MetricsExporter: Service {
    let metrics: PrometheusMetrics
    let host: String
    let port: Int
    let logger: Logger

    func run() async throws {
        let responder = CallbackResponder { (request: Request, _: BasicRequestContext) in
            guard request.uri.path == "/metrics" || request.uri.path == "/metrics/" else { return Response(status: .notFound) }
            guard request.method == .get || request.method == .head else {
                return Response(status: .methodNotAllowed, headers: [.allow: "GET, HEAD"])
            }
            let text = await metrics.text()
            return Response(
                status: .ok, headers: [.contentType: "text/plain; version=0.0.4; charset=utf-8"],
                body: ResponseBody(byteBuffer: ByteBuffer(string: request.method == .head ? "" : text)))
        }
        var quiet = logger
        quiet.logLevel = .warning
        let application = Application(
            responder: responder, server: .platform(idleTimeout: .seconds(75)),
            configuration: ApplicationConfiguration(address: .hostname(host, port: port)), logger: quiet)
        try await application.run()
    }
}
