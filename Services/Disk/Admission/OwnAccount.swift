import Foundation
import Kubernetes
import ServiceKit

/// By which name Kubernetes knows this service: what it makes itself needs no correction.
struct OwnAccount: Sendable {
    let username: String

    /// - Throws: ``SettingError`` where neither the settings tell nor the token: a webhook that took the service's own disks for somebody else's would
    ///   give them to their projects.
    init(_ settings: Settings, _ configuration: KubernetesConfiguration) throws {
        guard let username = settings.optional("disk.admission.account") ?? Self.subject(of: configuration.credentials) else {
            throw SettingError(
                "The admission webhook must know by which name the cluster knows this service, and its credentials do not tell: set "
                    + "ORRERY_DISK_ADMISSION_ACCOUNT, to system:serviceaccount:<namespace>:<name> for instance.")
        }
        self.username = username
    }

    func made(_ username: String?) -> Bool { username == self.username }

    /// Of the token of a service account, which is a JWT. The cluster verifies it each time; nothing is decided here but what we are called.
    private static func subject(of credentials: KubernetesConfiguration.Credentials) -> String? {
        let token: String
        switch credentials {
        case .token(let text): token = text
        case .tokenFile(let path): token = FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) } ?? ""
        case .anonymous, .certificate: return nil
        }
        let parts = token.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3 else { return nil }
        var payload = parts[1].replacing("-", with: "+").replacing("_", with: "/")
        payload += String(repeating: "=", count: (4 - payload.utf8.count % 4) % 4)
        struct Claims: Decodable { let sub: String }
        let subject = Data(base64Encoded: String(payload)).flatMap { try? JSONDecoder().decode(Claims.self, from: $0) }?.sub
        return subject.flatMap { $0.isEmpty ? nil : $0 }
    }
}
