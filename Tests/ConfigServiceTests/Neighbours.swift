import AsyncHTTPClient
import Foundation
import Hummingbird
import Identity
import Logging
import PlatformClients
import PlatformModel
import ServiceKit
import ServiceLifecycle
import Synchronization

/// What auth-api and admin-api would say, for tests that are about config-api: grants, revoked principals and memberships, set by the test.
final class Neighbours: Sendable {
    struct State {
        var grants: [String: [Permission]] = [:]
        var revoked: Set<String> = []
        var members: [String: AdminUser] = [:]
        var isAway = false
        var issuesNoTokens = false
    }

    let state = Mutex(State())

    func grant(_ principal: String, _ uri: String, _ action: Action) throws {
        let permission = Permission(try ResourceURI(uri), action)
        state.withLock { $0.grants[principal, default: []].append(permission) }
    }

    func revoke(_ principal: String) { state.withLock { _ = $0.revoked.insert(principal) } }

    func add(_ member: AdminUser) { state.withLock { $0.members[member.name] = member } }

    var isAway: Bool {
        get { state.withLock { $0.isAway } }
        set { state.withLock { $0.isAway = newValue } }
    }

    var issuesNoTokens: Bool {
        get { state.withLock { $0.issuesNoTokens } }
        set { state.withLock { $0.issuesNoTokens = newValue } }
    }

    private func principal(_ context: BasicRequestContext) throws -> String {
        guard !isAway else { throw HTTPError(.serviceUnavailable) }
        let name = try context.parameters.require("name").removingPercentEncoding?.replacing(":", with: "/") ?? ""
        guard state.withLock({ !$0.revoked.contains(name) }) else { throw HTTPError(.unauthorized) }
        return name
    }

    private func grants(_ name: String) throws -> [Permission] {
        // Everyone may ask about itself.
        state.withLock { $0.grants[name] ?? [] } + [Permission(try PrincipalName(name).userURI, .read)]
    }

    private func answer(_ value: some Encodable) throws -> Response {
        Response(
            status: .ok, headers: [.contentType: "application/json"],
            body: .init(byteBuffer: ByteBuffer(data: try PlatformJSON.encoder().encode(value))))
    }

    fileprivate func register(on router: Router<BasicRequestContext>) {
        router.get("/api/v1/users/:name") { _, context in
            try self.answer(["name": try self.principal(context)])
        }
        router.post("/api/v1/users/:name/permissions/check") { request, context in
            let name = try self.principal(context)
            let body = try await request.body.collect(upTo: 1 << 20)
            let asked = try PlatformJSON.decoder().decode([Permission].self, from: Data(body.readableBytesView))
            let held = try self.grants(name)
            return try self.answer(MissingPermissions(missing: asked.filter { question in !held.contains { $0.covers(question) } }))
        }
        router.get("/api/v1/users/:name/permissions/tree") { request, context in
            let name = try self.principal(context)
            let uri = try ResourceURI(String(request.uri.queryParameters["uri"] ?? ""))
            return try self.answer(PermissionTree(of: uri, grants: try self.grants(name)))
        }
        router.post("/api/v1/users") { _, _ in
            guard !self.isAway, !self.issuesNoTokens else { throw HTTPError(.serviceUnavailable) }
            return Response(status: .created)
        }
        router.delete("/api/v1/users/:name") { _, context in
            _ = try self.principal(context)
            return Response(status: .noContent)
        }
        router.post("/api/v1/users/:name/token") { _, context in
            try self.answer(IssueTokenResponse(accessToken: "token-of-" + self.principal(context)))
        }
        router.get("/apis/admin/v1/users/:name") { _, context in
            let name = try self.principal(context)
            guard let member = self.state.withLock({ $0.members[name] }) else { throw HTTPError(.notFound) }
            return try self.answer(member)
        }
    }

    /// Serves on a free port of this machine.
    static func run<Value: Sendable>(_ body: (Neighbours, _ url: String) async throws -> Value) async throws -> Value {
        let neighbours = Neighbours()
        let router = Router()
        neighbours.register(on: router)
        let (ports, port) = AsyncStream.makeStream(of: Int.self)
        var logger = Logger(label: "neighbours")
        logger.logLevel = .critical
        let application = Application(
            router: router, configuration: .init(address: .hostname("127.0.0.1", port: 0)),
            onServerRunning: { port.yield($0.localAddress?.port ?? 0) }, logger: logger)
        let group = ServiceGroup(
            configuration: .init(services: [.init(service: application)], gracefulShutdownSignals: [], logger: logger))
        return try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            guard let number = await ports.first(where: { _ in true }) else { throw CancellationError() }
            do {
                let value = try await body(neighbours, "http://127.0.0.1:\(number)")
                await group.triggerGracefulShutdown()
                try await tasks.waitForAll()
                return value
            } catch {
                await group.triggerGracefulShutdown()
                try? await tasks.waitForAll()
                throw error
            }
        }
    }
}
