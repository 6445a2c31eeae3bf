import Foundation
import Logging
import ServiceKit
import ServiceLifecycle
import Synchronization
import WebSocket

/// Follows a stream of events as one of a group, for as long as the process lives: hands over one event after the other, and acknowledges those that
/// were handled. One that failed comes again, later each time.
///
/// The streams may be away at any time: the consumer connects again with growing pauses. When the connection breaks, what is being handled is
/// cancelled, since the event may go to another replica.
public final class EventConsumer: Service {
    public typealias Handler = @Sendable (PlatformEvent) async throws -> Void

    /// How often it connects and how long it waits for an answer.
    public struct Pace: Sendable {
        public var first = Duration.seconds(1)
        public var longest = Duration.seconds(30)
        public var answer = Duration.seconds(30)
        public init() {}
    }

    private struct State {
        var isSubscribed = false
        var lastError: String?
        /// What was handled: an event that came twice because handling it took long must not be handled after it was acknowledged.
        var done: [String] = []
    }

    private enum Failure: Error {
        case refused(code: String, text: String)
        case noAnswer
    }

    private static let remembered = 1000

    private let url: String
    private let token: @Sendable () throws -> Secret
    private let stream: String
    private let group: String
    private let pace: Pace
    private let logger: Logger
    private let handle: Handler
    private let state = Mutex(State())

    /// - Parameters:
    ///   - url: the base of the streams, ending in `/apis/events`.
    ///   - token: asked for at every connection.
    ///   - group: consumers of the same name, with tokens of the same principal, share the events.
    ///   - handle: may be called more than once for the same event, and is cancelled when the connection breaks.
    public init(
        url: String, token: @escaping @Sendable () throws -> Secret, stream: String, group: String, pace: Pace = Pace(), logger: Logger,
        handle: @escaping Handler
    ) {
        (self.url, self.token, self.stream, self.group) = (url, token, stream, group)
        (self.pace, self.logger, self.handle) = (pace, logger, handle)
    }

    /// The streams at `ORRERY_EVENTS_URL`, with the token `ORRERY_SERVICE_TOKEN`; nil when no address is set. Its state is in `/ready`.
    public convenience init?(_ context: ServiceContext, stream: String, group: String, handle: @escaping Handler) throws {
        let settings = context.settings
        guard settings.optional("events.url") != nil else {
            context.logger.notice("ORRERY_EVENTS_URL is not set: nothing is cleared away when a project is removed")
            return nil
        }
        _ = try settings.secret("service.token")
        var pace = Pace()
        pace.longest = try settings.duration("events.reconnect", default: pace.longest)
        pace.first = min(pace.first, pace.longest)
        self.init(
            url: try settings.url("events.url"), token: { try settings.secret("service.token") }, stream: stream, group: group, pace: pace,
            logger: context.logger, handle: handle)
        context.watch("events") { [weak self] in self?.dependency ?? DependencyState(ok: false) }
    }

    private var dependency: DependencyState {
        state.withLock { DependencyState(ok: $0.isSubscribed, detail: $0.lastError.map { ["error": $0] } ?? [:]) }
    }

    public func run() async throws {
        await cancelWhenGracefulShutdown {
            var pause = self.pace.first
            while !Task.isCancelled {
                do {
                    try await self.follow()
                    self.logger.info("The connection to the events ended", metadata: ["stream": "\(self.stream)"])
                } catch {
                    guard !Task.isCancelled else { return }
                    self.state.withLock { $0.lastError = "\(error)" }
                    self.logger.warning("Events cannot be followed", metadata: ["stream": "\(self.stream)", "error": "\(error)"])
                }
                let wasSubscribed = self.state.withLock { state in
                    defer { state.isSubscribed = false }
                    return state.isSubscribed
                }
                if wasSubscribed { pause = self.pace.first }
                // Not all at once when the streams are back.
                try? await Task.sleep(for: pause * Double.random(in: 0.5...1))
                pause = min(pause * 2, self.pace.longest)
            }
        }
    }

    private func follow() async throws {
        let token = try token()
        try await WebSocketClient.connect(
            url: url + "/v1/stream", headers: [.authorization: "Bearer \(token.value)"], maxFrame: 4 << 20, timeout: .seconds(10)
        ) { session, _ in
            try await withThrowingTaskGroup(of: Void.self) { group in
                let (events, event) = AsyncThrowingStream<PlatformEvent, any Error>.makeStream()
                group.addTask { try await self.read(session, into: event) }
                group.addTask {
                    for try await event in events { try await self.take(event, session) }
                }
                group.addTask {
                    try await Task.sleep(for: self.pace.answer)
                    guard self.state.withLock({ $0.isSubscribed }) else { throw Failure.noAnswer }
                    // Until cancelled.
                    while true { try await Task.sleep(for: .seconds(3600)) }
                }
                defer { group.cancelAll() }
                try await session.send(text: ConsumerFrame.join(self.group, self.stream).text)
                try await group.next()
            }
        }
    }

    /// Reads on while an event is being handled, so that the end of the connection is noticed. The streams bound what they hand out.
    private func read(
        _ session: WebSocketSession, into events: AsyncThrowingStream<PlatformEvent, any Error>.Continuation
    ) async throws {
        for try await message in session.inbound {
            guard case .text(let text) = message else { continue }
            switch try StreamFrame(text) {
            case .subscribed:
                logger.info("Events are followed", metadata: ["stream": "\(stream)", "group": "\(group)"])
                state.withLock { ($0.isSubscribed, $0.lastError) = (true, nil) }
            case .events(let list): for event in list { events.yield(event) }
            case .error(let code, let text): throw Failure.refused(code: code, text: text)
            case .other: break
            }
        }
    }

    private func take(_ event: PlatformEvent, _ session: WebSocketSession) async throws {
        if !state.withLock({ $0.done.contains(event.tag) }) {
            do {
                try await handle(event)
            } catch {
                try Task.checkCancellation()
                logger.warning(
                    "An event could not be handled; it comes again",
                    metadata: ["type": "\(event.type)", "tag": "\(event.tag)", "error": "\(error)"])
                return
            }
            state.withLock { state in
                state.done.append(event.tag)
                if state.done.count > Self.remembered { state.done.removeFirst(Self.remembered / 2) }
            }
        }
        try await session.send(text: ConsumerFrame.acknowledge(event, of: group).text)
    }
}
