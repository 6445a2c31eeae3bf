import Crypto
import Foundation

/// A sign-in on its way, kept by the browser that began it, in a cookie that only this service can read. Each has its own cookie, so that
/// several tabs can sign in at the same time.
struct Transaction: Codable, Hashable, Sendable {
    static let lifetime = 600
    /// Cookies of sign-ins that were never finished are cleared beyond this.
    static let limit = 5

    let state: String
    let verifier: String
    /// nil: no page is waiting.
    let target: ReturnTarget?
    /// Seconds since 1970.
    let expires: Double

    init(target: ReturnTarget?, now: Date) {
        state = RandomText.make()
        verifier = RandomText.make()
        self.target = target
        expires = now.timeIntervalSince1970 + Double(Self.lifetime)
    }

    /// The cookie of the transaction with that state.
    static func cookieName(_ state: String, _ names: CookieNames) -> String {
        names.transactionPrefix + Base64URL.encode(SHA256.hash(data: Data(state.utf8))).prefix(12)
    }
}
