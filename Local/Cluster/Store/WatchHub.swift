import Collections
import Foundation
import Kubernetes
import Synchronization

/// A committed change.
struct StoreChange: Sendable {
    let version: UInt64
    let key: ObjectKey
    /// Nil for a new object.
    let before: Object?
    /// Nil for a removed object.
    let after: Object?
    let at: ContinuousClock.Instant

    /// What a watch with these conditions hears of it; nil when nothing.
    func seen(namespace: String?, selector: Selector) -> WatchChange? {
        if let namespace, key.namespace != namespace { return nil }
        let was = before.map(selector.matches) ?? false
        let isNow = after.map(selector.matches) ?? false
        switch (was, isNow) {
        case (false, false): return nil
        case (false, true): return after.map { WatchChange(kind: .added, object: $0) }
        case (true, true): return after.map { WatchChange(kind: .modified, object: $0) }
        case (true, false):
            return before.map { object in
                var object = object
                object.resourceVersion = String(version)
                return WatchChange(kind: .deleted, object: object)
            }
        }
    }
}

/// The recent changes and those who wait for the next.
struct WatchHub {
    struct Watcher {
        let namespace: String?
        let selector: Selector
        let wantsBookmarks: Bool
        let kind: ResourceKind
        let continuation: AsyncThrowingStream<WatchChange, any Error>.Continuation
    }

    /// A watch may have this many changes unread before it has to begin anew.
    static let unreadLimit = 4096
    static let historyLimit = 10_000
    static let historyAge = Duration.seconds(600)

    /// Changes up to here are forgotten.
    private(set) var compacted: UInt64
    private var history: Deque<StoreChange> = []
    private var watchers: [String: [UUID: Watcher]] = [:]
    private var taps: [UUID: AsyncStream<StoreChange>.Continuation] = [:]

    init(compacted: UInt64) { self.compacted = compacted }

    var watcherCount: Int { watchers.values.reduce(0) { $0 + $1.count } }

    /// The changes of a kind after a version.
    func changes(of storage: String, after version: UInt64) -> [StoreChange] {
        // Versions are in order; most watches are but a few changes behind.
        var found: [StoreChange] = []
        for change in history.reversed() {
            guard change.version > version else { break }
            if change.key.kind.storage == storage { found.append(change) }
        }
        return found.reversed()
    }

    /// Tells a change to everyone whom it concerns.
    mutating func publish(_ change: StoreChange) {
        history.append(change)
        while history.count > WatchHub.historyLimit { forgetFirst() }
        for tap in taps.values { tap.yield(change) }
        for (id, watcher) in watchers[change.key.kind.storage] ?? [:] {
            guard let seen = change.seen(namespace: watcher.namespace, selector: watcher.selector) else { continue }
            send(seen, to: watcher, id: id, storage: change.key.kind.storage)
        }
    }

    /// Tells everyone who wants it that nothing else happened up to `version`.
    mutating func bookmark(version: UInt64) {
        for (storage, group) in watchers {
            for (id, watcher) in group where watcher.wantsBookmarks {
                send(WatchHub.bookmark(watcher.kind, version: version), to: watcher, id: id, storage: storage)
            }
        }
    }

    static func bookmark(_ kind: ResourceKind, version: UInt64, endsPresent: Bool = false) -> WatchChange {
        var object: Object = [
            "kind": .string(kind.kind), "apiVersion": .string(kind.apiVersion),
            "metadata": ["resourceVersion": .string(String(version)), "creationTimestamp": nil],
        ]
        if endsPresent { object[path: "metadata", "annotations"] = ["k8s.io/initial-events-end": "true"] }
        return WatchChange(kind: .bookmark, object: object)
    }

    /// Forgets what is older than the history is kept.
    mutating func compact(now: ContinuousClock.Instant, age: Duration = WatchHub.historyAge) {
        while let first = history.first, first.at.duration(to: now) > age { forgetFirst() }
    }

    private mutating func forgetFirst() {
        if let first = history.popFirst() { compacted = first.version }
    }

    private mutating func send(_ change: WatchChange, to watcher: Watcher, id: UUID, storage: String) {
        if case .dropped = watcher.continuation.yield(change) {
            watcher.continuation.finish(throwing: StatusError.gone("the watch was too slow to keep up with the changes; list again"))
            watchers[storage]?[id] = nil
        }
    }

    mutating func add(_ watcher: Watcher, id: UUID) { watchers[watcher.kind.storage, default: [:]][id] = watcher }

    /// Forgets watchers and taps.
    mutating func remove(_ ended: Set<UUID>) {
        guard !ended.isEmpty else { return }
        for storage in watchers.keys { watchers[storage] = watchers[storage]?.filter { !ended.contains($0.key) } }
        taps = taps.filter { !ended.contains($0.key) }
    }

    mutating func addTap(_ continuation: AsyncStream<StoreChange>.Continuation, id: UUID) { taps[id] = continuation }

    /// Ends every watch in order.
    mutating func close() {
        for group in watchers.values { for watcher in group.values { watcher.continuation.finish() } }
        for tap in taps.values { tap.finish() }
        watchers = [:]
        taps = [:]
    }

    /// Ends the watches of a kind that exists no more.
    mutating func close(storage: String) {
        for watcher in (watchers.removeValue(forKey: storage) ?? [:]).values { watcher.continuation.finish() }
    }
}

/// The watches whose readers went away. A stream tells so on any thread, perhaps in the middle of a change.
final class EndedWatches: Sendable {
    private let ids = Mutex<Set<UUID>>([])

    func add(_ id: UUID) { ids.withLock { _ = $0.insert(id) } }

    /// Those that were not taken before.
    func take() -> Set<UUID> {
        ids.withLock { ids in
            defer { ids = [] }
            return ids
        }
    }
}
