import Kubernetes

extension JobLogs {
    /// Which log of a pod to read next, by its runs. Pure.
    struct Course {
        enum Step: Equatable {
            /// The log of the run before the present one.
            case previous
            /// The present log.
            case read(sameRun: Bool)
            case wait
        }
        /// The run whose log was begun.
        private var run = -1
        /// Its log has been read to its end.
        private var isComplete = false
        private var readPrevious = -1

        /// No present log has been read yet: what is read now was there before the reader came.
        var isEntry: Bool { run < 0 }

        /// The next step for what the pod now is.
        mutating func next(_ now: LogRun) -> Step {
            guard now.isReadable else { return .wait }
            if now.number > run {
                // A run that began and ended unseen; after a gap it is the only one that is still there.
                if now.number > run + 1, now.hasPrevious, readPrevious < now.number {
                    readPrevious = now.number
                    return .previous
                }
                run = now.number
                isComplete = false
                return .read(sameRun: false)
            }
            return isComplete ? .wait : .read(sameRun: true)
        }

        /// A reading of the log ended in order. Only one that began after the run was over has surely seen all of it.
        mutating func ended(_ seen: LogRun) {
            if seen.isOver, seen.number == run { isComplete = true }
        }
    }

    /// Bounds on waiting.
    struct Wait {
        private let patience: Patience
        private var since = ContinuousClock.now
        private var failing: ContinuousClock.Instant?
        private var asked: ContinuousClock.Instant?

        init(_ patience: Patience) { self.patience = patience }

        func started() -> Duration { since.duration(to: .now) }

        /// Whether the job is known to be finished; asked now and then.
        mutating func isDue(_ question: @Sendable () async -> Bool?) async throws -> Bool {
            try Task.checkCancellation()
            if let asked, asked.duration(to: .now) < patience.jobPoll { return false }
            asked = .now
            return await question() ?? false
        }

        mutating func answered() { failing = nil }

        mutating func progressed() {
            failing = nil
            since = .now
        }

        /// - Throws: the error, when Kubernetes has been away for too long.
        mutating func failed(_ error: any Error) throws {
            let first = failing ?? .now
            failing = first
            if first.duration(to: .now) > patience.outage { throw error }
        }
    }
}
