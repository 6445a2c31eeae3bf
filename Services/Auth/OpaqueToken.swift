import Crypto
import Foundation
import Identity

/// A random value that proves something to whoever made it: a code, a session, a refresh token, an invitation. Only its hash is stored.
struct OpaqueToken: Sendable {
    let text: String

    init(_ text: String) { self.text = text }

    /// 256 bits of the system's generator, 43 characters.
    static func random() -> OpaqueToken {
        OpaqueToken(SymmetricKey(size: .bits256).withUnsafeBytes { Base64URL.encode($0) })
    }

    /// What is stored and looked up: SHA-256, base64url. The value is random, so nothing slower is needed.
    var hash: String { Self.digest(text) }

    /// A value that follows from this one for one purpose, and does not tell it.
    func derived(for purpose: String) -> String { Self.digest("\(purpose)\n\(text)") }

    static func digest(_ text: String) -> String { Base64URL.encode(SHA256.hash(data: Data(text.utf8))) }

    /// Compares secrets in a time that does not tell where they differ.
    static func equal(_ left: String, _ right: String) -> Bool {
        SHA256.hash(data: Data(left.utf8)) == SHA256.hash(data: Data(right.utf8))
    }
}
