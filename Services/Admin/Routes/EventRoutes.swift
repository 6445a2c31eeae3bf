import Hummingbird
import ServiceKit
import WebSocket

/// The event streams, over WebSocket (deployment.md 4.5).
struct EventRoutes: Sendable {
    let streams: EventStreams

    func register(on router: PlatformRouter) {
        // For the platform's own services.
        router.get("/apis/events/v1/stream", access: .principal) { request, context in
            let caller = try context.requireCaller()
            try await streams.auth.verify(caller)
            let subscriber = try EventSubscriber(caller)
            guard let upgrade = WebSocketUpgrade(request: request) else {
                throw PlatformError.badRequest("Events are served over WebSocket; the request does not ask for one.")
            }
            let place = try streams.limits.begin(caller.name)
            let logger = context.logger
            return upgrade.accept(logger: logger) { socket in
                defer { withExtendedLifetime(place) {} }
                try await EventSession(caller: caller, subscriber: subscriber, streams: streams, socket: socket, logger: logger).run()
            }
        }
    }
}
