import Crypto
import Foundation

/// How often a browser was lately sent to each target. One that is sent there again and again does not keep the cookie it is given there, and
/// would go round for ever.
struct Rounds: Codable, Hashable, Sendable {
    static let limit = 3
    static let window = 60.0
    private static let capacity = 20

    /// Seconds since 1970, by target.
    private var times: [String: [Double]] = [:]

    /// Counts one more; false when that is too many.
    mutating func begin(_ target: String, now: Date) -> Bool {
        let now = now.timeIntervalSince1970
        times = times.mapValues { $0.filter { $0 > now - Self.window && $0 <= now } }.filter { !$0.value.isEmpty }
        let key = String(Base64URL.encode(SHA256.hash(data: Data(target.utf8))).prefix(12))
        let count = times[key]?.count ?? 0
        guard count < Self.limit else { return false }
        if times.count >= Self.capacity, times[key] == nil { times = [:] }
        times[key, default: []].append(now)
        return true
    }
}
