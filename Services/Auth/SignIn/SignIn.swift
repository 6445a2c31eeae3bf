import Logging
import PlatformModel
import Postgres
import ServiceKit

/// Signs people in with their local passwords, and knows who has.
struct SignIn: Sendable {
    enum Outcome: Sendable {
        case signedIn(OpaqueToken)
        /// The name or the password is wrong; which, nobody is told.
        case refused
        /// Too many attempts; the next may be made in so many seconds.
        case wait(Int)
    }

    let judge: Judge
    let accounts: AccountStore
    let sessions: SessionStore
    let hasher: PasswordHasher
    let throttle: Throttle
    let audit: AuditLog

    func signIn(login: String, password: String) async throws -> Outcome {
        switch try await check(login: login, password: password) {
        case .right(let account):
            // Whoever lost `read` on itself is locked out, and learns no more than others.
            guard try await validFrom(account.principal) != nil else { return try await refused(login) }
            return .signedIn(try await sessions.create(for: account.principal, provider: nil))
        case .wrong: return try await refused(login)
        case .wait(let seconds): return .wait(seconds)
        }
    }

    /// Changes a password; all other sessions and all refresh tokens end, and a new session begins.
    func changePassword(of principal: PrincipalName, from old: String, to new: String) async throws -> Outcome {
        switch try await check(login: principal.text, password: old) {
        case .right:
            let record = try await hasher.hash(new)
            try await accounts.pool.transaction { connection in
                try await AccountStore.setPassword(record, of: principal, on: connection)
                try await SessionStore.endAll(of: principal, on: connection)
                // Whoever could read an open invitation could set the password back.
                try await connection.execute("DELETE FROM invitations WHERE principal = \(principal.text)")
                try await AuditLog.record(
                    AuditEntry(event: .passwordChanged, actor: principal.text, principal: principal.text), on: connection)
            }
            return .signedIn(try await sessions.create(for: principal, provider: nil))
        case .wrong: return try await refused(principal.text)
        case .wait(let seconds): return .wait(seconds)
        }
    }

    /// The session of a browser, if it is open and its principal may still sign in.
    func session(_ token: OpaqueToken?) async throws -> Session? {
        guard let token, let session = try await sessions.session(token), try await validFrom(session.principal) != nil else { return nil }
        return session
    }

    /// The earliest moment at which a token of the principal may say it was issued; nil when it must not have one.
    func validFrom(_ principal: PrincipalName) async throws -> Double? {
        let verdict = try await judge.judge([Question(principal: principal, uris: [principal.userURI])]).first
        guard let verdict, let validFrom = verdict.validFrom, verdict.actions.first ?? .deny >= .read else { return nil }
        return validFrom
    }

    // MARK: passwords

    private enum Check {
        case right(Account)
        case wrong
        case wait(Int)
    }

    private func check(login: String, password: String) async throws -> Check {
        guard login.utf8.count <= 254, password.utf8.count <= 4 * PasswordRules.maximum else { return .wrong }
        let keys = [Throttle.Key.account(login), .source(RequestOrigin.current?.source ?? "")]
        if let seconds = try await throttle.begin(keys) { return .wait(seconds) }
        let account = try await accounts.account(login: login)
        guard try await hasher.matches(password, account?.password), let account else { return .wrong }
        try await throttle.succeed(keys)
        if let record = account.password, record.parameters != hasher.parameters {
            try await accounts.refresh(hasher.hash(password), replacing: record, of: account.principal)
        }
        return .right(account)
    }

    private func refused(_ login: String) async throws -> Outcome {
        // What was typed as a name may have been a password.
        let known = try await accounts.account(login: login)?.principal.text
        try await audit.record(AuditEntry(event: .signInRefused, principal: known, details: [known == nil ? "unknown name" : "password"]))
        return .refused
    }
}
