import Logging
import Postgres
import ServiceLifecycle
import Synchronization

/// Tells the connections of this replica that there may be something for them, and brings what was noted into the streams.
///
/// A connection of its own listens; what it may have missed while it was away is found by looking every so often.
final class EventFeed: Service {
    private let log: EventLog
    private let logger: Logger
    /// Seconds between looks that nobody asked for.
    let sweep: Duration
    private let followers = Mutex((last: 0, bells: [Int: AsyncStream<Void>.Continuation]()))

    init(log: EventLog, sweep: Duration, logger: Logger) {
        self.log = log
        self.sweep = sweep
        self.logger = logger
    }

    /// Rings whenever there may be something new, as long as it is held. Rings that nobody has heard yet are one.
    func bell() -> EventBell {
        let (rings, bell) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let id = followers.withLock { followers in
            followers.last += 1
            followers.bells[followers.last] = bell
            return followers.last
        }
        return EventBell(rings: rings, bell: bell) { [weak self] in _ = self?.followers.withLock { $0.bells.removeValue(forKey: id) } }
    }

    private func ringAll() {
        for bell in followers.withLock({ Array($0.bells.values) }) { bell.yield() }
    }

    func run() async throws {
        let (notes, note) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        await cancelWhenGracefulShutdown {
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await self.listening(note) }
                group.addTask { await self.publishing(notes) }
                group.addTask {
                    while !Task.isCancelled {
                        note.yield()
                        self.ringAll()
                        try? await Task.sleep(for: self.sweep)
                    }
                }
                await group.waitForAll()
            }
        }
    }

    private func listening(_ note: AsyncStream<Void>.Continuation) async {
        while !Task.isCancelled {
            do {
                let connection = try await PostgresConnection.connect(log.pool.configuration, logger: logger)
                do {
                    let notifications = try await connection.notifications(on: [EventLog.channel, EventLog.outboxChannel])
                    note.yield()
                    ringAll()
                    for try await notification in notifications {
                        if notification.channel == EventLog.outboxChannel { note.yield() } else { ringAll() }
                    }
                    await connection.close()
                } catch {
                    await connection.close()
                    throw error
                }
            } catch {
                guard !Task.isCancelled else { return }
                logger.warning("Listening for events is interrupted", metadata: ["error": "\(error)"])
            }
            try? await Task.sleep(for: .milliseconds(500))
        }
    }

    private func publishing(_ notes: AsyncStream<Void>) async {
        for await _ in notes {
            do {
                while try await !log.publish() {}
            } catch {
                guard !Task.isCancelled else { return }
                logger.warning("Events could not be published; they are tried again", metadata: ["error": "\(error)"])
            }
        }
    }
}

/// One connection's bell.
final class EventBell: Sendable {
    let rings: AsyncStream<Void>
    private let bell: AsyncStream<Void>.Continuation
    private let letGo: @Sendable () -> Void

    fileprivate init(rings: AsyncStream<Void>, bell: AsyncStream<Void>.Continuation, letGo: @escaping @Sendable () -> Void) {
        (self.rings, self.bell, self.letGo) = (rings, bell, letGo)
    }

    deinit { letGo() }

    func ring() { bell.yield() }
}
