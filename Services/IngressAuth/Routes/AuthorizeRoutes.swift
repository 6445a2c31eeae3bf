import Foundation
import HTTPTypes
import Hummingbird
import Logging
import Metrics
import PlatformModel
import ServiceKit

/// `GET /oauth/authorize`: the gateway's question about each request to a protected host.
struct AuthorizeRoutes: Sendable {
    let gatekeeper: Gatekeeper
    let answers: Answers
    let addresses: ClientAddresses
    let metrics: PrometheusMetrics
    /// For everything that one question causes.
    let limit: Duration

    func register(on router: PlatformRouter) {
        // For anyone: the credentials are the visitor's, wherever they stand in his request, and are read by our own rules.
        router.get("/oauth/authorize", access: .anyone) { request, context in
            try await answer(request, context)
        }
    }

    private func answer(_ request: Request, _ context: PlatformContext) async throws -> Response {
        let asked: AskedRequest
        do {
            asked = try AskedRequest(request.headers)
        } catch {
            return answers.malformed(error.sentence, request.headers)
        }
        let names = CookieNames(isSecure: true)
        let kind = RequestKind(asked, credentials: Credentials(asked, tokenCookies: [], session: names.session))
        guard addresses.admits(context.channel.remoteAddress, request.headers) else { return answers.tooMany(kind) }
        let start = ContinuousClock.now
        do {
            let decision = try await withTimeout(limit) { [gatekeeper] in try await gatekeeper.decide(asked) }
            note(decision, asked, context, start)
            return try answers.response(decision, asked, kind)
        } catch is OutgoingCalls.TooMany {
            return answers.tooMany(kind)
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            // Whatever was not found out is no reason to let anybody in.
            context.logger.error(
                "Access could not be checked", metadata: ["host": "\(asked.host)", "error": "\(String(reflecting: error).prefix(500))"])
            return answers.away(kind)
        }
    }

    private func note(_ decision: Decision, _ asked: AskedRequest, _ context: PlatformContext, _ start: ContinuousClock.Instant) {
        Metrics.Timer(label: "ingress_decision_seconds", dimensions: [("decision", decision.name)], factory: metrics)
            .record(duration: .now - start)
        var metadata: Logger.Metadata = [
            "host": "\(asked.host)", "decision": "\(decision.name)", "visitor_method": "\(asked.method.prefix(16))",
        ]
        if let principal = decision.principal { metadata["principal"] = "\(principal)" }
        if let cluster = decision.place?.zone.cluster { metadata["cluster"] = "\(cluster)" }
        var level = Logger.Level.info
        if case .allowed = decision.outcome { level = .debug }
        context.logger.log(level: level, "Decided", metadata: metadata)
    }
}
