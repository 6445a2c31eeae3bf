import Identity
import PlatformModel
import ServiceKit

/// Remembers permission trees for a while (storage.md 4.4): of each caller's token, by path. A right that is taken away may be used until the tree
/// expires; one that is given counts at once, since only what was granted is remembered. Bounded; the one not used for longest goes first.
actor PermissionCache {
    struct Times: Sendable {
        /// How long a tree is believed; zero: nothing is remembered.
        var expiration: Duration = .zero
        /// How long after its last use it is kept.
        var forgetting: Duration = .zero
    }

    private struct Key: Hashable {
        let token: String
        let path: StoragePath
    }

    private struct Entry {
        var node: PermissionTree.Node
        var expires: ContinuousClock.Instant
        var forgotten: ContinuousClock.Instant
    }

    private let source: any PermissionSource
    private let times: Times
    private let limit: Int
    private let now: @Sendable () -> ContinuousClock.Instant
    private var entries: [Key: Entry] = [:]
    /// Trees that are being asked for again.
    private var refreshing: [Key: Task<PermissionTree.Node?, any Error>] = [:]

    init(
        _ source: any PermissionSource, _ times: Times, limit: Int = 10_000,
        now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }
    ) {
        self.source = source
        self.times = times
        self.limit = limit
        self.now = now
    }

    nonisolated func holds(_ wanted: [(path: StoragePath, action: Action)], as caller: Caller) async throws -> Bool {
        guard times.expiration > .zero else { return try await source.holds(wanted, as: caller) }
        var open: [(path: StoragePath, action: Action)] = []
        for one in wanted {
            let known = try await known(one.path, as: caller, refreshingItself: false)
            if known.map({ $0.action < one.action }) ?? true { open.append(one) }
        }
        guard !open.isEmpty else { return true }
        return try await source.holds(open, as: caller)
    }

    nonisolated func node(of path: StoragePath, as caller: Caller) async throws -> PermissionTree.Node {
        guard times.expiration > .zero else { return try await source.node(of: path, as: caller) }
        if let node = try await known(path, as: caller, refreshingItself: true) { return node }
        let node = try await source.node(of: path, as: caller)
        await remember(node, Key(token: caller.token, path: path))
        return node
    }

    /// What is remembered of the path or of the nearest place above it, asked for again if it has expired; nil when that is nothing.
    private func known(_ path: StoragePath, as caller: Caller, refreshingItself: Bool) async throws -> PermissionTree.Node? {
        forget()
        for count in stride(from: path.components.count, through: 0, by: -1) {
            let key = Key(token: caller.token, path: StoragePath(components: Array(path.components.prefix(count))))
            guard let entry = entries[key] else { continue }
            guard entry.forgotten > now() else {
                entries[key] = nil
                continue
            }
            let below = path.components.dropFirst(count)
            if entry.expires > now() {
                entries[key]?.forgotten = now() + times.forgetting
                return entry.node.descending(below)
            }
            if below.isEmpty, !refreshingItself { return nil }
            let node = try await refreshed(key, as: caller)
            // What was just asked need not be asked again.
            return below.isEmpty ? node ?? .init(action: .deny) : node?.descending(below)
        }
        return nil
    }

    var count: Int { entries.count }

    /// One question for all who need its answer, a failure included: asked one after the other, each would wait for those before it. It is
    /// nobody's own, so that who leaves takes it from nobody.
    private func refreshed(_ key: Key, as caller: Caller) async throws -> PermissionTree.Node? {
        if let question = refreshing[key] { return try await question.value }
        let question = Task { try await refresh(key, as: caller) }
        refreshing[key] = question
        defer { refreshing[key] = nil }
        return try await question.value
    }

    private func refresh(_ key: Key, as caller: Caller) async throws -> PermissionTree.Node? {
        let node = try await source.node(of: key.path, as: caller)
        guard node.action > .deny else {
            entries[key] = nil
            return nil
        }
        remember(node, key)
        return node
    }

    private func remember(_ node: PermissionTree.Node, _ key: Key) {
        guard node.action > .deny else { return }
        entries[key] = Entry(node: node, expires: now() + times.expiration, forgotten: now() + times.forgetting)
        guard entries.count > limit else { return }
        // Seldom, and then for many at once.
        let oldest = entries.sorted { $0.value.forgotten < $1.value.forgotten }.prefix(entries.count - limit + limit / 10)
        for (key, _) in oldest { entries[key] = nil }
    }

    private var lastForgetting = ContinuousClock.Instant.now

    private func forget() {
        let now = now()
        // Looked through once in a while, not for each question.
        guard entries.count > 0, now - lastForgetting > min(times.forgetting, .seconds(1)) else { return }
        lastForgetting = now
        entries = entries.filter { $0.value.forgotten > now }
    }
}
