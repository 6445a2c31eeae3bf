import Foundation
import HTTPTypes
import Identity
import PlatformModel
import ServiceKit
import Synchronization
import TestSupport
import WebSocket

/// A client of the event streams that shows every frame.
struct EventClient: Sendable {
    typealias Frame = [String: JSON]

    private final class Inbox: Sendable {
        let frames = Mutex([Frame]())
        let hasEnded = Mutex(false)
    }

    let session: WebSocketSession
    private let inbox: Inbox

    /// - Parameter cluster: of a cluster's service; nil for one of the control plane.
    static func token(_ name: String, cluster: String? = "default", _ platform: Platform) async throws -> String {
        try await platform.signer.sign(
            TokenClaims(
                name: PrincipalName(name), kind: cluster == nil ? .controlPlane : .cluster, cluster: cluster, issuedAt: Date() + 2))
    }

    static func with<T: Sendable>(
        _ service: TestService, token: String, _ body: @Sendable @escaping (EventClient) async throws -> T
    ) async throws -> T {
        try await with(url: service.url, token: token, body)
    }

    static func with<T: Sendable>(
        url: String, token: String, _ body: @Sendable @escaping (EventClient) async throws -> T
    ) async throws -> T {
        try await WebSocketClient.connect(url: url + "/apis/events/v1/stream", headers: [.authorization: "Bearer \(token)"]) { session, _ in
            let inbox = Inbox()
            return try await withThrowingTaskGroup(of: T?.self) { group in
                group.addTask {
                    defer { inbox.hasEnded.withLock { $0 = true } }
                    do {
                        for try await message in session.inbound {
                            guard case .text(let text) = message else { continue }
                            let frame = try JSONDecoder().decode(Frame.self, from: Data(text.utf8))
                            inbox.frames.withLock { $0.append(frame) }
                        }
                    } catch is WebSocketError {}
                    return nil
                }
                group.addTask { try await body(EventClient(session: session, inbox: inbox)) }
                defer { group.cancelAll() }
                while let value = try await group.next() {
                    if let value { return value }
                }
                throw CancellationError()
            }
        }
    }

    // MARK: Saying

    func send(_ members: [String: any Sendable]) async throws {
        let data = try JSONSerialization.data(withJSONObject: members)
        try await session.send(text: String(decoding: data, as: UTF8.self))
    }

    /// Joins, and waits for the answer.
    @discardableResult
    func join(_ group: String = "platform-storage", filters: [[String: [String]]]? = nil) async throws -> String {
        let id = UUID().uuidString.lowercased()
        var members: [String: any Sendable] = ["id": id, "kind": "SUBSCRIBE_GROUP", "stream": "platform-admin", "groupname": group]
        members["filters"] = filters
        try await send(members)
        _ = try await next("SUBSCRIBED") { $0["subscr_id"]?.string == id }
        return id
    }

    func acknowledge(_ tags: [String], stream: String = "platform-admin") async throws {
        try await send(["id": UUID().uuidString, "kind": "ACK", "sender": "platform-storage", "events": [stream: tags]])
        // Frames are answered in order: once this one is, the other has been seen to.
        let ping = UUID().uuidString.lowercased()
        try await send(["id": ping, "kind": "PING"])
        _ = try await next("PONG") { $0["ping_id"]?.string == ping }
    }

    // MARK: Hearing

    /// The first frame of a kind that has not been taken yet.
    func next(_ kind: String, within limit: Duration = .seconds(30), where isWanted: (Frame) -> Bool = { _ in true }) async throws -> Frame
    {
        let deadline = ContinuousClock.now + limit
        while true {
            let found = inbox.frames.withLock { frames -> Frame? in
                guard let index = frames.firstIndex(where: { $0["kind"]?.string == kind && isWanted($0) }) else { return nil }
                return frames.remove(at: index)
            }
            if let found { return found }
            guard ContinuousClock.now < deadline, !hasEnded else {
                throw SettingError("No \(kind) came; \(inbox.frames.withLock { $0 }), ended: \(hasEnded)")
            }
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    /// The next event of a group: one a frame.
    func event(within limit: Duration = .seconds(30)) async throws -> Frame {
        let frame = try await next("RECV_EVENTS", within: limit)
        guard case .array(let events)? = frame["events"], events.count == 1, case .object(let event)? = events.first else {
            throw SettingError("not one event: \(frame)")
        }
        return event
    }

    func project() async throws -> String? { try await event()["project"]?.string }

    /// Whether events are there that were not asked for yet.
    var hasEvents: Bool { inbox.frames.withLock { $0.contains { $0["kind"]?.string == "RECV_EVENTS" } } }

    var hasEnded: Bool { inbox.hasEnded.withLock { $0 } }

    /// The code that the other side ends the connection with.
    func end(within limit: Duration = .seconds(30)) async throws -> WebSocketCloseCode? {
        let deadline = ContinuousClock.now + limit
        while !hasEnded {
            guard ContinuousClock.now < deadline else { throw SettingError("The connection was not ended") }
            try await Task.sleep(for: .milliseconds(10))
        }
        return session.peerClose?.code
    }
}

extension Platform {
    static let projects = "/clusters/default/orgs/default/projects"

    /// Makes and removes a project.
    func removeProject(_ name: String) async throws {
        _ = try await call("POST", Self.projects, as: "admin", .object(["name": .string(name)]))
        let answer = try await call("DELETE", "\(Self.projects)/\(name)", as: "admin")
        guard answer.status == 200 else { throw SettingError("\(name) was not removed: \(answer.body)") }
    }
}
