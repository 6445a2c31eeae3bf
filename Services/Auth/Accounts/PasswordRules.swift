import ServiceKit

/// What a new password must be: long, and not the name. No rules of composition (NIST SP 800-63B, 5.1.1.2).
enum PasswordRules {
    static let minimum = 10
    static let maximum = 256

    /// The reason why not, as a sentence; nil for a good one.
    static func refusal(of password: String, repeated: String, account: String, email: String?) -> String? {
        if password != repeated { return "The two passwords differ." }
        if password.count < minimum { return "The password must have at least \(minimum) characters." }
        if password.utf8.count > maximum { return "The password is too long; at most \(maximum) characters." }
        if password.unicodeScalars.contains(where: { $0.value < 0x20 }) { return "The password must not hold control characters." }
        let lower = password.lowercased()
        let known = [account, email, email.map { String($0.prefix { $0 != "@" }) }].compactMap { $0?.lowercased() }
        if known.contains(lower) || Set(lower).count < 4 { return "The password is too easy to guess." }
        return nil
    }
}
