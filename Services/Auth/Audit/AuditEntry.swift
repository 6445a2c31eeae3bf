/// One line of the audit log. Never holds a secret: no password, no token, no code.
struct AuditEntry: Sendable {
    enum Event: String, Sendable {
        case grant, replace, revoke, create, delete, token
        case invite
        case invitationAccepted = "invitation_accepted"
        case invitationsWithdrawn = "invitations_withdrawn"
        case accountChanged = "account_changed"
        case passwordChanged = "password_changed"
        case signIn = "sign_in"
        case signInRefused = "sign_in_refused"
        case signOut = "sign_out"
        case identityLinked = "identity_linked"
        case code
        case clientToken = "client_token"
        case clientRefused = "client_refused"
        case codeReused = "code_reused"
        case refresh
        case tokensRevoked = "tokens_revoked"
        case serviceAccountCreated = "service_account_created"
        case serviceAccountDeleted = "service_account_deleted"
    }

    let event: Event
    /// Who did it, as far as it is known.
    var actor: String?
    /// To whom.
    var principal: String?
    /// Permissions, client, provider, reason.
    var details: [String] = []
}
