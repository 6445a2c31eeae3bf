import Hummingbird
import ServiceKit

/// `GET /config`: always 200 for whoever asks, since clients cannot read anything else here.
struct BootstrapRoutes: Sendable {
    let bootstrap: Bootstrap

    func register(on router: PlatformRouter) {
        // For anyone, also with a bad token or none: this is how they learn where to get one.
        router.get("/api/v1/config", access: .optionalPrincipal) { _, context in
            // The answer depends on who asks.
            JSONResponse(try await bootstrap.document(for: context.caller), headers: [.cacheControl: "no-store"])
        }
    }
}
