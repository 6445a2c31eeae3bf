import Synchronization

/// Whether this process wants traffic: from the end of its start to the first signal.
final class Readiness: Sendable {
    private let ready = Atomic(false)

    var isReady: Bool { ready.load(ordering: .acquiring) }

    func set(_ value: Bool) { ready.store(value, ordering: .releasing) }
}
