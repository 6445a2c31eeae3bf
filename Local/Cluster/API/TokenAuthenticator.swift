import Crypto
import Foundation
import Hummingbird
import Kubernetes
import Logging
import ServiceKit

/// Knows the one bearer token of the cluster. Tokens are compared by their digests, so that the time taken tells nothing of them.
struct TokenAuthenticator: Authenticator {
    private let digest: SHA256.Digest

    init(_ token: Secret) { digest = SHA256.hash(data: Data(token.value.utf8)) }

    func caller(_ request: Request, logger: Logger) async throws -> Caller? {
        guard let header = request.headers[.authorization] else { return nil }
        let parts = header.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == "bearer" else { return nil }
        let token = parts[1].trimmed
        guard isKnown(token) else { throw StatusError.unauthorized() }
        return Caller(name: "cluster-admin", token: token)
    }

    private func isKnown(_ token: String) -> Bool {
        // `==` of digests takes the same time whatever they hold.
        SHA256.hash(data: Data(token.utf8)) == digest
    }
}

/// Errors as `Status` objects; those of the router too.
struct StatusErrors: ErrorRenderer {
    func render(_ error: PlatformError) -> Response {
        let status = (error.body as? JSONValue) ?? StatusErrors.status(of: error).object
        return Response(
            status: error.status, headers: [.contentType: "application/json"], body: .init(byteBuffer: JSONWriter.buffer(status)))
    }

    private static func status(of error: PlatformError) -> StatusError {
        switch error.status.code {
        case 400: .badRequest(error.message)
        case 401: .unauthorized()
        case 404: .unknownResource()
        case 405: .methodNotAllowed()
        case 413: .tooLarge(limit: BodyReader.limit)
        case 503: StatusError(503, "ServiceUnavailable", error.message, retryAfter: 1)
        case 500: .internalError("see the log of the cluster")
        case let code: StatusError(code, "", error.message)
        }
    }
}
