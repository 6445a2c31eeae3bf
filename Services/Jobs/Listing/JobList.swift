import Logging
import PlatformModel

/// A list of jobs as it is read: batch by batch, so that neither a connection nor the memory holds all of it.
struct JobList: AsyncSequence, Sendable {
    let store: JobStore
    let clusters: [String: ClusterDocument]
    let query: JobListQuery
    let visibility: JobVisibility
    /// Read before the answer begins, so that a failure still has a status.
    let firstBatch: JobBatch

    static let batchSize = 100

    init(store: JobStore, clusters: [String: ClusterDocument], query: JobListQuery, visibility: JobVisibility) async throws {
        self.store = store
        self.clusters = clusters
        self.query = query
        self.visibility = visibility
        firstBatch = try await Self.batch(store, query, visibility, left: query.limit ?? .max, after: nil)
    }

    private static func batch(
        _ store: JobStore, _ query: JobListQuery, _ visibility: JobVisibility, left: Int, after cursor: JobListCursor?
    ) async throws -> JobBatch {
        try await store.list(
            query.filter, visibleTo: visibility, reverse: query.reverse, limit: Swift.min(batchSize, left), after: cursor)
    }

    func makeAsyncIterator() -> Iterator { Iterator(list: self) }

    struct Iterator: AsyncIteratorProtocol {
        private let list: JobList
        private var jobs: ArraySlice<JobRecord>
        private var cursor: JobListCursor?
        private var left: Int

        init(list: JobList) {
            self.list = list
            jobs = list.firstBatch.jobs[...]
            cursor = list.firstBatch.next
            left = list.query.limit ?? .max
        }

        mutating func next() async throws -> JobResponse? {
            while left > 0 {
                if let job = jobs.popFirst() {
                    left -= 1
                    let view = JobView(cluster: list.clusters[job.cluster], now: .now)
                    if let response = view.response(job) { return response }
                } else if let cursor {
                    let batch = try await JobList.batch(list.store, list.query, list.visibility, left: left, after: cursor)
                    jobs = batch.jobs[...]
                    self.cursor = batch.next
                } else {
                    return nil
                }
            }
            return nil
        }
    }
}
