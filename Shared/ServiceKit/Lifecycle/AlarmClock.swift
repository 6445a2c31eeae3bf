import NIOCore
import NIOPosix
import Synchronization

/// Many deadlines on one timer of an event loop. Nearly all are met, so setting and forgetting one costs a dictionary entry; the timer stands
/// at the earliest of those that were set since it last rang.
public final class AlarmClock: Sendable {
    /// The one of this process.
    public static let shared = AlarmClock(eventLoop: MultiThreadedEventLoopGroup.singleton.next())

    private struct State {
        var alarms: [UInt64: (deadline: NIODeadline, ring: @Sendable () -> Void)] = [:]
        var next: UInt64 = 0
        /// When the timer will ring.
        var armed: NIODeadline?
    }

    private let eventLoop: any EventLoop
    private let state = Mutex(State())

    init(eventLoop: any EventLoop) { self.eventLoop = eventLoop }

    /// Calls `ring` once, on the event loop, when `delay` has passed, unless it is forgotten before.
    public func set(after delay: Duration, _ ring: @escaping @Sendable () -> Void) -> UInt64 {
        let deadline = NIODeadline.now() + TimeAmount(delay)
        let (id, arm) = state.withLock { state in
            state.next += 1
            state.alarms[state.next] = (deadline, ring)
            let arm = state.armed.map { deadline < $0 } ?? true
            if arm { state.armed = deadline }
            return (state.next, arm)
        }
        if arm { schedule(at: deadline) }
        return id
    }

    /// It does not ring any more, unless it does so right now.
    public func forget(_ id: UInt64) { _ = state.withLock { $0.alarms.removeValue(forKey: id) } }

    private func schedule(at deadline: NIODeadline) {
        eventLoop.scheduleTask(deadline: deadline) { self.ring(armed: deadline) }
    }

    private func ring(armed: NIODeadline) {
        let now = NIODeadline.now()
        let (due, next) = state.withLock { state in
            // Of an alarm that was set before an earlier one took the timer over, nothing is due that the earlier one did not see.
            guard state.armed == armed else { return ([@Sendable () -> Void](), NIODeadline?.none) }
            let due = state.alarms.filter { $0.value.deadline <= now }
            for id in due.keys { state.alarms[id] = nil }
            state.armed = state.alarms.values.map(\.deadline).min()
            return (due.values.map(\.ring), state.armed)
        }
        for ring in due { ring() }
        if let next { schedule(at: next) }
    }
}
