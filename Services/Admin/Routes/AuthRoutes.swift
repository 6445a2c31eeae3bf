import Foundation
import HTTPTypes
import Hummingbird
import PlatformClients
import PlatformModel
import ServiceKit

/// The second face of auth-api: passed on with the caller's own token.
struct AuthRoutes: Sendable {
    let auth: AuthClient

    func register(on router: PlatformRouter) {
        // The client asserts this text to see that the API is there, before it has a token.
        router.get("\(apiPrefix)/ping", access: .anyone) { _, _ in "Pong" }
        router.post("\(apiPrefix)/users/{user...}/permissions/check", access: .principal) { request, context in
            try await forward(.check, request, context)
        }
        router.post("\(apiPrefix)/users/{user...}/token", access: .principal) { request, context in
            try await forward(.token, request, context)
        }
        router.post("\(apiPrefix)/users/{user...}/token/verify", access: .principal) { _, context in
            let caller = try context.requireCaller()
            guard try context.principal().text == caller.name else { throw PlatformError.unauthorized("The token names somebody else") }
            try await auth.verify(caller)
            return JSONResponse(VerifyTokenResponse())
        }
    }

    private func forward(_ operation: AuthClient.ForwardedOperation, _ request: Request, _ context: PlatformContext) async throws
        -> Response
    {
        let body = try await request.decode(as: JSON.self, context: context)
        let answer = try await auth.forward(operation, of: context.principal(), body: body, as: context.requireCaller())
        // In this service's own words, with the challenge that belongs to it.
        guard answer.status != 401 else { throw PlatformError.unauthorized("The token is not valid any more") }
        var headers = HTTPFields()
        if let type = answer.contentType { headers[.contentType] = type }
        return Response(
            status: .init(code: answer.status), headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: answer.body)))
    }
}
