import Foundation
import Hummingbird
import Kubernetes
import ServiceKit
import Synchronization
import TestSupport

/// As much of an API server as the making of pods needs, with admission as the test wants it.
final class PodServer: Sendable {
    struct State {
        var pods: [String: Pod] = [:]
        /// The names of pods, in order, that were asked for; `dry` before those of dry runs.
        var asked: [String] = []
        /// Names with the grace in seconds that each was removed with.
        var removed: [String: Int] = [:]
        /// Whether the n-th request of a pod (from 1) gets its storage.
        var injects: @Sendable (Int) -> Bool = { _ in false }
        /// The refusal of every pod.
        var denial: (code: Int, message: String)?
    }

    let state = Mutex(State())
    let id = UUID().uuidString

    private static let all = Mutex<[String: PodServer]>([:])

    init() { Self.all.withLock { $0[id] = self } }

    func change(_ body: (inout State) -> Void) { state.withLock { body(&$0) } }
    var now: State { state.withLock { $0 } }

    static func run(_ body: (PodServer, KubernetesClient) async throws -> Void) async throws {
        let server = PodServer()
        defer { Self.all.withLock { $0[server.id] = nil } }
        try await withService(PodServerService.self, settings: ["postgres.url": "none", "server.id": server.id]) { service in
            let client = try KubernetesClient(KubernetesConfiguration(server: service.url), logger: service.assembly.context.logger)
            let outcome: Result<Void, any Error>
            do { outcome = .success(try await body(server, client)) } catch { outcome = .failure(error) }
            try await client.shutdown()
            try outcome.get()
        }
    }

    static func with(id: String) -> PodServer? { all.withLock { $0[id] } }

    /// - Returns: what is answered: a pod, or a refusal.
    func make(_ sent: Pod, isDryRun: Bool) -> Result<Pod, Refused> {
        state.withLock { state in
            let name = sent.metadata.name ?? ""
            state.asked.append(isDryRun ? "dry \(name)" : name)
            if let denial = state.denial { return .failure(Refused(code: denial.code, reason: "Forbidden", message: denial.message)) }
            if state.pods[name] != nil { return .failure(Refused(code: 409, reason: "AlreadyExists", message: "it stands")) }
            var pod = sent
            pod.metadata.uid = UUID().uuidString
            if state.injects(state.asked.count) {
                var volume = Volume(name: "storage-auto-injected-volume-12345678")
                volume.nfs = NFSVolume(server: "nfs", path: "/exports/acme/proj")
                pod.spec?.volumes = [volume]
                pod.spec?.containers[0].volumeMounts = [VolumeMount(name: volume.name, mountPath: "/data", subPath: "data")]
            }
            if !isDryRun { state.pods[name] = pod }
            return .success(pod)
        }
    }

    struct Refused: Error {
        let code: Int
        let reason: String
        let message: String
    }
}

struct PodServerService: PlatformService {
    static let name = "pod-server"
    let server: PodServer

    init(_ context: ServiceContext) async throws {
        guard let found = PodServer.with(id: try context.settings.string("server.id")) else { throw SettingError("no such server") }
        server = found
    }

    private struct Removal: Decodable { let gracePeriodSeconds: Int? }

    func register(on router: PlatformRouter) {
        router.post("/api/v1/namespaces/{namespace}/pods", access: .anyone) { request, context in
            let pod = try await request.decode(as: Pod.self, context: context)
            switch server.make(pod, isDryRun: context.query.first("dryRun") == "All") {
            case .success(let pod): return try JSONResponse(pod, status: .created).response(from: request, context: context)
            case .failure(let refused):
                let status = Status(code: refused.code, reason: refused.reason, message: refused.message)
                return try JSONResponse(status, status: .init(code: refused.code)).response(from: request, context: context)
            }
        }
        router.get("/api/v1/namespaces/{namespace}/pods/{name}", access: .anyone) { _, context in
            let name = try context.parameter("name")
            guard let pod = server.now.pods[name] else { throw PlatformError.notFound() }
            return JSONResponse(pod)
        }
        router.delete("/api/v1/namespaces/{namespace}/pods/{name}", access: .anyone) { request, context in
            let name = try context.parameter("name")
            let removal = try await request.decode(as: Removal.self, context: context)
            server.change { state in
                state.pods[name] = nil
                state.removed[name] = removal.gracePeriodSeconds ?? -1
            }
            return JSONResponse(["kind": "Status", "status": "Success"])
        }
    }
}
