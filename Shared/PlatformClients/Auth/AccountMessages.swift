import Foundation
import PlatformModel

/// `POST /users/{name}/invitation`
public struct InvitationRequest: Codable, Hashable, Sendable {
    /// By which a provider's verified address finds the account; what it was when absent.
    public var email: String?
    /// Seconds; the platform's usual time when absent.
    public var expiresIn: Int?

    public init(email: String? = nil, expiresIn: Int? = nil) {
        self.email = email
        self.expiresIn = expiresIn
    }

    enum CodingKeys: String, CodingKey {
        case email
        case expiresIn = "expires_in"
    }
}

/// An invitation to choose a password. Told once: what is stored does not give the link.
public struct InvitationResponse: Codable, Hashable, Sendable {
    public var name: PrincipalName
    public var url: String
    public var expiresAt: Date

    public init(name: PrincipalName, url: String, expiresAt: Date) {
        self.name = name
        self.url = url
        self.expiresAt = expiresAt
    }

    enum CodingKeys: String, CodingKey {
        case name, url
        case expiresAt = "expires_at"
    }
}

/// `PUT /users/{name}/account`
public struct AccountChange: Codable, Hashable, Sendable {
    public var email: String
    public init(email: String) { self.email = email }
}

/// `GET /users/{name}/account`: how a principal signs in.
public struct AccountResponse: Codable, Hashable, Sendable {
    public var name: PrincipalName
    public var email: String?
    public var hasPassword: Bool
    public var lastSignInAt: Date?
    /// Issuers of the providers through which it has signed in.
    public var identities: [String]

    public init(name: PrincipalName, email: String?, hasPassword: Bool, lastSignInAt: Date?, identities: [String]) {
        self.name = name
        self.email = email
        self.hasPassword = hasPassword
        self.lastSignInAt = lastSignInAt
        self.identities = identities
    }

    enum CodingKeys: String, CodingKey {
        case name, email, identities
        case hasPassword = "has_password"
        case lastSignInAt = "last_sign_in_at"
    }
}
