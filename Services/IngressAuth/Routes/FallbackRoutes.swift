import HTTPTypes
import ServiceKit

/// The page behind hosts that no job answers for: any host, any path.
struct FallbackRoutes: Sendable {
    func register(on router: PlatformRouter) {
        // For anyone: it is shown where nobody has been asked who he is, and tells nothing.
        router.get("/", access: .anyone) { _, _ in WaitingPage.response }
        router.get("/{path...}", access: .anyone) { _, _ in WaitingPage.response }
    }
}
