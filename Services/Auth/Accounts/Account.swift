import Foundation
import PlatformModel
import Postgres

/// A person who can sign in.
struct Account: Sendable {
    let principal: PrincipalName
    /// What OpenID Connect calls the subject.
    let subject: String
    let email: String?
    let password: PasswordRecord?

    init(_ row: PostgresRow) throws {
        principal = PrincipalName(checked: try row.get("principal"))
        subject = try row.get("subject", as: UUID.self).uuidString.lowercased()
        email = try row.get("email")
        password = try row.get("password", as: String?.self).flatMap { PasswordRecord(text: $0) }
    }

    /// An e-mail address as it is stored and compared; nil for what is none.
    static func email(_ text: String) -> String? {
        let text = text.trimmingCharacters(in: .whitespaces).lowercased()
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, parts[1].contains("."), !parts[1].hasPrefix("."), !parts[1].hasSuffix("."),
            text.utf8.count <= 254, text.unicodeScalars.allSatisfy({ $0.value > 0x20 && $0.value != 0x7f })
        else { return nil }
        return text
    }
}
