/// The course of a watch: list, watch, resume, relist. A pure state machine; the iterator carries out its actions.
struct WatchMachine: Equatable {
    enum Action: Equatable {
        case list
        /// Watch from a resource version.
        case watch(String)
        /// Wait, then ask `next()`.
        case wait(Duration)
    }

    private(set) var resourceVersion: String?
    private(set) var failures = 0
    /// Something arrived on the present stream; only that proves the server well and ends the back-off.
    private(set) var progressed = false
    let base: Duration
    let limit: Duration

    init(base: Duration = .milliseconds(250), limit: Duration = .seconds(10)) {
        self.base = base
        self.limit = limit
    }

    /// What to do now.
    func next() -> Action { resourceVersion.map { .watch($0) } ?? .list }

    /// The list was read. It does not end the back-off: a server may list well and refuse to watch.
    mutating func listed(_ version: String) {
        resourceVersion = version
        progressed = false
    }

    /// An event or a bookmark arrived.
    mutating func received(_ version: String?) {
        if let version, !version.isEmpty { resourceVersion = version }
        progressed = true
        failures = 0
    }

    /// The server ended the stream in order. Reopened at once, unless it does so without ever bringing anything.
    mutating func ended(after lived: Duration, jitter: Double) -> Action {
        defer { progressed = false }
        if progressed || lived >= .seconds(5) {
            failures = 0
            return next()
        }
        return backOff(jitter)
    }

    /// The history is gone (410, as an answer or as an event): everything is read anew.
    mutating func expired(jitter: Double) -> Action {
        resourceVersion = nil
        defer { progressed = false }
        return progressed ? .list : backOff(jitter)
    }

    /// The connection dropped or the server refused. `atLeast`: what its Retry-After asked for.
    mutating func failed(atLeast: Duration = .zero, jitter: Double) -> Action {
        defer { progressed = false }
        // A stream that had been bringing things is resumed without delay: most drops are one connection's own.
        if progressed, atLeast == .zero { return next() }
        return backOff(jitter, atLeast: atLeast)
    }

    /// Full jitter above one half: `[0.5, 1] × base × 2^failures`, capped.
    private mutating func backOff(_ jitter: Double, atLeast: Duration = .zero) -> Action {
        let full = min(base * (1 << min(failures, 10)), limit)
        failures += 1
        return .wait(max(full * (0.5 + jitter / 2), min(atLeast, limit * 3)))
    }
}
