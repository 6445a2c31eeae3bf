import Crypto
import Foundation
import HTTPTypes
import Hummingbird
import PlatformClients
import PlatformModel
import ServiceKit
import Synchronization

/// What ingress-auth asks besides auth-api, on one port: config-api, jobs-api and apps-api answering from a state that the test holds, and an
/// identity provider. (That the genuine services answer so is asserted in ``GenuineNeighboursTests``.)
final class Neighbours: Sendable {
    struct Code: Sendable {
        let user: String
        let challenge: String
        let redirectURI: String
    }

    struct State: Sendable {
        var clusters: [ClusterDocument] = []
        var jobs: [JobResponse] = []
        var apps: [AppInstance] = []
        /// Names of services that answer 500.
        var failing: Set<String> = []
        /// How often each was asked.
        var calls: [String: Int] = [:]
        /// What they were asked with.
        var tokens: Set<String> = []
        var codes: [String: Code] = [:]
        /// Seconds that the identity provider's tokens last.
        var tokenLife = 3600.0
        /// Set: what the identity provider answers with instead of asking anybody.
        var refusal: (error: String, description: String)?
    }

    static let clientSecret = "secret-of-the-web-client"

    let state = Mutex(State())
    let id = UUID().uuidString
    let sign: @Sendable (String, Double) async throws -> String

    private static let all = Mutex<[String: Neighbours]>([:])

    init(sign: @escaping @Sendable (String, Double) async throws -> String) {
        self.sign = sign
        Self.all.withLock { $0[id] = self }
    }

    deinit { Self.all.withLock { $0[id] = nil } }

    static func with(id: String) -> Neighbours? { all.withLock { $0[id] } }

    func change(_ body: (inout State) -> Void) { state.withLock { body(&$0) } }
    func calls(_ service: String) -> Int { state.withLock { $0.calls[service] ?? 0 } }

    fileprivate func called(_ service: String, _ request: Request) throws {
        let isFailing = state.withLock { state in
            state.calls[service, default: 0] += 1
            if let token = request.headers[.authorization] { state.tokens.insert(token) }
            return state.failing.contains(service)
        }
        if isFailing { throw PlatformError(.internalServerError, "failing") }
    }
}

private struct Jobs: Encodable { let jobs: [JobResponse] }
private struct Apps: Encodable { let items: [AppInstance] }
private struct TokenAnswer: Encodable {
    let access_token: String
    let token_type = "Bearer"
    let expires_in: Double
}

struct NeighbourService: PlatformService {
    static let name = "neighbours"
    let neighbours: Neighbours

    init(_ context: ServiceContext) async throws {
        let id = try context.settings.string("neighbours.id")
        guard let found = Neighbours.with(id: id) else { throw SettingError("No neighbours \(id)") }
        neighbours = found
    }

    func register(on router: PlatformRouter) {
        router.get("/api/v1/clusters", access: .anyone) { request, _ in
            try neighbours.called("config-api", request)
            return JSONResponse(neighbours.state.withLock { $0.clusters })
        }
        router.get("/api/v1/jobs", access: .anyone) { request, context in
            try neighbours.called("jobs-api", request)
            let label = try context.query.required("hostname").prefix { $0 != "." }
            // As jobs-api does: the domain does not matter.
            guard label.utf8.allSatisfy({ $0 == 45 || (48...57).contains($0) || (97...122).contains($0) }), !label.hasSuffix("--") else {
                throw PlatformError.badRequest("Invalid hostname")
            }
            let jobs = neighbours.state.withLock { $0.jobs }
            return JSONResponse(Jobs(jobs: jobs.filter { $0.id.text == label || "\($0.name ?? "")--\($0.orgProjectHash)" == label }))
        }
        router.get("/apis/apps/v2/instances/{id}", access: .anyone) { request, context in
            try neighbours.called("apps-api", request)
            let id = try context.parameter("id")
            guard let app = neighbours.state.withLock({ $0.apps.first { $0.id == id } }) else { throw PlatformError.notFound() }
            return JSONResponse(app)
        }
        router.get("/apis/apps/v2/instances", access: .anyone) { request, context in
            try neighbours.called("apps-api", request)
            let name = try context.query.required("name")
            return JSONResponse(Apps(items: neighbours.state.withLock { $0.apps.filter { $0.name == name } }))
        }
        registerProvider(on: router)
    }

    // MARK: The identity provider

    /// A browser with the cookie `idp` is signed in under that name; `/idp/sign-in?user=` gives it one.
    private func registerProvider(on router: PlatformRouter) {
        router.get("/idp/authorize", access: .anyone) { request, context in
            try neighbours.called("identity provider", request)
            let query = context.query
            guard query.first("response_type") == "code", query.first("client_id") == "orrery-web",
                query.first("code_challenge_method") == "S256", let challenge = query.first("code_challenge"),
                let state = query.first("state"),
                let redirectURI = query.first("redirect_uri"), redirectURI == "\(Platform.origin)/oauth/callback",
                query.first("audience") == Platform.origin, query.first("scope") == "openid"
            else { throw PlatformError.badRequest("\(query.items)") }
            if let refusal = neighbours.state.withLock({ $0.refusal }) {
                let description = refusal.description.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
                return Response.redirect(
                    to: "\(redirectURI)?state=\(state)&error=\(refusal.error)&error_description=\(description)", type: .found)
            }
            guard let cookie = request.headers[values: .cookie].first(where: { $0.contains("idp=") }),
                let user = cookie.components(separatedBy: "idp=").last?.prefix(while: { $0 != ";" }), !user.isEmpty
            else { return Response(status: .ok, body: .init(byteBuffer: ByteBuffer(string: "please sign in"))) }
            let code = UUID().uuidString
            neighbours.change { $0.codes[code] = .init(user: String(user), challenge: challenge, redirectURI: redirectURI) }
            return Response.redirect(to: "\(redirectURI)?state=\(state)&code=\(code)", type: .found)
        }
        router.get("/idp/sign-in", access: .anyone) { _, context in
            Response(status: .ok, headers: [.setCookie: "idp=\(try context.query.required("user")); Path=/"])
        }
        router.get("/idp/logout", access: .anyone) { _, context in
            let address = try context.query.required("post_logout_redirect_uri")
            guard address == "\(Platform.origin)/oauth/logged-out" else { throw PlatformError.badRequest("not registered") }
            var response = Response.redirect(to: address, type: .found)
            response.headers[.setCookie] = "idp=; Path=/; Max-Age=0"
            return response
        }
        router.post("/idp/token", access: .anyone) { request, _ in
            try neighbours.called("token endpoint", request)
            let form = try QueryItems(String(buffer: try await request.body.collect(upTo: 4096)))
            let code = form.first("code").flatMap { code in neighbours.state.withLock { $0.codes.removeValue(forKey: code) } }
            let challenge = form.first("code_verifier").map {
                Data(SHA256.hash(data: Data($0.utf8))).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_")
                    .replacing("=", with: "")
            }
            guard let code, form.first("grant_type") == "authorization_code", form.first("client_id") == "orrery-web",
                form.first("client_secret") == Neighbours.clientSecret, form.first("redirect_uri") == code.redirectURI,
                challenge == code.challenge
            else { throw PlatformError(.badRequest, "invalid_grant", body: ["error": "invalid_grant"]) }
            let life = neighbours.state.withLock { $0.tokenLife }
            return JSONResponse(TokenAnswer(access_token: try await neighbours.sign(code.user, life), expires_in: life))
        }
    }
}
