import Foundation
import Logging
import PlatformClients
import Postgres
import ServiceKit
import WebSocket

/// One connection: reads what the client says, hands it what it follows, and sees now and then whether its token stands.
struct EventSession: Sendable {
    let id = UUID()
    let caller: Caller
    let subscriber: EventSubscriber
    let streams: EventStreams
    let socket: WebSocketSession
    let logger: Logger
    private let subscriptions = EventSubscriptions()
    private let bell: EventBell

    /// Events of one frame of a plain subscription.
    private static let batch = 50
    /// The published client connects and asks again at once when it is refused something.
    private static let refusalPause = Duration.milliseconds(500)

    init(caller: Caller, subscriber: EventSubscriber, streams: EventStreams, socket: WebSocketSession, logger: Logger) {
        (self.caller, self.subscriber, self.streams, self.socket, self.logger) = (caller, subscriber, streams, socket, logger)
        bell = streams.feed.bell()
    }

    /// Why a connection is ended by this side.
    private struct Ending: Error {
        let code: WebSocketCloseCode
        let reason: String
    }

    func run() async throws {
        try await streams.groups.begin(id)
        do {
            try await follow()
            await end()
        } catch {
            await end()
            switch error {
            case let ending as Ending: try await socket.close(code: ending.code, reason: ending.reason)
            case is WebSocketError: logger.debug("An event connection broke", metadata: ["error": "\(error)"])
            case _ where ErrorMapping.isPassing(error):
                logger.warning("An event connection is ended: a store is away", metadata: ["error": "\(error)"])
                try await socket.close(code: .tryAgainLater, reason: "try again later")
            default: throw error
            }
        }
    }

    private func follow() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await read() }
            group.addTask { try await deliver() }
            group.addTask { try await stayAlive() }
            group.addTask { try await watchToken() }
            // The client goes, or one of them fails: either ends all.
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    /// Although this task may have been cancelled. Where it fails, the time does it.
    private func end() async {
        let (groups, id, properly) = (streams.groups, id, socket.peerClose != nil)
        await Task {
            try? await withTimeout(.seconds(5)) { try await groups.end(id, properly: properly) }
        }.value
    }

    private func stayAlive() async throws {
        while true {
            try await Task.sleep(for: streams.groups.pace.sessionLimit / 3)
            try await streams.groups.renew(id, subscriptions.joined)
        }
    }

    private func watchToken() async throws {
        while true {
            try await Task.sleep(for: streams.recheck)
            do {
                try await streams.auth.verify(caller)
            } catch let error as PlatformError where error.status == .unauthorized {
                throw Ending(code: .policyViolation, reason: "the token is not valid any more")
            } catch let error where ErrorMapping.isPassing(error) {
                logger.debug("A token could not be looked at", metadata: ["error": "\(error)"])
            }
        }
    }

    // MARK: Reading

    private func read() async throws {
        for try await message in socket.inbound {
            guard case .text(let text) = message else { throw Ending(code: .unsupportedData, reason: "frames are text") }
            guard text.utf8.count <= ClientFrame.limit else { throw Ending(code: .messageTooBig, reason: "frame too long") }
            do {
                try await answer(ClientFrame(text))
            } catch let refusal as EventRefusal {
                try await Task.sleep(for: Self.refusalPause)
                try await tell(.error(refusal, about: ClientFrame.id(of: text)))
            }
        }
    }

    private func answer(_ frame: ClientFrame) async throws {
        switch frame {
        case .ping(let id): try await tell(.pong(id))
        case .send(let events): try await send(events)
        case .subscribe(let frame, let stream, let filters, let time):
            try await subscriptions.requireRoom()
            let end = try await streams.log.end(of: stream)
            var position = end
            if let time { position = min(end, try await streams.log.position(of: stream, at: time)) }
            try await tell(.subscribed(frame))
            await subscriptions.add(.init(id: frame, stream: stream, filters: filters, position: position, begin: end))
            bell.ring()
        case .subscribeGroup(let frame, let stream, let filters, let name):
            try await subscriptions.requireRoom()
            let group = try await streams.groups.join(name, stream, filters, as: subscriber)
            try await streams.groups.acknowledge(await subscriptions.takeEarly(of: stream), [group.id], by: id)
            try await tell(.subscribed(frame))
            await subscriptions.add(.init(id: frame, group: group))
            bell.ring()
        case .acknowledge(let positions):
            for (stream, positions) in positions {
                let groups = await subscriptions.groups(of: stream)
                if groups.isEmpty {
                    try await subscriptions.keep(positions, of: stream)
                } else {
                    try await streams.groups.acknowledge(positions, groups, by: id)
                }
            }
            // There may be room for more.
            bell.ring()
        }
    }

    private func send(_ events: [NewEvent]) async throws {
        if let refused = events.first(where: { !subscriber.maySend(to: $0.stream) }) {
            throw EventRefusal.forbidden("'\(subscriber.name)' may not send to stream '\(refused.stream.rawValue)'")
        }
        var sent: [(UUID, StoredEvent)] = []
        for event in events { sent.append((event.id, try await streams.log.append(event, from: subscriber))) }
        try await tell(.sent(sent))
    }

    // MARK: Delivering

    private func deliver() async throws {
        for await _ in bell.rings {
            for subscription in await subscriptions.shared { try await deliver(subscription) }
            for stream in EventStream.allCases { try await deliverPlain(stream) }
        }
    }

    private func deliver(_ subscription: EventSubscriptions.Shared) async throws {
        while true {
            let events: [StoredEvent]
            do {
                events = try await streams.groups.claim(subscription.group, for: id)
            } catch is EventRefusal {
                throw Ending(code: .serviceRestart, reason: "the group must be joined anew")
            }
            guard !events.isEmpty else { return }
            // One a frame: each is acknowledged when it is done, not when all are.
            for event in events { try await tell(.events([event], subscription: subscription.id, past: false)) }
        }
    }

    private func deliverPlain(_ stream: EventStream) async throws {
        while let subscription = await subscriptions.plain[stream] {
            let events = try await EventLog.events(of: stream, after: subscription.position, limit: Self.batch, on: streams.log.pool)
            guard let last = events.last else { return }
            let wanted = events.filter { subscriber.maySee(cluster: $0.cluster) && subscription.filters.admits($0) }
            for (past, part) in [
                (true, wanted.filter { $0.position <= subscription.begin }), (false, wanted.filter { $0.position > subscription.begin }),
            ]
            where !part.isEmpty {
                try await tell(.events(part, subscription: subscription.id, past: past))
            }
            await subscriptions.moved(subscription.id, in: stream, to: last.position)
        }
    }

    private func tell(_ frame: ServerFrame) async throws { try await socket.send(text: frame.text(at: Date())) }
}
