import Foundation
import Identity
import PlatformModel
import ServiceKit

extension Directory {
    /// A token for a principal, without expiry; bound to a `token:` URI it stands only while the principal holds `read` there.
    func issueToken(for principal: PrincipalName, uri: ResourceURI?, jobID: String?, by caller: Caller) async throws -> String {
        if let uri, uri.scheme != .token || uri.segments.isEmpty {
            throw PlatformError.badRequest("uri: expected a token:// URI")
        }
        let (actions, verdicts) = try await ask(
            caller, on: [principal.userURI, ResourceURI(.user)], about: [Question(principal: principal)])
        // Whoever got hold of a job's token must not make a lasting one of it.
        guard caller.tokenURI == nil, actions[0] == .manage else { throw PlatformError.forbidden() }
        guard let validFrom = verdicts[0].validFrom else { throw Self.notFound(principal) }
        if actions[1] < .manage { try await requireNoMoreRights(principal, than: caller) }
        let claims = TokenClaims(
            name: principal, kind: Self.kind(of: principal), cluster: principal.servedCluster?.text, jobID: jobID, tokenURI: uri,
            issuedAt: max(Date(), Date(timeIntervalSince1970: validFrom)), id: UUID().uuidString.lowercased())
        let token = try await signer.sign(claims)
        try await audit.record(Self.entry(.token, by: caller, on: principal, uri.map { [$0.canonical] } ?? []))
        return token
    }

    /// What a token for the principal says of its kind.
    static func kind(of principal: PrincipalName) -> TokenKind {
        if principal.servedCluster != nil { return .cluster }
        return BuiltInPrincipals.services.contains(principal.text) ? .controlPlane : .user
    }

    /// Requires that the token presented stands and belongs to the principal.
    func verify(_ principal: PrincipalName, caller: Caller) async throws {
        guard caller.name == principal.text else { throw PlatformError.unauthorized("The token belongs to somebody else") }
        _ = try await ask(caller)
    }

    /// - Throws: 403 when the principal holds anything that the caller does not.
    func requireNoMoreRights(_ principal: PrincipalName, than caller: Caller) async throws {
        guard let theirs = try await judge.closures.table(of: principal),
            let own = try await judge.closures.table(of: PrincipalName(checked: caller.name)),
            theirs.permissions.allSatisfy({ $0.uri == principal.roleURI || own.action(on: $0.uri) >= $0.action })
        else { throw PlatformError.forbidden() }
    }
}
