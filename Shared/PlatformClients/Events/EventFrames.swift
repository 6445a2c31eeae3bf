import Foundation
import ServiceKit

/// What a consumer says.
struct ConsumerFrame: Encodable, Sendable {
    let id = UUID().uuidString.lowercased()
    let kind: String
    var stream: String?
    var groupname: String?
    var sender: String?
    var events: [String: [String]]?

    static func join(_ group: String, _ stream: String) -> ConsumerFrame {
        ConsumerFrame(kind: "SUBSCRIBE_GROUP", stream: stream, groupname: group)
    }

    static func acknowledge(_ event: PlatformEvent, of group: String) -> ConsumerFrame {
        ConsumerFrame(kind: "ACK", sender: group, events: [event.stream: [event.tag]])
    }

    var text: String { get throws { String(decoding: try PlatformJSON.encoder().encode(self), as: UTF8.self) } }
}

/// What it is told.
enum StreamFrame: Sendable {
    case subscribed
    case events([PlatformEvent])
    case error(code: String, text: String)
    case other

    private struct Header: Decodable {
        let kind: String
        let code: String?
        let descr: String?
    }
    private struct Events: Decodable { let events: [PlatformEvent] }

    init(_ text: String) throws {
        let data = Data(text.utf8)
        let header = try PlatformJSON.decoder().decode(Header.self, from: data)
        self =
            switch header.kind {
            case "SUBSCRIBED": .subscribed
            case "RECV_EVENTS", "RECV_PAST_EVENTS": .events(try PlatformJSON.decoder().decode(Events.self, from: data).events)
            case "ERROR": .error(code: header.code ?? "", text: header.descr ?? "")
            default: .other
            }
    }
}
