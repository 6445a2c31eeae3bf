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
        let cluster = principal.servedCluster
        let kind: TokenKind = cluster != nil ? .cluster : BuiltInPrincipals.services.contains(principal.text) ? .controlPlane : .user
        let claims = TokenClaims(
            name: principal, kind: kind, cluster: cluster?.text, jobID: jobID, tokenURI: uri,
            issuedAt: max(Date(), Date(timeIntervalSince1970: validFrom)), id: UUID().uuidString.lowercased())
        let token = try await signer.sign(claims)
        audit("token", by: caller, on: principal, uri.map { [$0.canonical] } ?? [])
        return token
    }

    /// Requires that the token presented stands and belongs to the principal.
    func verify(_ principal: PrincipalName, caller: Caller) async throws {
        guard caller.name == principal.text else { throw PlatformError.unauthorized("The token belongs to somebody else") }
        _ = try await ask(caller)
    }

    private func requireNoMoreRights(_ principal: PrincipalName, than caller: Caller) async throws {
        guard let theirs = try await judge.closures.table(of: principal),
            let own = try await judge.closures.table(of: PrincipalName(checked: caller.name)),
            theirs.permissions.allSatisfy({ $0.uri == principal.roleURI || own.action(on: $0.uri) >= $0.action })
        else { throw PlatformError.forbidden() }
    }
}
