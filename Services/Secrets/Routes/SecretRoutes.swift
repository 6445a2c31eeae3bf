import Hummingbird
import PlatformClients
import PlatformModel
import ServiceKit

/// The routes of this API (secrets.md 3).
struct SecretRoutes: Sendable {
    static let bodyLimit = 1 << 20
    private static let path = "/api/v1/secrets"

    let access: SecretAccess
    let store: SecretStore
    let auth: AuthClient

    func register(on router: PlatformRouter) {
        // Tells only that it is up; clients ask before they have a token.
        router.get("/api/v1/ping", access: .anyone) { _, _ in "Pong" }
        router.get("/api/v1/secured-ping", access: .principal) { _, context in
            try context.query.refuseToken()
            try await auth.verify(context.requireCaller())
            return "Secured Pong"
        }
        router.post(Self.path, access: .principal, bodyLimit: Self.bodyLimit) { try await create($0, $1) }
        router.get(Self.path, access: .principal) { _, context in try await list(context) }
        router.get(Self.path + "/{key}", access: .principal) { _, context in try await read(context) }
        router.delete(Self.path + "/{key}", access: .principal) { _, context in try await delete(context) }
    }

    private func create(_ request: Request, _ context: PlatformContext) async throws -> JSONResponse<SecretEntry> {
        try context.query.refuseToken()
        let body = try await request.body.collect(upTo: context.maxUploadSize)
        let wanted = try NewSecret(body: body)
        try await access.requireWriting(in: wanted.place, as: context.requireCaller())
        guard let value = wanted.text.value else { throw SecretStore.Refusal.notStorable(wanted.key) }
        try await store.put(value, under: wanted.key, in: wanted.place)
        return Self.unstored(SecretEntry(wanted.key, in: wanted.place), status: .created)
    }

    private func list(_ context: PlatformContext) async throws -> JSONResponse<[SecretEntry]> {
        let scope = try SecretScope(context.query)
        let caller = try context.requireCaller()
        switch scope {
        case .project(let place):
            let isReadable = try await access.readable(in: place, as: caller)
            return Self.unstored(try await store.keys(in: place).filter(isReadable).map { SecretEntry($0, in: place) })
        case .org(let org):
            let reach = try await access.readable(in: org, as: caller)
            return Self.unstored(try await AllProjects(store: store, reach: reach).entries(of: org))
        }
    }

    private func read(_ context: PlatformContext) async throws -> JSONResponse<SecretWithValue> {
        let place = try SecretPlace(context.query)
        let key = try context.secretKey()
        try await access.requireReading(key, in: place, as: context.requireCaller())
        return Self.unstored(SecretWithValue(key: key, value: try await store.value(of: key, in: place), place: place))
    }

    private func delete(_ context: PlatformContext) async throws -> Response {
        let place = try SecretPlace(context.query)
        try await access.requireWriting(in: place, as: context.requireCaller())
        try await store.remove(context.secretKey(), from: place)
        return Response(status: .noContent)
    }

    /// No cache on the way keeps it.
    private static func unstored<T>(_ value: T, status: HTTPResponse.Status = .ok) -> JSONResponse<T> {
        JSONResponse(value, status: status, headers: [.cacheControl: "no-store"])
    }
}
