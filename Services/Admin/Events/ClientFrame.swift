import Foundation
import PlatformModel
import ServiceKit

/// What a client of the event streams says (deployment.md 4.5, and the published client).
enum ClientFrame: Sendable {
    case ping(UUID)
    case send([NewEvent])
    /// Everything from a time on, or from now on; nothing is acknowledged.
    case subscribe(UUID, EventStream, EventFilters, since: Date?)
    case subscribeGroup(UUID, EventStream, EventFilters, group: String)
    /// Positions by stream.
    case acknowledge([EventStream: [Int64]])

    /// Longest frame in bytes, and longest frame that adds events.
    static let limit = 64 << 10
    static let sendingLimit = 16 << 10
    private static let mostTags = 1000
    private static let mostEvents = 100

    /// The id of a frame, even of one that cannot be read otherwise.
    static func id(of text: String) -> UUID? {
        (try? JSONDecoder().decode(Header.self, from: Data(text.utf8)))?.id
    }

    private struct Header: Decodable { let id: UUID? }

    /// - Throws: ``EventRefusal``.
    init(_ text: String) throws {
        // Text columns hold no NUL.
        guard !text.contains("\\u0000") else { throw EventRefusal.malformed("a text holds a NUL character") }
        do {
            let data = Data(text.utf8)
            switch try JSONBodyDecoder.decode(Kind.self, from: data).kind {
            case "PING": self = .ping(try JSONBodyDecoder.decode(Bare.self, from: data).id)
            case "SUBSCRIBE":
                let frame = try JSONBodyDecoder.decode(Subscribe.self, from: data)
                self = .subscribe(frame.id, try frame.target, try frame.wanted, since: frame.timestamp)
            case "SUBSCRIBE_GROUP":
                let frame = try JSONBodyDecoder.decode(Subscribe.self, from: data)
                self = .subscribeGroup(frame.id, try frame.target, try frame.wanted, group: try frame.group)
            case "ACK": self = try .acknowledge(JSONBodyDecoder.decode(Ack.self, from: data).positions)
            case "SEND_EVENT":
                try Self.check(sending: data)
                self = try .send([NewEvent(JSONBodyDecoder.decode([String: JSON].self, from: data))])
            case "SEND_BATCH":
                try Self.check(sending: data)
                let batch = try JSONBodyDecoder.decode(Batch.self, from: data)
                guard batch.events.count <= Self.mostEvents else { throw EventRefusal.tooMany("events: more than \(Self.mostEvents)") }
                self = try .send(batch.events.map { try NewEvent($0) })
            case let kind: throw EventRefusal.malformed("kind: '\(kind.prefix(40))' is none that a client sends")
            }
        } catch let error as PlatformError {
            throw EventRefusal.malformed(error.message)
        }
    }

    private static func check(sending data: Data) throws {
        guard data.count <= sendingLimit else { throw EventRefusal.tooMany("An event is longer than \(sendingLimit) bytes") }
    }

    private struct Kind: Decodable { let kind: String }
    private struct Bare: Decodable { let id: UUID }
    private struct Batch: Decodable { let events: [[String: JSON]] }

    private struct Subscribe: Decodable {
        let id: UUID
        let stream: String
        let filters: EventFilters?
        let timestamp: Date?
        let groupname: String?

        var target: EventStream { get throws { try EventStream(named: stream) } }

        var wanted: EventFilters {
            get throws {
                guard let filters else { return .none }
                guard !filters.items.isEmpty else { throw EventRefusal.malformed("filters: an empty list lets nothing through") }
                return filters
            }
        }

        var group: String {
            get throws {
                guard let groupname else { throw EventRefusal.malformed("groupname: is required") }
                return try EventName.checked(groupname, "groupname")
            }
        }
    }

    private struct Ack: Decodable {
        let events: [String: [String]]

        var positions: [EventStream: [Int64]] {
            get throws {
                guard events.values.reduce(0, { $0 + $1.count }) <= ClientFrame.mostTags else {
                    throw EventRefusal.tooMany("events: more than \(ClientFrame.mostTags) tags")
                }
                let pairs = try events.map { stream, tags in
                    let positions = try tags.map { tag in
                        guard let position = Int64(tag) else { throw EventRefusal.malformed("events: '\(tag.prefix(40))' is no tag") }
                        return position
                    }
                    return (try EventStream(named: stream), positions)
                }
                return Dictionary(pairs) { $0 + $1 }
            }
        }
    }
}

/// Names of groups and of types of events.
enum EventName {
    static func checked(_ text: String, _ field: String) throws -> String {
        let letters = text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
            default: byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
            }
        }
        guard letters, text.first?.isLetter == true, text.utf8.count < 256 else {
            throw EventRefusal.malformed("\(field): expected a letter, then letters, digits, '-' and '_', 255 at most")
        }
        return text
    }
}

extension EventStream {
    init(named name: String) throws {
        guard let stream = EventStream(rawValue: name) else { throw EventRefusal.unknown(stream: String(name.prefix(40))) }
        self = stream
    }
}

extension NewEvent {
    private static let known: Set<String> = ["id", "kind", "sender", "stream", "event_type", "cluster", "org", "project", "user"]
    /// What deliveries say of themselves.
    private static let reserved: Set<String> = ["tag", "timestamp"]

    /// The sender is whoever is authenticated, whatever it calls itself.
    init(_ members: [String: JSON]) throws {
        func text(_ key: String) throws -> String? {
            switch members[key] {
            case nil, .null: return nil
            case .string(let text):
                guard text.utf8.count <= 255 else { throw EventRefusal.malformed("\(key): is longer than 255 bytes") }
                return text
            default: throw EventRefusal.malformed("\(key): expected a string")
            }
        }
        guard let id = try text("id").flatMap({ UUID(uuidString: $0) }) else { throw EventRefusal.malformed("id: expected a UUID") }
        guard let stream = try text("stream") else { throw EventRefusal.malformed("stream: is required") }
        guard let type = try text("event_type") else { throw EventRefusal.malformed("event_type: is required") }
        let extra = members.filter { !Self.known.contains($0.key) }
        guard Self.reserved.isDisjoint(with: extra.keys) else { throw EventRefusal.malformed("tag and timestamp are given here") }
        self.init(
            id: id, stream: try EventStream(named: stream), type: try EventName.checked(type, "event_type"), cluster: try text("cluster"),
            org: try text("org"), project: try text("project"), user: try text("user"), extra: extra)
    }
}
