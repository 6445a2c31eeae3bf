import Foundation

/// Tickets carry a sign-in from the API host to the host that was asked for. One is good once, for a minute, for that host and for the browser
/// that began there.
struct TicketOffice: Sendable {
    static let lifetime = 60
    /// How long a spent ticket is remembered, so that a reloaded page finds its way.
    private static let memory = 600

    let vault: Vault

    struct Ticket: Codable, Hashable, Sendable {
        /// nil: spent.
        var session: SessionStore.Session?
        let host: String
        let nonceHash: String
        let target: String
    }

    func issue(_ ticket: Ticket) async throws -> String {
        let id = RandomText.make()
        try await vault.put(ticket, "ticket", id, seconds: Self.lifetime)
        return id
    }

    /// The ticket, spent or not; nil when it is none of this host.
    func look(at id: String, host: HostName) async throws -> Vault.Found<Ticket>? {
        guard RandomText.isPlausible(id), let found = try await vault.find("ticket", id, as: Ticket.self), found.value.host == host.text
        else { return nil }
        return found
    }

    /// False when it had been spent, here or by another replica.
    func spend(_ found: Vault.Found<Ticket>) async throws -> Bool {
        guard found.value.session != nil else { return false }
        var spent = found.value
        spent.session = nil
        return try await vault.exchange(found, for: spent, seconds: Self.memory)
    }
}
