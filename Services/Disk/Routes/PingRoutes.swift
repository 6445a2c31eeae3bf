import PlatformClients
import ServiceKit

/// For probes, and for clients that want to know whether their token stands.
struct PingRoutes: Sendable {
    let auth: AuthClient

    func register(on router: PlatformRouter) {
        // For anyone: probes have no token, and it tells nothing.
        router.get("/api/v1/ping", access: .anyone) { _, _ in "Pong" }
        router.get("/api/v1/secured-ping", access: .principal) { _, context in
            try await auth.verify(context.requireCaller())
            return "Secured Pong"
        }
    }
}
