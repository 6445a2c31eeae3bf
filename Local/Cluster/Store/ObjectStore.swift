import Foundation
import Kubernetes
import Logging

/// Every object of the cluster: held in memory, written through to one SQLite file, watched by any number of readers.
///
/// Each change is one transaction and one new version; a watcher hears of it once it is on disk. The history of changes lives as long as
/// the process: after a restart a watch from an older version is answered with 410, and its reader lists again.
actor ObjectStore {
    private let file: StateFile
    private let logger: Logger
    private let clock: @Sendable () -> Date
    private var tables: [String: ObjectTable] = [:]
    private var revision: UInt64
    private var hub: WatchHub
    private var keys: [String: ObjectKey] = [:]
    /// By an owner's uid.
    private var dependents: [String: Set<ObjectKey>] = [:]
    private var isClosed = false
    private let ended = EndedWatches()

    /// The kinds that can be read from the file and written.
    nonisolated let kinds: KindRegistry

    /// Opens the state, or makes it.
    /// - Throws: ``StateFileError``.
    init(
        path: String, kinds: KindRegistry = KindRegistry(), logger: Logger, clock: @escaping @Sendable () -> Date = { Date() }
    ) throws {
        file = try StateFile(path: path)
        self.logger = logger
        self.clock = clock
        self.kinds = kinds
        let state = try file.load()
        revision = state.revision
        hub = WatchHub(compacted: state.revision)
        for row in state.rows where row.storage == ResourceKind.customResourceDefinitions.storage { kinds.define(row.body) }
        for row in state.rows {
            guard let kind = kinds.find(storage: row.storage) else {
                logger.warning("An object of an unknown kind is left alone", metadata: ["kind": "\(row.storage)"])
                continue
            }
            let key = ObjectKey(kind, row.body)
            tables[row.storage, default: ObjectTable()].set(row.body, for: ObjectTable.key(key.namespace, key.name))
            keys[row.body.uid] = key
            for owner in row.body.ownerReferences { dependents[owner.uid, default: []].insert(key) }
        }
    }

    /// The version that the cluster has reached.
    var resourceVersion: String { String(revision) }

    /// How many watches are open.
    var watcherCount: Int {
        forgetEnded()
        return hub.watcherCount
    }

    /// The object, or nil.
    func get(_ key: ObjectKey) async throws -> Object? { present(key) }

    /// The objects of a kind in the order of namespace and name.
    /// - Parameters:
    ///   - namespace: nil is every namespace.
    ///   - limit: how many at most; the page then says where to go on.
    /// - Throws: ``StatusError`` 400 for a token that is none, 410 for one that is too old.
    func list(
        _ kind: ResourceKind, namespace: String? = nil, selector: Selector = .everything, limit: Int? = nil,
        continuing token: String? = nil
    ) async throws -> ObjectPage {
        let table = tables[kind.storage] ?? ObjectTable()
        let start = try token.map { try ContinueToken($0) }
        if let start, start.version < hub.compacted {
            throw StatusError.gone(
                "The provided continue parameter is too old to display a consistent list result. You can start a new list without the "
                    + "continue parameter, or use the continue token in this response to retrieve the remainder of the results.")
        }
        // All pages bear the version of the first: a watch from there tells whatever changed between the pages.
        let version = start?.version ?? revision
        var items: [Object] = []
        let candidates = table.keys(in: namespace, after: start?.after)
        for (offset, key) in zip(candidates.indices, candidates) {
            guard let object = table[key], selector.matches(object) else { continue }
            if let limit, limit > 0, items.count == limit {
                let last = candidates[candidates.index(before: offset)]
                return ObjectPage(
                    items: items, resourceVersion: String(version), next: ContinueToken(version: version, after: last).text,
                    remaining: selector.isEverything ? candidates.distance(from: offset, to: candidates.endIndex) : nil)
            }
            items.append(object)
        }
        return ObjectPage(items: items, resourceVersion: String(version))
    }

    /// Stores a new object; sets its uid (unless it has one), creationTimestamp and resourceVersion.
    /// - Throws: ``StatusError`` `AlreadyExists`.
    @discardableResult
    func create(_ object: Object, as key: ObjectKey) async throws -> Object {
        guard present(key) == nil else { throw StatusError.alreadyExists(key) }
        var object = object
        object.name = key.name
        object.namespace = key.namespace
        object["apiVersion"] = .string(key.kind.apiVersion)
        object["kind"] = .string(key.kind.kind)
        object.uid = UUID().uuidString.lowercased()
        object[path: "metadata", "creationTimestamp"] = .string(KubernetesTime.format(clock()))
        return try write(object, over: nil, key: key)
    }

    /// Reads, changes and writes in one step. The version moves only when something changed. An object whose deletion was asked for and
    /// that nothing keeps any longer (no finalizer, no grace period) is removed.
    /// - Parameter uid: the object must still be this one.
    /// - Returns: the object as it is now, or as it last was when this removed it.
    /// - Throws: ``StatusError`` `NotFound`; what `change` throws leaves everything as it was.
    @discardableResult
    func update(_ key: ObjectKey, uid: String? = nil, _ change: @Sendable (inout Object) throws -> Void) async throws -> Object {
        guard let before = present(key), uid == nil || before.uid == uid else { throw StatusError.notFound(key) }
        var object = before
        try change(&object)
        guard object != before else { return before }
        if object.deletionTimestamp != nil, !object.isHeld, object.deletionGracePeriodSeconds ?? 0 == 0 {
            return try erase(object, over: before, key: key)
        }
        return try write(object, over: before, key: key)
    }

    /// Ends an object: it is gone (DELETED to watchers), or waits for its finalizers alone.
    /// - Parameter uid: only if the object is still this one.
    /// - Returns: the object as it last was; nil when there was none.
    @discardableResult
    func remove(_ key: ObjectKey, uid: String? = nil) async throws -> Object? {
        guard let before = present(key), uid == nil || before.uid == uid else { return nil }
        guard before.isHeld else { return try erase(before, over: before, key: key) }
        let now = clock()
        return try await update(key, uid: uid) { object in
            if object.deletionTimestamp == nil { object.deletionTimestamp = now }
            object.deletionGracePeriodSeconds = 0
        }
    }

    /// Follows the objects of a kind.
    /// - Parameters:
    ///   - resourceVersion: changes after this one; nil tells the present state as ADDED first.
    ///   - bookmarks: tell now and then how far the history is; with nil as version also where the present state ends.
    /// - Throws: ``StatusError`` 410 when that version is forgotten, 504 when it is not reached, 400 when it is none.
    func watch(
        _ kind: ResourceKind, namespace: String? = nil, selector: Selector = .everything, after resourceVersion: String?,
        bookmarks: Bool = false, marksPresent: Bool = false
    ) async throws -> WatchSequence {
        var first: [WatchChange] = []
        if let resourceVersion {
            let version = try self.version(resourceVersion)
            first = hub.changes(of: kind.storage, after: version).compactMap { $0.seen(namespace: namespace, selector: selector) }
        } else {
            let page = try await list(kind, namespace: namespace, selector: selector)
            first = page.items.map { WatchChange(kind: .added, object: $0) }
            if marksPresent { first.append(WatchHub.bookmark(kind, version: revision, endsPresent: true)) }
        }
        let (changes, continuation) = AsyncThrowingStream.makeStream(
            of: WatchChange.self, bufferingPolicy: .bufferingOldest(WatchHub.unreadLimit))
        guard !isClosed else {
            continuation.finish()
            return WatchSequence(present: first, changes: changes, end: {})
        }
        let id = UUID()
        continuation.onTermination = { [ended] _ in ended.add(id) }
        hub.add(
            .init(namespace: namespace, selector: selector, wantsBookmarks: bookmarks, kind: kind, continuation: continuation), id: id)
        return WatchSequence(present: first, changes: changes, end: { continuation.finish() })
    }

    /// A version of a query as a number.
    /// - Throws: ``StatusError`` 400, 410, 504.
    private func version(_ text: String) throws(StatusError) -> UInt64 {
        guard let version = UInt64(text) else {
            throw .badRequest("Invalid resource version: strconv.ParseUint: parsing \"\(text)\": invalid syntax")
        }
        guard version <= revision else { throw .tooLargeVersion(version, current: revision) }
        guard version >= hub.compacted else { throw .gone("too old resource version: \(version) (\(hub.compacted))") }
        return version
    }

    // MARK: For the loops beside the API

    /// Every change of every kind from now on; ends when the store closes.
    func changes() -> AsyncStream<StoreChange> {
        let (changes, continuation) = AsyncStream.makeStream(of: StoreChange.self, bufferingPolicy: .unbounded)
        let id = UUID()
        guard !isClosed else {
            continuation.finish()
            return changes
        }
        continuation.onTermination = { [ended] _ in ended.add(id) }
        hub.addTap(continuation, id: id)
        return changes
    }

    /// Where the object with this uid is.
    func key(uid: String) -> ObjectKey? { keys[uid] }

    /// The objects that name this uid as an owner.
    func dependents(of uid: String) -> [ObjectKey] { Array(dependents[uid] ?? []) }

    /// The uids that objects name as owners.
    func owners() -> [String] { Array(dependents.keys) }

    /// The kinds of which a namespace has objects, with their number.
    func contents(of namespace: String) -> [(storage: String, count: Int)] {
        tables.compactMap { storage, table in
            let count = table.keys(in: namespace).count
            return count > 0 ? (storage, count) : nil
        }
    }

    /// Forgets old history and tells watchers how far it is.
    func compact(keeping age: Duration = WatchHub.historyAge) {
        forgetEnded()
        hub.compact(now: .now, age: age)
    }

    /// Sends a bookmark to every watch that wants them.
    func bookmark() { hub.bookmark(version: revision) }

    /// Ends the watches of a kind that exists no more.
    func endWatches(of kind: ResourceKind) { hub.close(storage: kind.storage) }

    /// Ends all watches and closes the file; nothing can be written afterwards.
    func close() {
        guard !isClosed else { return }
        isClosed = true
        hub.close()
        do { try file.close() } catch { logger.warning("The state file was not closed in order", metadata: ["error": "\(error)"]) }
    }

    // MARK: Within

    private func present(_ key: ObjectKey) -> Object? {
        tables[key.kind.storage]?[ObjectTable.key(key.namespace, key.name)]
    }

    /// Those who went away are found at the next change: nothing is lost by writing to them until then.
    private func forgetEnded() { hub.remove(ended.take()) }

    private func write(_ object: Object, over before: Object?, key: ObjectKey) throws -> Object {
        var object = object
        let next = revision + 1
        object.resourceVersion = String(next)
        try commit(key, body: JSONWriter.bytes(object), revision: next)
        tables[key.kind.storage, default: ObjectTable()].set(object, for: ObjectTable.key(key.namespace, key.name))
        index(key, before: before, after: object)
        publish(key, before: before, after: object)
        return object
    }

    private func erase(_ last: Object, over before: Object, key: ObjectKey) throws -> Object {
        let next = revision + 1
        try commit(key, body: nil, revision: next)
        tables[key.kind.storage]?.remove(ObjectTable.key(key.namespace, key.name))
        var last = last
        last.resourceVersion = String(next)
        index(key, before: before, after: nil)
        publish(key, before: last, after: nil)
        return last
    }

    private func commit(_ key: ObjectKey, body: [UInt8]?, revision next: UInt64) throws {
        guard !isClosed else { throw StatusError(503, "ServiceUnavailable", "the cluster is stopping", retryAfter: 1) }
        do {
            let change = StateFile.Change(storage: key.kind.storage, namespace: key.namespace ?? "", name: key.name, body: body)
            try file.commit(change, revision: next)
            revision = next
        } catch {
            logger.error("The state could not be written", metadata: ["key": "\(key)", "error": "\(error)"])
            throw StatusError.internalError("the state could not be written")
        }
    }

    private func index(_ key: ObjectKey, before: Object?, after: Object?) {
        if key.kind == .customResourceDefinitions {
            // The kinds are there with the answer that tells of them.
            if let after { kinds.define(after) } else { kinds.undefine(key.name) }
        }
        if let before {
            keys[before.uid] = nil
            for owner in before.ownerReferences {
                dependents[owner.uid]?.remove(key)
                if dependents[owner.uid]?.isEmpty == true { dependents[owner.uid] = nil }
            }
        }
        if let after {
            keys[after.uid] = key
            for owner in after.ownerReferences { dependents[owner.uid, default: []].insert(key) }
        }
    }

    private func publish(_ key: ObjectKey, before: Object?, after: Object?) {
        forgetEnded()
        hub.publish(StoreChange(version: revision, key: key, before: before, after: after, at: .now))
    }
}
