import AsyncHTTPClient
import Identity
import PlatformModel
import ServiceKit

/// The client of auth-api. Checks go with the caller's own token, so that one round trip says both whether the token stands and what is
/// missing; changes go with the service's token.
public struct AuthClient: Sendable {
    var rest: RestClient

    /// `baseURL` is the origin of auth-api, without a path.
    public init(http: HTTPClient, baseURL: String, token: Secret? = nil) {
        rest = RestClient(service: "auth-api", http: http, baseURL: baseURL + "/api/v1", token: token)
    }

    /// The auth-api at `ORRERY_AUTH_URL`, with the token `ORRERY_SERVICE_TOKEN` if there is one.
    public init(_ context: ServiceContext) throws {
        self.init(
            http: context.http, baseURL: try context.settings.url("auth.url"), token: try context.settings.optionalSecret("service.token"))
    }

    func path(_ name: String, _ rest: String = "") -> String {
        "/users/" + PercentCoding.encode(String(name.map { $0 == "/" ? ":" : $0 })) + rest
    }
}

// MARK: Questions in the caller's name

extension AuthClient {
    /// Which of `permissions` the caller lacks, in the order given.
    /// - Throws: `PlatformError` 401 when the caller's token no longer stands, 400/422 for URIs that auth-api refuses, 503.
    public func check(_ permissions: [Permission], as caller: Caller) async throws -> [Permission] {
        guard !permissions.isEmpty else {
            try await verify(caller)
            return []
        }
        return try await asking {
            try await rest.send(
                .init(
                    method: .POST, path: path(caller.name, "/permissions/check"), body: permissions, token: caller.token, repeatable: true),
                as: MissingPermissions.self
            ).missing
        }
    }

    /// Throws 403 `{"missing": [...]}` unless the caller holds all of `permissions`. Otherwise as ``check(_:as:)``.
    public func require(_ permissions: Permission..., as caller: Caller) async throws {
        try await require(permissions.map { [$0] }, as: caller)
    }

    /// Throws 403 unless the caller holds at least one of `permissions`; all are named as missing.
    public func requireAny(_ permissions: Permission..., as caller: Caller) async throws {
        try await require([permissions], as: caller)
    }

    /// Throws 403 unless the caller holds at least one permission of each group; the groups without any are named as missing.
    public func require(_ groups: [[Permission]], as caller: Caller) async throws {
        let missing = Set(try await check(groups.flatMap { $0 }, as: caller))
        let failed = groups.filter { group in !group.isEmpty && group.allSatisfy(missing.contains) }.flatMap { $0 }
        guard failed.isEmpty else {
            throw PlatformError(.forbidden, "Forbidden", body: MissingPermissions(missing: failed))
        }
    }

    /// What the caller can reach at and below `uri`. Errors as ``check(_:as:)``.
    public func tree(_ uri: ResourceURI, as caller: Caller) async throws -> PermissionTree {
        try await asking {
            try await rest.send(
                .init(
                    method: .GET, path: path(caller.name, "/permissions/tree"), query: [("uri", uri.canonical)], token: caller.token,
                    repeatable: true), as: PermissionTree.self)
        }
    }

    /// Throws 401 unless the caller's token stands.
    public func verify(_ caller: Caller) async throws {
        try await asking {
            _ = try await rest.send(.init(method: .GET, path: path(caller.name), token: caller.token, repeatable: true))
        }
    }

    /// A caller that is unknown, or may not even ask about itself, is not authenticated.
    private func asking<T>(_ body: () async throws -> T) async throws -> T {
        do {
            return try await body()
        } catch ClientError.status(_, 401, _), ClientError.status(_, 403, _), ClientError.status(_, 404, _) {
            throw PlatformError.unauthorized("The token is not valid any more")
        } catch ClientError.status(_, let code, let message) where code == 400 || code == 422 {
            throw PlatformError(.init(code: code), message)
        }
    }
}

// MARK: Questions and changes in the service's name

extension AuthClient {
    /// Which of `permissions` a principal lacks; nil when there is no such principal.
    public func check(_ permissions: [Permission], of principal: PrincipalName) async throws -> [Permission]? {
        try await orNil {
            try await rest.send(
                .init(method: .POST, path: path(principal.text, "/permissions/check"), body: permissions, repeatable: true),
                as: MissingPermissions.self
            ).missing
        }
    }

    /// Whether the principal exists.
    public func exists(_ principal: PrincipalName) async throws -> Bool {
        try await orNil { _ = try await rest.send(.init(method: .GET, path: path(principal.text), repeatable: true)) } != nil
    }

    /// The direct grants of a principal; with `expandingRoles` also what its roles give. nil when there is no such principal.
    public func permissions(
        of principal: PrincipalName, below uri: ResourceURI? = nil, expandingRoles: Bool = false
    ) async throws -> [Permission]? {
        var query = [("expand_roles", expandingRoles ? "true" : "false")]
        if let uri { query.append(("uri", uri.canonical)) }
        return try await orNil {
            try await rest.send(
                .init(method: .GET, path: path(principal.text, "/permissions"), query: query, repeatable: true), as: [Permission].self)
        }
    }

    /// Creates a user or role; true if it is new, false if it was there before.
    @discardableResult
    public func createUser(_ principal: PrincipalName) async throws -> Bool {
        let answer = try await rest.send(
            .init(
                method: .POST, path: "/users", body: CreatePrincipalRequest(name: principal), repeatable: true, accepted: [409]))
        return answer.status != 409
    }

    /// Deletes a principal and its subroles; false if there was none.
    @discardableResult
    public func deleteUser(_ principal: PrincipalName) async throws -> Bool {
        try await rest.send(.init(method: .DELETE, path: path(principal.text), repeatable: true, accepted: [404])).status != 404
    }

    /// Grants; never lowers what is held. The resulting permissions, in the order given.
    @discardableResult
    public func grant(_ permissions: [Permission], to principal: PrincipalName) async throws -> [Permission] {
        try await rest.send(
            .init(method: .POST, path: path(principal.text, "/permissions"), body: permissions, repeatable: true), as: [Permission].self)
    }

    /// Makes `permissions` the only direct grants of a principal, beside its implicit ones.
    public func replacePermissions(_ permissions: [Permission], of principal: PrincipalName) async throws {
        _ = try await rest.send(.init(method: .PUT, path: path(principal.text, "/permissions"), body: permissions, repeatable: true))
    }

    /// Revokes the direct grants on exactly these URIs. Grants and principals that are not there are no error.
    public func revoke(_ uris: [ResourceURI], from principal: PrincipalName) async throws {
        guard !uris.isEmpty else { return }
        do {
            _ = try await rest.send(
                .init(
                    method: .DELETE, path: path(principal.text, "/permissions"), query: uris.map { ("uri", $0.canonical) },
                    repeatable: true, accepted: [404]))
        } catch ClientError.status(_, 400, "Operation has no effect") {
            // Nothing was held: the state asked for.
        }
    }

    /// A token for the principal, bound to `uri` if given.
    public func issueToken(for principal: PrincipalName, uri: ResourceURI? = nil, jobID: String? = nil) async throws -> String {
        try await rest.send(
            .init(
                method: .POST, path: path(principal.text, "/token"), body: IssueTokenRequest(uri: uri, jobID: jobID), repeatable: true),
            as: IssueTokenResponse.self
        ).accessToken
    }

    /// All principals below this one, full names.
    public func subroles(of principal: PrincipalName) async throws -> [PrincipalName] {
        try await rest.send(.init(method: .GET, path: path(principal.text, "/subroles"), repeatable: true), as: SubrolesResponse.self)
            .subroles
    }

    func orNil<T>(_ body: () async throws -> T) async throws -> T? {
        do {
            return try await body()
        } catch ClientError.status(_, 404, _) {
            return nil
        }
    }
}

// MARK: Passing requests on

extension AuthClient {
    /// Passes a request of a caller on as it is, with the caller's token, and returns status, content type and body as they came.
    public func forward(
        _ operation: ForwardedOperation, of principal: PrincipalName, body: JSON?, as caller: Caller
    ) async throws -> (status: Int, contentType: String?, body: [UInt8]) {
        let answer = try await rest.send(
            .init(
                method: operation == .verify ? .GET : .POST, path: path(principal.text, operation.path), body: body, token: caller.token,
                repeatable: true, accepted: Set(400..<500)))
        return (answer.status, answer.headers.first(name: "Content-Type"), Array(answer.body.readableBytesView))
    }

    /// What other faces of the platform pass on to auth-api.
    public enum ForwardedOperation: Sendable {
        case check, token, verify

        var path: String {
            switch self {
            case .check: "/permissions/check"
            case .token: "/token"
            case .verify: ""
            }
        }
    }
}
