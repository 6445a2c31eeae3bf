import Foundation
import PlatformModel

/// Who is signed in where. A browser that signed in has one session on the API host and one on each protected host it visited; they are one
/// family, which ends as a whole.
struct SessionStore: Sendable {
    let vault: Vault
    /// How long a session may last, however long its token does.
    let limit: Duration
    let clock: @Sendable () -> Date

    struct Session: Codable, Hashable, Sendable {
        let token: String
        let principal: String
        /// nil: the API host.
        let host: String?
        let family: String
        /// Seconds since 1970.
        let expires: Double
    }

    /// A session that ends with the token at the latest.
    func session(token: String, principal: String, tokenExpires: Double?, host: HostName?, family: String) -> Session {
        let limit = clock().timeIntervalSince1970 + limit / .seconds(1)
        return Session(
            token: token, principal: principal, host: host?.text, family: family, expires: min(tokenExpires ?? limit, limit))
    }

    /// The id of the new session.
    func begin(_ session: Session) async throws -> String {
        let id = RandomText.make()
        let seconds = Int(session.expires - clock().timeIntervalSince1970)
        try await vault.put(["since": clock().timeIntervalSince1970], "family", session.family, seconds: Int(limit / .seconds(1)) + 60)
        try await vault.put(session, "session", id, seconds: seconds)
        return id
    }

    /// The session of that id on this very host; nil when there is none, or none any more.
    func session(_ id: String, on host: HostName?) async throws -> Session? {
        guard RandomText.isPlausible(id), let session = try await vault.find("session", id, as: Session.self)?.value,
            session.host == host?.text, session.expires > clock().timeIntervalSince1970,
            try await vault.find("family", session.family, as: [String: Double].self) != nil
        else { return nil }
        return session
    }

    /// Ends one session.
    func end(_ id: String) async throws { try await vault.remove("session", id) }

    /// Ends all sessions that came from one sign-in.
    func end(family: String) async throws { try await vault.remove("family", family) }
}
