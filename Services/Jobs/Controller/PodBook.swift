import Collections
import Foundation
import Kubernetes
import PlatformModel
import Synchronization

/// The pods of jobs and the events about them as the watches tell. Bound: the pods there are, and the newest events of each.
final class PodBook: Sendable {
    private struct Book {
        /// By job, then by pod name. nil until listed once.
        var pods: [JobID: [String: Pod]]?
        /// By pod uid.
        var events: [String: [KubernetesEvent]] = [:]
        var jobs: [String: JobID] = [:]
        var absentSince: [String: ContinuousClock.Instant] = [:]
        /// Pods that the watch saw go, newest last.
        var gone: Deque<String> = []
    }
    private static let eventsOfAPod = 20

    private let book = Mutex(Book())

    var isComplete: Bool { book.withLock { $0.pods != nil } }

    /// - Returns: the jobs that the message is about.
    func take(_ event: WatchEvent<Pod>) -> Set<JobID> {
        book.withLock { book in
            switch event {
            case .listed(let pods):
                let known = book.pods ?? [:]
                book.pods = [:]
                book.jobs = [:]
                for pod in pods { Self.put(Self.newer(of: pod, in: known), &book) }
                book.events = book.events.filter { book.jobs[$0.key] != nil }
                return Set(known.keys).union((book.pods ?? [:]).keys)
            case .added(let pod), .modified(let pod):
                Self.put(Self.newer(of: pod, in: book.pods ?? [:]), &book)
                return Self.job(of: pod).map { [$0] } ?? []
            case .deleted(let pod):
                guard let job = Self.job(of: pod) else { return [] }
                let name = pod.metadata.name ?? ""
                // A pod of the same name may have come since.
                if book.pods?[job]?[name]?.metadata.uid == pod.metadata.uid { book.pods?[job]?[name] = nil }
                if book.pods?[job]?.isEmpty == true { book.pods?[job] = nil }
                if let uid = pod.metadata.uid {
                    book.gone.append(uid)
                    if book.gone.count > 1000 { book.gone.removeFirst() }
                    book.events[uid] = nil
                    book.jobs[uid] = nil
                }
                return [job]
            }
        }
    }

    /// - Returns: the job whose pod the event is about, if it matters.
    func take(_ event: KubernetesEvent) -> JobID? {
        guard let uid = event.involvedObject.uid, let name = event.involvedObject.name, name.hasPrefix("job-") else { return nil }
        return book.withLock { book in
            // The last events of a pod come after it went.
            if book.gone.contains(uid) { return nil }
            var events = book.events[uid] ?? []
            if let place = events.firstIndex(where: { $0.metadata.name == event.metadata.name }) {
                events[place] = event
            } else {
                events.append(event)
            }
            book.events[uid] = events.suffix(Self.eventsOfAPod)
            return book.jobs[uid]
        }
    }

    /// A pod that this process has made or read itself, unless the watch told of it already: the watch's word is the newer one.
    func note(_ pod: Pod) {
        book.withLock { book in
            guard let uid = pod.metadata.uid, book.jobs[uid] == nil, !book.gone.contains(uid) else { return }
            Self.put(pod, &book)
        }
    }

    func pods(of job: JobID) -> [String: Pod] { book.withLock { $0.pods?[job] ?? [:] } }

    func events(of pod: Pod) -> [KubernetesEvent] { book.withLock { $0.events[pod.metadata.uid ?? ""] ?? [] } }

    var jobs: Set<JobID> { book.withLock { Set(($0.pods ?? [:]).keys) } }

    /// For how long a pod has been missed.
    func absence(of name: String) -> Duration {
        book.withLock { book in
            let now = ContinuousClock.now
            let since = book.absentSince[name] ?? now
            if book.absentSince.count > 10_000 { book.absentSince = [:] }
            book.absentSince[name] = since
            return now - since
        }
    }

    func present(_ name: String) { book.withLock { $0.absentSince[name] = nil } }

    private static func put(_ pod: Pod, _ book: inout Book) {
        guard let job = job(of: pod), let name = pod.metadata.name else { return }
        book.pods?[job, default: [:]][name] = pod
        book.absentSince[name] = nil
        if let uid = pod.metadata.uid { book.jobs[uid] = job }
    }

    /// The pod, or what the book knows of it if that is newer: a watch that begins again tells what was before this process read the pod
    /// itself, and a job would seem to wait that runs already. Versions of one object are compared as numbers, as the API does.
    private static func newer(of pod: Pod, in known: [JobID: [String: Pod]]) -> Pod {
        guard let job = job(of: pod), let own = known[job]?[pod.metadata.name ?? ""], own.metadata.uid == pod.metadata.uid,
            let told = pod.metadata.resourceVersion.flatMap({ UInt64($0) }), let read = own.metadata.resourceVersion.flatMap({ UInt64($0) })
        else { return pod }
        return told < read ? own : pod
    }

    private static func job(of pod: Pod) -> JobID? { pod.metadata.labels[JobLabels.job].flatMap { try? JobID($0) } }
}
