import HTTPTypes
import Hummingbird

/// The routes that every service answers: `/ping`, `/api/v1/ping/<service>`, `/health`, `/ready`. A service that wants one of them
/// otherwise registers its own.
struct BuiltInRoutes {
    let name: String
    let readiness: Readiness
    let parts: ServiceParts

    static func quiet(_ name: String) -> Set<String> { ["/ping", "/health", "/ready", "/api/v1/ping/\(name)"] }

    private struct State: Encodable {
        let status: String
        let dependencies: [String: DependencyState]
    }

    // All of them are for anyone: load balancers and orchestrators have no credentials, and they tell nothing about the platform's data.
    func register(on router: PlatformRouter) {
        let taken = Set(router.routes.filter { $0.method == .get }.map(\.path))
        for path in ["/ping", "/api/v1/ping/\(name)"] where !taken.contains(path) {
            router.get(path, access: .anyone) { _, _ in "Pong" }
        }
        if !taken.contains("/health") {
            router.get("/health", access: .anyone) { _, _ in JSONResponse(["status": "ok"]) }
        }
        if !taken.contains("/ready") {
            router.get("/ready", access: .anyone) { [readiness, parts] _, _ in
                let ready = readiness.isReady
                let state = State(status: ready ? "ready" : "stopping", dependencies: await BuiltInRoutes.dependencies(parts))
                return JSONResponse(state, status: ready ? .ok : .serviceUnavailable)
            }
        }
    }

    private static func dependencies(_ parts: ServiceParts) async -> [String: DependencyState] {
        await withTaskGroup(of: (String, DependencyState).self) { group in
            for (name, state) in parts.dependencies {
                group.addTask {
                    let answer = try? await withTimeout(.seconds(1)) { await state() }
                    return (name, answer ?? DependencyState(ok: false, detail: ["error": "no answer within a second"]))
                }
            }
            return await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
        }
    }
}
