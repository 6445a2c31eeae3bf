import PlatformModel

/// `POST /users`
public struct CreatePrincipalRequest: Codable, Hashable, Sendable {
    public var name: PrincipalName
    public init(name: PrincipalName) { self.name = name }
}

/// A principal as `GET /users/{name}` and `POST /users` answer it.
public struct PrincipalResponse: Codable, Hashable, Sendable {
    public var name: PrincipalName
    public init(name: PrincipalName) { self.name = name }
}

/// `POST /users/{name}/token`
public struct IssueTokenRequest: Codable, Hashable, Sendable {
    /// The `token:` URI to which the token is bound.
    public var uri: ResourceURI?
    /// The job for which it is made.
    public var jobID: String?

    public init(uri: ResourceURI? = nil, jobID: String? = nil) {
        self.uri = uri
        self.jobID = jobID
    }

    enum CodingKeys: String, CodingKey {
        case uri
        case jobID = "job_id"
    }
}

public struct IssueTokenResponse: Codable, Hashable, Sendable {
    public var accessToken: String
    public init(accessToken: String) { self.accessToken = accessToken }

    enum CodingKeys: String, CodingKey { case accessToken = "access_token" }
}

/// `GET /users/{name}/subroles`
public struct SubrolesResponse: Codable, Hashable, Sendable {
    public var subroles: [PrincipalName]
    public init(subroles: [PrincipalName]) { self.subroles = subroles }
}

/// An entry of `GET /users/{name}/permissions/shared`.
public struct SharedPermission: Codable, Hashable, Sendable {
    /// The grantee.
    public var user: PrincipalName
    public var uri: ResourceURI
    public var action: Action

    public init(user: PrincipalName, uri: ResourceURI, action: Action) {
        self.user = user
        self.uri = uri
        self.action = action
    }
}

/// `POST {admin}/users/{name}/token/verify`; a failure is an HTTP error, never `false`.
public struct VerifyTokenResponse: Codable, Hashable, Sendable {
    public var verified: Bool
    public init(verified: Bool = true) { self.verified = verified }
}
