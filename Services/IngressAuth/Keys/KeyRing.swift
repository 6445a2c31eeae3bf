import Crypto
import Foundation
import ServiceKit

/// The keys of this service. The first secret makes, the others are still accepted while they are rotated out. Each purpose has a key of its
/// own, derived by HKDF (RFC 5869), so that what was made for one purpose is worth nothing for another.
struct KeyRing: Sendable {
    enum Purpose: String, CaseIterable, Sendable {
        case returnTarget, cookie, store, form
    }

    private let keys: [Purpose: [SymmetricKey]]

    /// Reads `ORRERY_INGRESS_AUTH_KEYS`: texts of at least 256 bits, separated by white space or commas.
    init(_ settings: Settings) throws {
        try self.init(text: settings.secret("ingress.auth.keys").value)
    }

    /// - Throws: for none, and for keys too short or too regular to be random.
    init(text: String) throws(SettingError) {
        let secrets = text.split { $0.isWhitespace || $0 == "," }
        guard !secrets.isEmpty else { throw SettingError("ORRERY_INGRESS_AUTH_KEYS holds no key.") }
        for secret in secrets {
            // 43 characters of base64 are 256 bits; so are 64 hexadecimal digits.
            let isHexadecimal = secret.utf8.allSatisfy { Character(Unicode.Scalar($0)).isHexDigit }
            guard secret.utf8.count >= (isHexadecimal ? 64 : 43), Set(secret.utf8).count >= 10 else {
                throw SettingError(
                    "ORRERY_INGRESS_AUTH_KEYS has a key that is not random or shorter than 256 bits; make one with `openssl rand -base64 32`."
                )
            }
        }
        keys = Dictionary(
            uniqueKeysWithValues: Purpose.allCases.map { purpose in
                (
                    purpose,
                    secrets.map {
                        HKDF<SHA256>.deriveKey(
                            inputKeyMaterial: SymmetricKey(data: Data($0.utf8)), info: Data("ingress-auth \(purpose.rawValue)".utf8),
                            outputByteCount: 32)
                    }
                )
            })
    }

    private func active(_ purpose: Purpose) -> SymmetricKey { keys[purpose]?.first ?? SymmetricKey(size: .bits256) }
}

// MARK: - Signing

extension KeyRing {
    /// HMAC-SHA-256.
    func sign(_ text: String, for purpose: Purpose) -> String {
        Base64URL.encode(HMAC<SHA256>.authenticationCode(for: Data(text.utf8), using: active(purpose)))
    }

    /// In constant time.
    func isSignature(_ signature: String, of text: String, for purpose: Purpose) -> Bool {
        guard let code = Base64URL.decode(signature) else { return false }
        return (keys[purpose] ?? []).contains { HMAC<SHA256>.isValidAuthenticationCode(code, authenticating: Data(text.utf8), using: $0) }
    }

    /// The names under which something may be stored, made by the active key first: a reader of the store cannot make the value from it.
    func storageNames(of text: String) -> [String] {
        (keys[.store] ?? []).map { Base64URL.encode(HMAC<SHA256>.authenticationCode(for: Data(text.utf8), using: $0)) }
    }
}

// MARK: - Sealing

extension KeyRing {
    /// AES-GCM; `context` must be the same to open it.
    func seal(_ data: Data, for purpose: Purpose, context: String) throws -> Data {
        let box = try AES.GCM.seal(data, using: active(purpose), authenticating: Data(context.utf8))
        guard let combined = box.combined else { throw CryptoKitError.incorrectParameterSize }
        return combined
    }

    /// nil for anything that was not sealed by one of these keys for this purpose and context.
    func open(_ sealed: Data, for purpose: Purpose, context: String) -> Data? {
        guard let box = try? AES.GCM.SealedBox(combined: sealed) else { return nil }
        for key in keys[purpose] ?? [] {
            if let data = try? AES.GCM.open(box, using: key, authenticating: Data(context.utf8)) { return data }
        }
        return nil
    }

    /// A value as a cookie that its holder can neither read nor change.
    func cookieValue(_ value: some Encodable, named name: String) throws -> String {
        Base64URL.encode(try seal(JSONEncoder().encode(value), for: .cookie, context: name))
    }

    func cookieContent<T: Decodable>(_ value: String, named name: String, as type: T.Type = T.self) -> T? {
        guard let sealed = Base64URL.decode(value), let data = open(sealed, for: .cookie, context: name) else { return nil }
        return try? JSONDecoder().decode(type, from: data)
    }
}
