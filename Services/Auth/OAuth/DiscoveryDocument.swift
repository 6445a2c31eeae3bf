/// `/.well-known/openid-configuration` (OpenID Connect Discovery §3) and `/.well-known/oauth-authorization-server` (RFC 8414).
struct DiscoveryDocument: Encodable, Sendable {
    let issuer: String
    let authorizationEndpoint: String
    let tokenEndpoint: String
    let revocationEndpoint: String
    let userinfoEndpoint: String
    let endSessionEndpoint: String
    let jwksURI: String
    let responseTypesSupported = ["code"]
    let responseModesSupported = ["query"]
    let grantTypesSupported = ["authorization_code", "refresh_token", "client_credentials"]
    let codeChallengeMethodsSupported = ["S256"]
    let tokenEndpointAuthMethodsSupported = ["none", "client_secret_basic", "client_secret_post"]
    let scopesSupported = AuthorizationRequest.knownScopes.sorted()
    let subjectTypesSupported = ["public"]
    let idTokenSigningAlgValuesSupported = ["ES256"]
    let claimsSupported = ["sub", "iss", "aud", "exp", "iat", "auth_time", "nonce", "preferred_username", "email", "email_verified"]
    let requestParameterSupported = false
    let requestURIParameterSupported = false

    init(_ settings: OAuthSettings) {
        issuer = settings.issuer
        authorizationEndpoint = settings.issuer + SignInPaths.authorize
        tokenEndpoint = settings.issuer + SignInPaths.token
        revocationEndpoint = settings.issuer + SignInPaths.revoke
        userinfoEndpoint = settings.issuer + SignInPaths.userInfo
        endSessionEndpoint = settings.issuer + SignInPaths.logout
        jwksURI = settings.issuer + "/.well-known/jwks.json"
    }

    enum CodingKeys: String, CodingKey {
        case issuer
        case authorizationEndpoint = "authorization_endpoint"
        case tokenEndpoint = "token_endpoint"
        case revocationEndpoint = "revocation_endpoint"
        case userinfoEndpoint = "userinfo_endpoint"
        case endSessionEndpoint = "end_session_endpoint"
        case jwksURI = "jwks_uri"
        case responseTypesSupported = "response_types_supported"
        case responseModesSupported = "response_modes_supported"
        case grantTypesSupported = "grant_types_supported"
        case codeChallengeMethodsSupported = "code_challenge_methods_supported"
        case tokenEndpointAuthMethodsSupported = "token_endpoint_auth_methods_supported"
        case scopesSupported = "scopes_supported"
        case subjectTypesSupported = "subject_types_supported"
        case idTokenSigningAlgValuesSupported = "id_token_signing_alg_values_supported"
        case claimsSupported = "claims_supported"
        case requestParameterSupported = "request_parameter_supported"
        case requestURIParameterSupported = "request_uri_parameter_supported"
    }
}
