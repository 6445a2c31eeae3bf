import Foundation

/// Waits that double: how long a thing that keeps failing is left alone.
struct BackOff: Sendable {
    struct Entry: Sendable, Equatable {
        var wait: Double
        var since: Date
    }
    /// Seconds.
    let initial: Double
    let longest: Double
    private var entries: [String: Entry] = [:]

    /// - Parameters in seconds; the kubelet's own.
    init(initial: Double = 10, longest: Double = 300) {
        self.initial = initial
        self.longest = longest
    }

    /// When the thing may be tried again, if that is not yet.
    /// - Parameter failed: when it failed last.
    func waits(_ name: String, failed: Date, now: Date) -> Date? {
        guard let entry = entries[name] else { return nil }
        let end = failed.addingTimeInterval(entry.wait)
        return end > now ? end : nil
    }

    /// Seconds of the present wait.
    func wait(_ name: String) -> Double { entries[name]?.wait ?? 0 }

    /// Notes a try that may be followed by another failure.
    mutating func next(_ name: String, now: Date) {
        guard let entry = entries[name], now.timeIntervalSince(entry.since) <= 2 * longest else {
            entries[name] = Entry(wait: initial, since: now)
            return
        }
        entries[name] = Entry(wait: min(entry.wait * 2, longest), since: now)
    }

    /// As it stood after so many tries, for what a process before this one has counted.
    mutating func restore(_ name: String, tries: Int, now: Date) {
        guard tries > 0, entries[name] == nil else { return }
        entries[name] = Entry(wait: min(initial * pow(2, Double(min(tries, 30) - 1)), longest), since: now)
    }

    mutating func forget(_ name: String) { entries[name] = nil }

    /// Seconds as Go writes them: `10s`, `1m20s`, `5m0s`.
    static func text(_ seconds: Double) -> String {
        let whole = Int(seconds.rounded())
        if whole < 60 { return "\(whole)s" }
        if whole < 3600 { return "\(whole / 60)m\(whole % 60)s" }
        return "\(whole / 3600)h\(whole / 60 % 60)m\(whole % 60)s"
    }
}
