/// Which failures of a short call are repeated, and after how long. No clock, no I/O.
struct RetryPolicy {
    let isRead: Bool
    private(set) var transportFailures = 0
    private(set) var refusals = 0
    private var refreshed = false

    init(isRead: Bool) { self.isRead = isRead }

    /// A token is read again once a call.
    mutating func mayRefreshToken() -> Bool {
        defer { refreshed = true }
        return !refreshed
    }

    /// Nil: give up. The whole call is bounded elsewhere.
    mutating func pause(after error: any Error) -> Duration? {
        switch error {
        case KubernetesError.api(let status) where status.code == 429:
            // The server did not run it, whatever the method.
            refusals += 1
            guard refusals <= 5 else { return nil }
            return .seconds(min(max(status.details?.retryAfterSeconds ?? 1, 1), 10))
        case KubernetesError.unavailable(_, let mayHaveRun) where isRead || !mayHaveRun:
            // A kept-alive connection that the server closed meanwhile, or a server that restarts.
            transportFailures += 1
            guard transportFailures <= 2 else { return nil }
            return .milliseconds(100 * transportFailures * transportFailures)
        default:
            return nil
        }
    }
}
