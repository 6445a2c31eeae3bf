import Synchronization

/// A token bucket a key: `perSecond` on average, five seconds' worth at once. Bounded in keys; a full table forgets the idle ones, then all.
final class RateLimiter: Sendable {
    private struct Bucket {
        var level: Double
        var at: ContinuousClock.Instant
    }

    private let buckets = Mutex<[String: Bucket]>([:])
    private let rate: Double
    private let capacity: Int

    /// - Parameter perSecond: 0 is no limit.
    init(perSecond: Int, capacity: Int = 10_000) {
        rate = Double(perSecond)
        self.capacity = capacity
    }

    func admits(_ key: String) -> Bool {
        guard rate > 0 else { return true }
        let now = ContinuousClock.now
        let burst = rate * 5
        return buckets.withLock { buckets in
            if buckets[key] == nil, buckets.count >= capacity {
                buckets = buckets.filter { $0.value.level + (now - $0.value.at) / .seconds(1) * rate < burst }
                if buckets.count >= capacity { buckets.removeAll(keepingCapacity: true) }
            }
            var bucket = buckets[key] ?? Bucket(level: burst, at: now)
            bucket.level = min(burst, bucket.level + (now - bucket.at) / .seconds(1) * rate)
            bucket.at = now
            let admitted = bucket.level >= 1
            if admitted { bucket.level -= 1 }
            buckets[key] = bucket
            return admitted
        }
    }
}
