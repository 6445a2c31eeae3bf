import Foundation

/// What one connection follows; the reader of its frames changes it, the deliverer reads it.
actor EventSubscriptions {
    struct Plain: Sendable {
        let id: UUID
        let stream: EventStream
        let filters: EventFilters
        /// What the client has.
        var position: Int64
        /// Where the stream ended when the client came.
        let begin: Int64
    }

    struct Shared: Sendable {
        let id: UUID
        let group: EventGroups.Membership
    }

    /// Subscriptions that stand, and groups ever joined.
    static let most = 16
    /// Acknowledgements of a stream that come before its subscription.
    private static let mostEarly = 1000

    private(set) var plain: [EventStream: Plain] = [:]
    private(set) var shared: [Shared] = []
    private var groups: [EventStream: Set<Int64>] = [:]
    private var early: [EventStream: [Int64]] = [:]

    var joined: Set<Int64> { groups.values.reduce(into: []) { $0.formUnion($1) } }

    /// - Throws: ``EventRefusal``.
    func requireRoom() throws {
        guard plain.count + shared.count < Self.most, joined.count < Self.most else {
            throw EventRefusal.tooMany("A connection has no more than \(Self.most) subscriptions")
        }
    }

    /// Takes the place of a former one to the same stream: the client knows one.
    func add(_ subscription: Plain) { plain[subscription.stream] = subscription }

    /// Takes the place of a former one of the same name. The acknowledgements that came before it are its own.
    func add(_ subscription: Shared) {
        let group = subscription.group
        shared.removeAll { $0.group.stream == group.stream && $0.group.name == group.name }
        shared.append(subscription)
        groups[group.stream, default: []].insert(group.id)
    }

    func moved(_ subscription: UUID, in stream: EventStream, to position: Int64) {
        if plain[stream]?.id == subscription { plain[stream]?.position = position }
    }

    /// The groups that an acknowledgement of a stream is for; none yet when it came before the subscription.
    func groups(of stream: EventStream) -> Set<Int64> { groups[stream] ?? [] }

    /// A client that connects anew may acknowledge before it has subscribed.
    func keep(_ positions: [Int64], of stream: EventStream) throws {
        guard early[stream, default: []].count + positions.count <= Self.mostEarly else {
            throw EventRefusal.tooMany("Too many acknowledgements before a subscription")
        }
        early[stream, default: []] += positions
    }

    func takeEarly(of stream: EventStream) -> [Int64] { early.removeValue(forKey: stream) ?? [] }
}
