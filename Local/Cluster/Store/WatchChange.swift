import Kubernetes

/// What a watch tells.
struct WatchChange: Sendable {
    enum Kind: String, Sendable {
        case added = "ADDED"
        case modified = "MODIFIED"
        case deleted = "DELETED"
        /// Nothing happened up to the version of the object, which has nothing else in it.
        case bookmark = "BOOKMARK"
    }

    let kind: Kind
    /// As it is now; of a deleted one, as it last was, with the version of the deletion.
    let object: Object
}

/// What a watch tells, in order: first the present state if that was asked for, then the changes.
///
/// It ends with ``StatusError`` 410 when its reader is so slow that changes could not be kept for it, and without an error when the store
/// closes.
struct WatchSequence: AsyncSequence, Sendable {
    typealias Element = WatchChange

    let present: [WatchChange]
    let changes: AsyncThrowingStream<WatchChange, any Error>
    /// Ends it in order, from anywhere.
    let end: @Sendable () -> Void

    struct AsyncIterator: AsyncIteratorProtocol {
        fileprivate var present: ArraySlice<WatchChange>
        fileprivate var changes: AsyncThrowingStream<WatchChange, any Error>.AsyncIterator

        mutating func next() async throws -> WatchChange? {
            if let first = present.popFirst() { return first }
            return try await changes.next()
        }
    }

    func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(present: present[...], changes: changes.makeAsyncIterator())
    }
}
