import Kubernetes
import Logging
import NIOCore
import PlatformModel

/// Follows the log of a job through restarts of its container, new pods, broken streams and outages, until nothing more can come.
struct JobLogs: Sendable {
    /// How long to wait for what.
    struct Patience: Sendable {
        /// Between two looks at a pod.
        var poll: Duration = .milliseconds(500)
        /// Between two questions to jobs-api.
        var jobPoll: Duration = .seconds(3)
        /// For a container to start or to start again.
        var start: Duration = .seconds(600)
        /// For Kubernetes to come back.
        var outage: Duration = .seconds(120)
        /// A finished job's container still running: its log is read so much longer.
        var grace: Duration = .seconds(5)
    }

    let kubernetes: KubernetesClient
    /// Whether the job is finished or gone; nil when jobs-api does not answer.
    let isFinished: @Sendable () async -> Bool?
    let pods: JobPods
    let options: LogOptions
    var patience = Patience()
    let logger: Logger

    /// Passes the log to `send` until nothing more can come. The bytes of one line are never sent twice.
    func run(send: @escaping LogReader.Send) async throws {
        var reader = LogReader(options: options, send: send)
        var done: Set<String> = []
        while let pod = try await nextPod(after: done) {
            reader.beginPod()
            let last = try await follow(pod, &reader)
            done.insert(pod.metadata.uid ?? "")
            if let last, LogRun.endedByItself(last) { return }
        }
    }

    /// The job's first pod that has not been read; waits for one as long as the job may still get one.
    private func nextPod(after done: Set<String>) async throws -> Pod? {
        var wait = Wait(patience)
        while true {
            let jobEnded = try await wait.isDue(isFinished)
            do {
                if let pod = try await pods.all().first(where: { !done.contains($0.metadata.uid ?? "") }) { return pod }
                wait.answered()
            } catch let error as KubernetesError where error.isTransient {
                // What could not be asked is no answer: the pod of a job that has ended may well be there.
                try wait.failed(error)
                try await Task.sleep(for: patience.poll)
                continue
            }
            if jobEnded { return nil }
            guard wait.started() < patience.start else { return nil }
            try await Task.sleep(for: patience.poll)
        }
    }

    /// Reads all runs of a pod's container.
    /// - Returns: the pod as it last was; nil when it is gone.
    private func follow(_ found: Pod, _ reader: inout LogReader) async throws -> Pod? {
        var course = Course()
        var wait = Wait(patience)
        while true {
            let jobEnded = try await wait.isDue(isFinished)
            let pod: Pod
            do {
                guard let read = try await pods.reread(found) else { return nil }
                pod = read
                wait.answered()
            } catch let error as KubernetesError where error.isTransient {
                try wait.failed(error)
                try await Task.sleep(for: patience.poll)
                continue
            }
            let run = LogRun(pod)
            switch course.next(run) {
            case .previous:
                _ = try await reader.read(kubernetes, pod: pods.place(of: pod), follow: false, previous: true, sameRun: false)
                if course.isEntry, reader.sent > 0, run.mayRestart || !run.isOver, !options.separator.isEmpty {
                    reader.pendingSeparator = options.separator
                }
            case .read(let sameRun):
                if options.debug, !sameRun {
                    let from = options.since.map(\.description) ?? "None"
                    try await reader.deliver(ByteBuffer(string: "=== Live logs from since=\(from) ===\n"))
                }
                let before = reader.sent
                let outcome = try await readUntilJobEnds(pod, run, sameRun: sameRun, &reader)
                if reader.sent > before { wait.progressed() }
                switch outcome {
                case .ended: course.ended(run)
                case .gone: return nil
                case .nothing: course.ended(run)
                case .broken(let error):
                    logger.info("a log stream broke", metadata: ["pod": "\(pods.place(of: pod).name)", "error": "\(error)"])
                    try wait.failed(error)
                    try await Task.sleep(for: patience.poll)
                case nil:
                    return pod
                }
                // The status follows the end of the log by a moment.
                if !run.isOver { try await Task.sleep(for: min(patience.poll, .milliseconds(200))) }
            case .wait:
                if !run.mayRestart, run.isOver { return pod }
                if jobEnded { return pod }
                guard wait.started() < patience.start else { return pod }
                try await Task.sleep(for: patience.poll)
            }
        }
    }

    /// Reads the present log; when the job ends while the container does not, for a while longer.
    /// - Returns: nil when the job ended first.
    private func readUntilJobEnds(
        _ pod: Pod, _ run: LogRun, sameRun: Bool, _ reader: inout LogReader
    ) async throws -> LogReader.Outcome? {
        let place = pods.place(of: pod)
        guard !run.isOver else { return try await reader.read(kubernetes, pod: place, follow: false, sameRun: sameRun) }
        let following = LogFollowing(reader)
        let outcome = try await withThrowingTaskGroup(of: LogReader.Outcome?.self) { group in
            group.addTask { try await following.read(kubernetes, place, sameRun: sameRun) }
            group.addTask {
                while true {
                    while await isFinished() != true { try await Task.sleep(for: patience.jobPoll) }
                    try await Task.sleep(for: patience.grace)
                    // A container that is over ends its log by itself, however slowly the client reads it.
                    if let now = try? await pods.reread(pod), !LogRun(now).isOver { return nil }
                    try await Task.sleep(for: patience.jobPoll)
                }
            }
            defer { group.cancelAll() }
            return try await group.next() ?? nil
        }
        reader = await following.reader
        if outcome == nil { _ = try await reader.read(kubernetes, pod: place, follow: false, sameRun: true) }
        return outcome
    }
}

/// Holds a reader while it follows a stream in a task of its own.
private actor LogFollowing {
    private(set) var reader: LogReader

    init(_ reader: LogReader) { self.reader = reader }

    func read(_ client: KubernetesClient, _ place: PodPlace, sameRun: Bool) async throws -> LogReader.Outcome {
        var own = reader
        defer { reader = own }
        return try await own.read(client, pod: place, follow: true, sameRun: sameRun)
    }
}
