import AuthService
import Foundation
import Identity
import Logging
import NIOCore
import PlatformModel
import Postgres
import ServiceKit
import TestSupport
import Testing
import WebSocket

@testable import AdminService

/// The event streams: who hears what, when again, and who is heard.
@Suite struct EventTests {
    /// Quick, since nobody here takes long.
    private static let quick = ["events.redelivery": "0.5", "events.session-limit": "2", "events.sweep": "0.3"]

    private func with(_ settings: [String: String] = [:], _ body: (Platform) async throws -> Void) async throws {
        try await Platform.withDefaults(settings: settings, body)
    }

    @Test func aRemovalReachesEachGroupOnce() async throws {
        try await with { (platform) async throws in
            let storage = try await EventClient.token("storage-api", platform)
            let secrets = try await EventClient.token("secrets-api", platform)
            try await EventClient.with(platform.admin, token: storage) { one in
                let subscription = try await one.join()
                try await EventClient.with(platform.admin, token: secrets) { other in
                    try await other.join("platform-secrets")
                    try await platform.removeProject("one")
                    let frame = try await one.next("RECV_EVENTS")
                    #expect(frame["subscr_id"]?.string == subscription)
                    guard case .array(let events)? = frame["events"], case .object(let event)? = events.first else {
                        Issue.record("no events: \(frame)")
                        return
                    }
                    #expect(
                        event.filter { !["tag", "timestamp"].contains($0.key) } == [
                            "sender": .string("platform-admin"), "stream": .string("platform-admin"),
                            "event_type": .string("project-remove"),
                            "cluster": .string("default"), "org": .string("default"), "project": .string("one"), "user": .string("admin"),
                        ])
                    #expect(event["timestamp"]?.string.flatMap(TimestampFormat.date) != nil)
                    #expect(try await other.project() == "one")
                    #expect(!one.hasEvents && !other.hasEvents)
                }
            }
        }
    }

    /// What is acknowledged is done with, also after the service was started anew; what is not comes again.
    @Test func acknowledgementsLast() async throws {
        try await TestDatabase.with { database in
            try await with(["postgres.url": database.url]) { (platform) async throws in
                let token = try await EventClient.token("storage-api", platform)
                try await EventClient.with(platform.admin, token: token) { client in
                    try await client.join()
                    for name in ["one", "two"] { try await platform.removeProject(name) }
                    let first = try await client.event()
                    #expect(first["project"]?.string == "one")
                    #expect(try await client.project() == "two")
                    try await client.acknowledge([first["tag"]?.string ?? ""])
                }
                let settings = [
                    "auth.url": platform.auth.url, "service.token": try await platform.token("admin-api"), "postgres.url": database.url,
                ]
                try await withService(AdminService.self, settings: settings, authenticator: Identity.authenticator) {
                    (again) async throws in
                    try await EventClient.with(again, token: token) { client in
                        try await client.join()
                        let event = try await client.event(within: .seconds(20))
                        #expect(event["project"]?.string == "two")
                        try await client.acknowledge([event["tag"]?.string ?? ""])
                    }
                    try await EventClient.with(again, token: token) { client in
                        try await client.join()
                        try await platform.removeProject("three")
                        #expect(try await client.project() == "three")
                    }
                }
            }
        }
    }

    /// A consumer that vanishes may still be at work for a while: only then another one gets what it had. One that takes its leave is done.
    @Test func whatAConsumerLeavesGoesToAnother() async throws {
        try await with(["events.session-limit": "2", "events.sweep": "0.3"]) { (platform) async throws in
            let token = try await EventClient.token("storage-api", platform)
            try await EventClient.with(platform.admin, token: token) { other in
                try await TestProxy.with(host: "127.0.0.1", port: platform.admin.port) { proxy in
                    try await EventClient.with(url: "http://127.0.0.1:\(proxy.port)", token: token) { client in
                        try await client.join()
                        try await platform.removeProject("one")
                        #expect(try await client.project() == "one")
                        try await other.join()
                        try await proxy.cut()
                        let start = ContinuousClock.now
                        #expect(try await other.project() == "one")
                        #expect(ContinuousClock.now - start > .seconds(1))
                        _ = try? await client.end()
                    }
                }
            }
            let start = ContinuousClock.now
            try await EventClient.with(platform.admin, token: token) { client in
                try await client.join()
                #expect(try await client.project() == "one")
            }
            #expect(ContinuousClock.now - start < .seconds(20))
        }
    }

    /// On the same connection, later each time.
    @Test func whatIsNotAcknowledgedComesAgain() async throws {
        try await with(Self.quick) { (platform) async throws in
            try await EventClient.with(platform.admin, token: EventClient.token("storage-api", platform)) { client in
                try await client.join()
                try await platform.removeProject("one")
                var (times, tags) = ([ContinuousClock.Instant](), Set<String?>())
                for _ in 0..<3 {
                    tags.insert(try await client.event()["tag"]?.string)
                    times.append(.now)
                }
                #expect(tags.count == 1)
                #expect(times[1] - times[0] > .milliseconds(300) && times[2] - times[1] > .milliseconds(700))
                try await client.acknowledge(tags.compactMap(\.self))
                try await platform.removeProject("two")
                #expect(try await client.project() == "two")
            }
        }
    }

    /// Consumers of one group at different replicas share the events; a removal at one reaches the consumers of the other.
    @Test func replicasShareTheWork() async throws {
        try await TestDatabase.with { database in
            try await with(["postgres.url": database.url, "events.window": "2"]) { (platform) async throws in
                let settings = [
                    "auth.url": platform.auth.url, "service.token": try await platform.token("admin-api"), "postgres.url": database.url,
                    "events.window": "2",
                ]
                try await withService(AdminService.self, settings: settings, authenticator: Identity.authenticator) {
                    (second) async throws in
                    let token = try await EventClient.token("storage-api", platform)
                    let names = (0..<12).map { "project-\($0)" }
                    let taken: [String] = try await withThrowingTaskGroup(of: [String].self) { group in
                        for service in [platform.admin, second] {
                            group.addTask {
                                try await EventClient.with(service, token: token) { client in
                                    try await client.join()
                                    var taken: [String] = []
                                    while true {
                                        let event = try await client.event()
                                        taken.append(event["project"]?.string ?? "")
                                        try await client.acknowledge([event["tag"]?.string ?? ""])
                                        if event["project"]?.string?.hasPrefix("end") == true { return taken }
                                    }
                                }
                            }
                        }
                        for name in names + ["end-a", "end-b"] { try await platform.removeProject(name) }
                        return try await group.reduce(into: []) { $0 += $1 }
                    }
                    #expect(taken.sorted() == (names + ["end-a", "end-b"]).sorted())
                }
            }
        }
    }

    @Test func noMoreThanTheWindowIsHandedOut() async throws {
        try await with(["events.window": "3"]) { (platform) async throws in
            try await EventClient.with(platform.admin, token: EventClient.token("storage-api", platform)) { client in
                try await client.join()
                for name in ["p-1", "p-2", "p-3", "p-4", "p-5"] { try await platform.removeProject(name) }
                var tags: [String] = []
                for _ in 0..<3 { tags.append(try await client.event()["tag"]?.string ?? "") }
                try await client.acknowledge([])
                #expect(!client.hasEvents)
                try await client.acknowledge(tags)
                #expect(try await client.project() == "p-4")
                #expect(try await client.project() == "p-5")
            }
        }
    }

    /// Filters are part of what makes a group.
    @Test func filters() async throws {
        try await with { (platform) async throws in
            let token = try await EventClient.token("storage-api", platform)
            try await EventClient.with(platform.admin, token: token) { some in
                try await EventClient.with(platform.admin, token: token) { all in
                    try await some.join(filters: [["projects": ["two", "three"], "orgs": ["default"]], ["users": ["nobody"]]])
                    try await all.join()
                    for name in ["one", "two"] { try await platform.removeProject(name) }
                    #expect(try await some.project() == "two")
                    #expect(try await all.project() == "one")
                    #expect(try await all.project() == "two")
                }
            }
            // The same filters in another order are the same group, which has no more to do.
            try await EventClient.with(platform.admin, token: token) { some in
                try await some.join(filters: [["users": ["nobody"]], ["orgs": ["default"], "projects": ["three", "two"]]])
                #expect(try await some.project() == "two")
                try await platform.removeProject("three")
                #expect(try await some.project() == "three")
            }
        }
    }

    /// A cluster's services hear of their own cluster, the control plane of all.
    @Test func clustersHearOfThemselves() async throws {
        try await with { (platform) async throws in
            let (own, foreign) = (
                try await EventClient.token("storage-api", platform), try await EventClient.token("storage-api", cluster: "other", platform)
            )
            let jobs = try await EventClient.token("jobs-api", cluster: nil, platform)
            try await EventClient.with(platform.admin, token: foreign) { foreign in
                try await foreign.join()
                try await platform.removeProject("one")
                for token in [own, jobs] {
                    try await EventClient.with(platform.admin, token: token) { client in
                        try await client.join()
                        #expect(try await client.project() == "one")
                    }
                }
                #expect(!foreign.hasEvents)
            }
        }
    }

    /// An acknowledgement may come on a new connection, before its subscription: the published client sends them in any order.
    @Test func anAcknowledgementBeforeTheSubscription() async throws {
        try await with { (platform) async throws in
            let token = try await EventClient.token("storage-api", platform)
            let tag = try await EventClient.with(platform.admin, token: token) { client in
                try await client.join()
                try await platform.removeProject("one")
                return try await client.event()["tag"]?.string ?? ""
            }
            try await EventClient.with(platform.admin, token: token) { client in
                try await client.acknowledge([tag])
                try await client.join()
                try await platform.removeProject("two")
                #expect(try await client.project() == "two")
            }
        }
    }

    /// Without a group: from now on, or from a time on, and nothing is acknowledged.
    @Test func plainSubscriptions() async throws {
        try await with { (platform) async throws in
            let token = try await EventClient.token("jobs-api", cluster: nil, platform)
            try await platform.removeProject("one")
            let time = try await EventClient.with(platform.admin, token: token) { client in
                try await client.send([
                    "id": UUID().uuidString, "kind": "SUBSCRIBE", "stream": "platform-admin", "timestamp": "2026-01-01T00:00:00Z",
                ])
                _ = try await client.next("SUBSCRIBED")
                let past = try await client.next("RECV_PAST_EVENTS")
                guard case .array(let events)? = past["events"] else { throw SettingError("no events") }
                #expect(events.map { $0["project"]?.string } == ["one"])
                return events.first?["timestamp"]?.string ?? ""
            }
            try await platform.removeProject("two")
            try await EventClient.with(platform.admin, token: token) { client in
                try await client.send(["id": UUID().uuidString, "kind": "SUBSCRIBE", "stream": "platform-admin", "timestamp": time])
                guard case .array(let events)? = try await client.next("RECV_PAST_EVENTS")["events"] else {
                    throw SettingError("no events")
                }
                #expect(events.map { $0["project"]?.string } == ["two"])
                try await platform.removeProject("three")
                #expect(try await client.project() == "three")
            }
        }
    }

    /// Each stream has one sender; what is sent twice is one event.
    @Test func sending() async throws {
        try await with { (platform) async throws in
            let id = UUID().uuidString.lowercased()
            let event: [String: any Sendable] = [
                "id": id, "kind": "SEND_EVENT", "sender": "somebody", "stream": "platform-config", "event_type": "cluster-add",
                "cluster": "default",
                "more": ["deep": 1] as [String: Int],
            ]
            try await EventClient.with(platform.admin, token: EventClient.token("storage-api", platform)) { reader in
                try await reader.send(["id": UUID().uuidString, "kind": "SUBSCRIBE", "stream": "platform-config"])
                _ = try await reader.next("SUBSCRIBED")
                try await reader.send(event)
                let refused = try await reader.next("ERROR")
                #expect(refused["code"]?.string == "forbidden" && refused["msg_id"]?.string == id)
                try await EventClient.with(platform.admin, token: EventClient.token("config-api", cluster: nil, platform)) { sender in
                    var answers: [JSON] = []
                    for _ in 0..<2 {
                        try await sender.send(event)
                        guard case .array(let sent)? = try await sender.next("SENT")["events"] else { throw SettingError("nothing sent") }
                        answers += sent
                    }
                    #expect(answers.count == 2 && answers[0] == answers[1] && answers[0]["id"]?.string == id)
                    var admins = event
                    admins["stream"] = "platform-admin"
                    try await sender.send(admins)
                    #expect(try await sender.next("ERROR")["code"]?.string == "forbidden")
                }
                let heard = try await reader.event()
                #expect(
                    heard["sender"]?.string == "config-api" && heard["more"]?["deep"] == .integer(1)
                        && heard["cluster"]?.string == "default")
                #expect(!reader.hasEvents)
            }
        }
    }

    @Test func nobodyElseFollows() async throws {
        try await with { (platform) async throws in
            let path = "/apis/events/v1/stream"
            #expect(try await platform.admin.get(path).status == 401)
            for name in ["admin", "bob"] {
                #expect(try await platform.admin.get(path, token: platform.token(name)).status == 403, "\(name)")
            }
            let job = try await platform.signer.sign(
                TokenClaims(
                    name: PrincipalName("storage-api"), kind: .cluster, cluster: "default", tokenURI: ResourceURI("job://default/x"),
                    issuedAt: Date() + 2))
            #expect(try await platform.admin.get(path, token: job).status == 401)
            #expect(try await platform.admin.get(path, token: EventClient.token("storage-api", platform)).status == 400)
            await #expect(throws: WebSocketHandshakeRefused.self) {
                try await EventClient.with(platform.admin, token: platform.token("bob")) { _ in }
            }
        }
    }

    /// A token that falls ends the connection that it opened.
    @Test func aRevokedTokenEndsTheConnection() async throws {
        try await with(["events.recheck": "0.3"]) { (platform) async throws in
            let name = try PrincipalName("passing")
            try await platform.authClient().createUser(name)
            try await EventClient.with(platform.admin, token: EventClient.token("passing", platform)) { client in
                try await client.join()
                try await platform.authClient().deleteUser(name)
                #expect(try await client.end() == .policyViolation)
            }
        }
    }

    /// Frames that cannot be read are refused, one by one, and the connection goes on.
    @Test func malformedFrames() async throws {
        try await with { (platform) async throws in
            let id = UUID().uuidString.lowercased()
            let frames: [(String, String)] = [
                ("", "malformed"), ("{", "malformed"), ("[]", "malformed"), (#"{"kind": 1}"#, "malformed"),
                (#"{"kind": "HELLO"}"#, "malformed"),
                (#"{"kind": "PING"}"#, "malformed"), (#"{"id": "\#(id)", "kind": "SUBSCRIBE"}"#, "malformed"),
                (#"{"id": "\#(id)", "kind": "SUBSCRIBE", "stream": "platform-others"}"#, "unknown-stream"),
                (#"{"id": "\#(id)", "kind": "SUBSCRIBE_GROUP", "stream": "platform-admin"}"#, "malformed"),
                (#"{"id": "\#(id)", "kind": "SUBSCRIBE_GROUP", "stream": "platform-admin", "groupname": "1 x"}"#, "malformed"),
                (#"{"id": "\#(id)", "kind": "SUBSCRIBE", "stream": "platform-admin", "filters": []}"#, "malformed"),
                (#"{"id": "\#(id)", "kind": "SUBSCRIBE", "stream": "platform-admin", "filters": [{"orgs": []}]}"#, "malformed"),
                (#"{"id": "\#(id)", "kind": "SUBSCRIBE", "stream": "platform-admin", "timestamp": "yesterday"}"#, "malformed"),
                (#"{"id": "\#(id)", "kind": "ACK", "sender": "x", "events": {"platform-admin": ["x"]}}"#, "malformed"),
                (#"{"id": "\#(id)", "kind": "SEND_EVENT", "stream": "platform-admin", "event_type": "a\u0000b"}"#, "malformed"),
                (#"{"id": "\#(id)", "kind": "SEND_EVENT", "stream": "platform-admin", "event_type": "x", "org": 1}"#, "malformed"),
                (#"{"id": "\#(id)", "kind": "SEND_BATCH", "sender": "x", "events": [1]}"#, "malformed"),
                (#"{"id": "\#(id)", "kind": "SEND_EVENT", "note": "\#(String(repeating: "x", count: 20_000))"}"#, "too-many"),
            ]
            let token = try await EventClient.token("storage-api", platform)
            try await EventClient.with(platform.admin, token: token) { client in
                for (frame, code) in frames {
                    try await client.session.send(text: frame)
                    #expect(try await client.next("ERROR")["code"]?.string == code, "\(frame.prefix(200))")
                }
                for number in 0..<16 { try await client.join("group-\(number)") }
                try await client.send(["id": id, "kind": "SUBSCRIBE_GROUP", "stream": "platform-admin", "groupname": "one-more"])
                #expect(try await client.next("ERROR")["code"]?.string == "too-many")
                try await platform.removeProject("one")
                #expect(try await client.project() == "one")
                try await client.session.send(text: String(repeating: " ", count: 70_000))
                #expect(try await client.end() == .messageTooBig)
            }
            try await EventClient.with(platform.admin, token: token) { client in
                try await client.session.send(ByteBuffer(string: "{}"))
                #expect(try await client.end() == .unsupportedData)
            }
        }
    }
}
