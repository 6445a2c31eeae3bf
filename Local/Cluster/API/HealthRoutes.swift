import Hummingbird
import Kubernetes
import ServiceKit

/// Something without which the cluster is not ready.
struct ReadinessCheck: Sendable {
    let name: String
    /// Nil when all is well, else why not.
    let fault: @Sendable () async -> String?
}

/// Whether the cluster lives and is ready, and its version; for anyone, as load balancers and `kubectl version` ask without credentials.
struct HealthRoutes: Sendable {
    let checks: [ReadinessCheck]

    func register(on router: PlatformRouter) {
        router.get("/version", access: .anyone) { _, _ in Answer.json(ClusterVersion.document) }
        router.get("/livez", access: .anyone) { _, _ in "ok" }
        for path in ["/readyz", "/healthz"] {
            router.get(path, access: .anyone) { _, context in try await readiness(verbose: context.query.first("verbose") != nil) }
        }
    }

    private func readiness(verbose: Bool) async throws -> Response {
        var lines: [String] = []
        var isReady = true
        for check in checks {
            let name = check.name
            let fault = try await withTimeout(.seconds(5)) { await check.fault() }
            lines.append(fault.map { "[-]\(name) failed: \($0)" } ?? "[+]\(name) ok")
            if fault != nil { isReady = false }
        }
        let text = isReady && !verbose ? "ok" : (lines + [isReady ? "readyz check passed" : "readyz check failed"]).joined(separator: "\n")
        return Response(
            status: isReady ? .ok : .internalServerError, headers: [.contentType: "text/plain; charset=utf-8"],
            body: .init(byteBuffer: ByteBuffer(string: text)))
    }
}
