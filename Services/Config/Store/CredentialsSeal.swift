import Crypto
import Foundation
import PlatformModel
import ServiceKit

/// Keeps clusters' credentials unreadable in the database and its backups: AES-GCM under keys that this service alone has.
///
/// A sealed text says with which key it was made and opens for its own cluster only, so that rows cannot be exchanged. The first key seals,
/// all open.
struct CredentialsSeal: Sendable {
    private let keys: [(id: String, key: SymmetricKey)]
    private let first: (id: String, key: SymmetricKey)

    /// The keys are the secret `config.sealing-keys`: 32 bytes in base64 each, with white space or commas between.
    init(_ settings: Settings) throws {
        let text = try settings.secret("config.sealing-keys").value
        let keys = try text.split(whereSeparator: { $0.isWhitespace || $0 == "," }).map { part in
            guard let bytes = Data(base64Encoded: String(part)), bytes.count == 32 else {
                throw SettingError("The secret ORRERY_CONFIG_SEALING_KEYS must be keys of 32 bytes in base64.")
            }
            return (Self.id(of: bytes), SymmetricKey(data: bytes))
        }
        guard let first = keys.first else { throw SettingError("The secret ORRERY_CONFIG_SEALING_KEYS holds no key.") }
        self.keys = keys
        self.first = first
    }

    /// What every text begins with that the present key has sealed.
    var prefix: String { Self.format + first.id + ":" }

    func close(_ credentials: JSON, of cluster: ClusterName) throws -> String {
        let data = try PlatformJSON.encoder().encode(credentials)
        guard let sealed = try AES.GCM.seal(data, using: first.key, authenticating: Data(cluster.text.utf8)).combined else {
            throw CryptoKitError.incorrectParameterSize
        }
        return prefix + sealed.base64EncodedString()
    }

    /// - Throws: ``SealError``.
    func open(_ text: String, of cluster: ClusterName) throws -> JSON {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0] + ":" == Self.format, let data = Data(base64Encoded: String(parts[2])) else {
            throw SealError(cluster: cluster, reason: "they are not in the form that this release reads")
        }
        guard let key = keys.first(where: { $0.id == parts[1] })?.key else {
            throw SealError(
                cluster: cluster, reason: "they are sealed with the key \(parts[1]), which is not among ORRERY_CONFIG_SEALING_KEYS")
        }
        do {
            let plain = try AES.GCM.open(AES.GCM.SealedBox(combined: data), using: key, authenticating: Data(cluster.text.utf8))
            return try PlatformJSON.decoder().decode(JSON.self, from: plain)
        } catch {
            throw SealError(cluster: cluster, reason: "they were damaged, or belong to another cluster")
        }
    }

    private static let format = "aes-gcm:"

    /// A name of the key that tells nothing of it.
    private static func id(of key: Data) -> String { SHA256.hash(data: key).prefix(4).map { String(format: "%02x", $0) }.joined() }
}

/// Credentials that cannot be read. Never shown to callers: they get a plain 500.
struct SealError: Error, CustomStringConvertible {
    let cluster: ClusterName
    let reason: String

    var description: String { "The credentials of cluster '\(cluster)' cannot be opened: \(reason)." }
}
