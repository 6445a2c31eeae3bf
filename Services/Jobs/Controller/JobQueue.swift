import Collections
import PlatformModel
import Synchronization

/// The jobs that have to be looked at. A job is handed out once at a time; what is announced meanwhile leads to another look after.
final class JobQueue: Sendable {
    private struct State {
        var ready: OrderedSet<JobID> = []
        var active: Set<JobID> = []
        var again: Set<JobID> = []
        var due: [JobID: ContinuousClock.Instant] = [:]
        var failures: [JobID: Int] = [:]
    }
    private let state = Mutex(State())
    /// Yields when something may be handed out.
    let wakes: AsyncStream<Void>
    private let wake: AsyncStream<Void>.Continuation

    init() { (wakes, wake) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1)) }

    func add(_ jobs: some Sequence<JobID>) {
        state.withLock { state in for job in jobs { Self.add(job, &state) } }
        wake.yield()
    }

    func add(_ job: JobID) { add(CollectionOfOne(job)) }

    /// Not before `delay` has passed; the earlier of two wishes counts.
    func add(_ job: JobID, after delay: Duration) {
        state.withLock { state in
            let time = ContinuousClock.now + delay
            state.due[job] = min(time, state.due[job] ?? time)
        }
    }

    /// The next job, if fewer than `limit` are in hand.
    func next(limit: Int) -> JobID? {
        state.withLock { state in
            guard state.active.count < limit, !state.ready.isEmpty else { return nil }
            let job = state.ready.removeFirst()
            state.active.insert(job)
            return job
        }
    }

    func done(_ job: JobID) {
        state.withLock { state in
            state.active.remove(job)
            state.failures[job] = nil
            if state.again.remove(job) != nil { state.ready.append(job) }
        }
        wake.yield()
    }

    /// - Returns: how long the job waits for its next try.
    @discardableResult
    func failed(_ job: JobID) -> Duration {
        let pause = state.withLock { state in
            let failures = state.failures[job, default: 0]
            state.failures[job] = failures + 1
            state.active.remove(job)
            state.again.remove(job)
            let pause = min(Duration.milliseconds(100) * (1 << min(failures, 6)), .seconds(5))
            state.due[job] = .now + pause
            return pause
        }
        wake.yield()
        return pause
    }

    /// Hands on what has become due, until cancelled.
    func runClock() async {
        while !Task.isCancelled {
            try? await Task.sleep(for: .milliseconds(100))
            let isAny = state.withLock { state in
                let now = ContinuousClock.now
                let due = state.due.filter { $0.value <= now }
                for job in due.keys {
                    state.due[job] = nil
                    Self.add(job, &state)
                }
                return !due.isEmpty
            }
            if isAny { wake.yield() }
        }
    }

    private static func add(_ job: JobID, _ state: inout State) {
        if state.active.contains(job) { state.again.insert(job) } else { state.ready.append(job) }
    }
}
