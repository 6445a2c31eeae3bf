import Foundation
import Identity
import JWTKit

/// What the token endpoint answers.
struct TokenAnswer: Encodable, Sendable {
    let accessToken: String
    let expiresIn: Int
    var refreshToken: String?
    var idToken: String?
    var scope: String?
    let tokenType = "Bearer"

    enum CodingKeys: String, CodingKey {
        case scope
        case accessToken = "access_token"
        case expiresIn = "expires_in"
        case refreshToken = "refresh_token"
        case idToken = "id_token"
        case tokenType = "token_type"
    }
}

/// What a client may know of who signed in (OpenID Connect Core §2, §5.1). Names nobody in the platform's own claims, so that no service
/// takes it for a token.
struct IDTokenClaims: JWTPayload {
    let iss: String
    let sub: String
    let aud: String
    let iat: Int
    let exp: Int
    let authTime: Int
    let nonce: String?
    let preferredUsername: String
    let email: String?
    let emailVerified: Bool?

    enum CodingKeys: String, CodingKey {
        case iss, sub, aud, iat, exp, nonce, email
        case authTime = "auth_time"
        case preferredUsername = "preferred_username"
        case emailVerified = "email_verified"
    }

    /// Made here, read by clients.
    func verify(using algorithm: some JWTAlgorithm) async throws {}
}

/// `GET /auth/userinfo`
struct UserInfo: Encodable, Sendable {
    let sub: String
    let preferredUsername: String
    let email: String?

    enum CodingKeys: String, CodingKey {
        case sub, email
        case preferredUsername = "preferred_username"
    }
}
