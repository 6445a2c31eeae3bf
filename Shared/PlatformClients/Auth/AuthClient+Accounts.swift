import PlatformModel

extension AuthClient {
    /// Makes the principal's account, if it has none, and a link by which its holder chooses a password.
    public func invite(_ principal: PrincipalName, _ request: InvitationRequest = .init()) async throws -> InvitationResponse {
        // Another invitation in place of one whose answer was lost does no harm.
        try await rest.send(
            .init(method: .POST, path: path(principal.text, "/invitation"), body: request, repeatable: true), as: InvitationResponse.self)
    }

    /// How a principal signs in; nil when it has no account.
    public func account(_ principal: PrincipalName) async throws -> AccountResponse? {
        try await orNil {
            try await rest.send(.init(method: .GET, path: path(principal.text, "/account"), repeatable: true), as: AccountResponse.self)
        }
    }
}
