import AsyncHTTPClient
import ServiceLifecycle

/// Lets go of the streams' own connections to podman when they have ended.
struct StreamClient: Service {
    let client: HTTPClient

    func run() async throws {
        try? await gracefulShutdown()
        try await client.shutdown()
    }
}
