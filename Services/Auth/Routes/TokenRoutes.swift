import Hummingbird
import PlatformClients
import PlatformModel
import ServiceKit

/// Tokens: issuing, verifying, and the keys that everybody verifies with.
struct TokenRoutes: Sendable {
    let directory: Directory
    let origins: RequestOrigins

    func register(on router: PlatformRouter) {
        // For anyone: public keys are what strangers verify tokens with.
        router.get("/.well-known/jwks.json", access: .anyone) { _, _ in
            JSONResponse(directory.signer.publicKeys, headers: [.cacheControl: "public, max-age=60"])
        }
        for path in ["/api/v1/users/{name}/token", "/apis/admin/v1/users/{name...}/token"] {
            router.post(path, access: .principal) { request, context in
                let wish = try await request.decodeIfPresent(IssueTokenRequest.self, context) ?? IssueTokenRequest()
                let token = try await origins.with(request, context) {
                    try await directory.issueToken(
                        for: context.principal(), uri: wish.uri, jobID: wish.jobID, by: context.requireCaller())
                }
                return JSONResponse(IssueTokenResponse(accessToken: token), headers: [.cacheControl: "no-store"])
            }
        }
        router.post("/apis/admin/v1/users/{name...}/token/verify", access: .principal) { _, context in
            try await directory.verify(context.principal(), caller: context.requireCaller())
            return JSONResponse(VerifyTokenResponse())
        }
    }
}
