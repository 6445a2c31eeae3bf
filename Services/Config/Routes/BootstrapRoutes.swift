import Hummingbird
import ServiceKit

/// `GET /config`: always 200 for whoever asks, since clients cannot read anything else here.
struct BootstrapRoutes: Sendable {
    let bootstrap: Bootstrap

    func register(on router: PlatformRouter) {
        router.get("/api/v1/config", access: .optionalPrincipal) { _, context in
            JSONResponse(try await bootstrap.document(for: context.caller))
        }
    }
}
