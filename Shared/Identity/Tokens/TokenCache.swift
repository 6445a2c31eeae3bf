import Crypto
import Foundation
import Synchronization

/// Verified tokens by their SHA-256, for a few seconds. Bound: a fixed number of entries; ended early by the token's own expiry, which the
/// reader checks each time.
final class TokenCache: Sendable {
    private struct Entry {
        let claims: TokenClaims
        let until: ContinuousClock.Instant
    }

    private let entries = Mutex<[SHA256Digest: Entry]>([:])
    private let lifetime: Duration
    private let capacity: Int

    init(lifetime: Duration, capacity: Int) {
        self.lifetime = lifetime
        self.capacity = capacity
    }

    func claims(_ digest: SHA256Digest) -> TokenClaims? {
        let now = ContinuousClock.now
        return entries.withLock { entries in
            guard let entry = entries[digest] else { return nil }
            if entry.until > now { return entry.claims }
            entries[digest] = nil
            return nil
        }
    }

    func store(_ claims: TokenClaims, for digest: SHA256Digest) {
        let now = ContinuousClock.now
        entries.withLock { entries in
            if entries.count >= capacity {
                entries = entries.filter { $0.value.until > now }
                if entries.count >= capacity { entries.removeAll(keepingCapacity: true) }
            }
            entries[digest] = Entry(claims: claims, until: now + lifetime)
        }
    }

    func removeAll() { entries.withLock { $0.removeAll() } }

    var count: Int { entries.withLock { $0.count } }
}
