import Foundation
import ServiceKit

/// What a subscriber wants of a stream: whatever one of the filters lets through, everything when there are none. Kept in one form, whatever the
/// order it was written in, since it is part of what makes a group.
struct EventFilters: Codable, Hashable, Sendable {
    /// All of its lists that are there must hold what the event says.
    struct Item: Codable, Hashable, Sendable {
        let clusters: Set<String>?
        let eventTypes: Set<String>?
        let orgs: Set<String>?
        let projects: Set<String>?
        let users: Set<String>?

        enum CodingKeys: String, CodingKey, CaseIterable {
            case clusters
            case eventTypes = "event_types"
            case orgs, projects, users
        }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            func names(_ key: CodingKeys) throws -> Set<String>? {
                let names = Set(try container.decodeIfPresent([String].self, forKey: key) ?? [])
                guard names.count <= EventFilters.mostNames, names.allSatisfy({ $0.utf8.count <= 255 && !$0.utf8.contains(0) }) else {
                    throw DecodingError.dataCorruptedError(forKey: key, in: container, debugDescription: "too many or too long names")
                }
                return names.isEmpty ? nil : names
            }
            (clusters, eventTypes, orgs) = (try names(.clusters), try names(.eventTypes), try names(.orgs))
            (projects, users) = (try names(.projects), try names(.users))
            guard [clusters, eventTypes, orgs, projects, users].contains(where: { $0 != nil }) else {
                throw DecodingError.dataCorrupted(
                    .init(codingPath: decoder.codingPath, debugDescription: "a filter without any names lets nothing through"))
            }
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            for (key, names) in [
                (CodingKeys.clusters, clusters), (.eventTypes, eventTypes), (.orgs, orgs), (.projects, projects), (.users, users),
            ] {
                if let names { try container.encode(names.sorted(), forKey: key) }
            }
        }

        func admits(_ event: StoredEvent) -> Bool {
            func holds(_ names: Set<String>?, _ name: String?) -> Bool {
                guard let names else { return true }
                return name.map(names.contains) ?? false
            }
            return holds(clusters, event.cluster) && holds(eventTypes, event.type) && holds(orgs, event.org)
                && holds(projects, event.project) && holds(users, event.user)
        }
    }

    static let mostItems = 32
    static let mostNames = 200
    static let none = EventFilters(items: [])

    let items: Set<Item>

    private init(items: Set<Item>) { self.items = items }

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let list = try container.decode([Item].self)
        guard list.count <= Self.mostItems else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "more than \(Self.mostItems) filters")
        }
        items = Set(list)
    }

    func encode(to encoder: any Encoder) throws {
        let texts = try items.map { ($0, String(decoding: try PlatformJSON.encoder().encode($0), as: UTF8.self)) }
        var container = encoder.singleValueContainer()
        try container.encode(texts.sorted { $0.1 < $1.1 }.map(\.0))
    }

    func admits(_ event: StoredEvent) -> Bool { items.isEmpty || items.contains { $0.admits(event) } }
}
