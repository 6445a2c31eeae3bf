import Foundation
import NIOConcurrencyHelpers

/// The bearer token of the moment. A token file is read again after a minute, and at once when the server refused the token.
final class TokenSource: Sendable {
    private struct Held {
        var token: String?
        var readAt: ContinuousClock.Instant?
    }
    private let credentials: KubernetesConfiguration.Credentials
    private let held = NIOLockedValueBox(Held())
    private let lifetime: Duration

    init(_ credentials: KubernetesConfiguration.Credentials, lifetime: Duration = .seconds(60)) {
        self.credentials = credentials
        self.lifetime = lifetime
    }

    /// Nil when the credentials are not a token.
    func token() -> String? {
        switch credentials {
        case .anonymous, .certificate: return nil
        case .token(let token): return token
        case .tokenFile(let path):
            return held.withLockedValue { held in
                if let readAt = held.readAt, readAt.duration(to: .now) < lifetime { return held.token }
                // A file that cannot be read for a moment (the kubelet swaps it) does not lose the token we have.
                if let data = FileManager.default.contents(atPath: path) {
                    held.token = String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
                    held.readAt = .now
                }
                return held.token
            }
        }
    }

    /// Forgets a token that the server refused.
    /// - Returns: whether asking again could bring another one.
    func refused(_ token: String?) -> Bool {
        guard case .tokenFile = credentials else { return false }
        held.withLockedValue { $0.readAt = nil }
        return self.token() != token
    }
}
