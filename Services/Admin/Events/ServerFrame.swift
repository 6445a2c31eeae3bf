import Foundation
import PlatformModel
import ServiceKit

/// What clients of the event streams are told. The published client refuses frames with members that it does not know.
enum ServerFrame: Sendable {
    case pong(UUID)
    case subscribed(UUID)
    case sent([(id: UUID, event: StoredEvent)])
    /// - past: from before the subscription.
    case events([StoredEvent], subscription: UUID, past: Bool)
    case error(EventRefusal, about: UUID?)

    /// The text of the frame.
    func text(at time: Date) throws -> String {
        var members: [String: JSON] = ["id": Self.id(UUID()), "timestamp": .string(TimestampFormat.string(time))]
        switch self {
        case .pong(let ping):
            members["kind"] = .string("PONG")
            members["ping_id"] = Self.id(ping)
        case .subscribed(let id):
            members["kind"] = .string("SUBSCRIBED")
            members["subscr_id"] = Self.id(id)
        case .sent(let items):
            members["kind"] = .string("SENT")
            members["events"] = .array(
                items.map { id, event in
                    .object([
                        "id": Self.id(id), "stream": .string(event.stream.rawValue), "tag": .string(event.tag),
                        "timestamp": .string(TimestampFormat.string(event.at)),
                    ])
                })
        case .events(let events, let subscription, let past):
            members["kind"] = .string(past ? "RECV_PAST_EVENTS" : "RECV_EVENTS")
            members["subscr_id"] = Self.id(subscription)
            members["events"] = .array(events.map(Self.event))
        case .error(let refusal, let id):
            members["kind"] = .string("ERROR")
            members["code"] = .string(refusal.code)
            members["descr"] = .string(refusal.text)
            members["msg_id"] = id.map(Self.id)
        }
        return String(decoding: try PlatformJSON.encoder().encode(JSON.object(members)), as: UTF8.self)
    }

    private static func id(_ id: UUID) -> JSON { .string(id.uuidString.lowercased()) }

    private static func event(_ event: StoredEvent) -> JSON {
        let known: [String: JSON?] = [
            "tag": .string(event.tag), "timestamp": .string(TimestampFormat.string(event.at)), "sender": .string(event.sender),
            "stream": .string(event.stream.rawValue), "event_type": .string(event.type), "cluster": event.cluster.map(JSON.string),
            "org": event.org.map(JSON.string), "project": event.project.map(JSON.string), "user": event.user.map(JSON.string),
        ]
        return .object(event.extra.merging(known.mapValues { $0 ?? .null }) { $1 })
    }
}
