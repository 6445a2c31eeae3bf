import Foundation
import Logging
import PlatformClients
import PlatformModel
import ServiceKit
import Synchronization
import TestSupport
import Testing

@testable import AdminService

/// The consumer that services follow events with, on genuine streams.
@Suite struct EventConsumerTests {
    private struct Obstacle: Error {}

    private final class Notes: Sendable {
        private let lines = Mutex([String]())
        func add(_ line: String) { lines.withLock { $0.append(line) } }
        var all: [String] { lines.withLock { $0 } }

        func wait(_ wanted: @Sendable ([String]) -> Bool) async throws {
            let deadline = ContinuousClock.now + .seconds(30)
            while !wanted(all) {
                guard ContinuousClock.now < deadline else { throw SettingError("It did not come to that: \(all)") }
                try await Task.sleep(for: .milliseconds(10))
            }
        }
    }

    /// Runs a consumer beside `body`.
    private func following<T: Sendable>(
        _ url: String, _ token: String, handle: @escaping EventConsumer.Handler, _ body: @Sendable @escaping () async throws -> T
    ) async throws -> T {
        var pace = EventConsumer.Pace()
        (pace.first, pace.longest) = (.milliseconds(50), .milliseconds(200))
        let consumer = EventConsumer(
            url: url + "/apis/events", token: { Secret(token) }, stream: ProjectRemoval.stream, group: "platform-storage", pace: pace,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, handle: handle)
        return try await withThrowingTaskGroup(of: T?.self) { group in
            group.addTask {
                try await consumer.run()
                return nil
            }
            group.addTask { try await body() }
            defer { group.cancelAll() }
            while let value = try await group.next() {
                if let value { return value }
            }
            throw CancellationError()
        }
    }

    private static let quick = ["events.redelivery": "0.4", "events.session-limit": "1", "events.sweep": "0.2"]

    /// The streams may come late; what fails comes again; what is done does not.
    @Test func oneAfterTheOther() async throws {
        try await Platform.withDefaults(settings: Self.quick) { (platform) async throws in
            let token = try await EventClient.token("storage-api", platform)
            let notes = Notes()
            try await TestProxy.with(host: "127.0.0.1", port: platform.admin.port) { proxy in
                try await proxy.cut()
                try await following("http://127.0.0.1:\(proxy.port)", token) { event in
                    notes.add(event.project ?? "")
                    guard event.type == "project-remove", event.org == "default", event.cluster == "default" else {
                        return notes.add("wrong")
                    }
                    if event.project == "two", notes.all.count(where: { $0 == "two" }) < 3 { throw Obstacle() }
                } _: {
                    for name in ["one", "two", "three"] { try await platform.removeProject(name) }
                    #expect(notes.all.isEmpty)
                    try await proxy.restore()
                    try await notes.wait { $0.count == 5 }
                    #expect(notes.all.prefix(3) == ["one", "two", "three"])
                    #expect(notes.all.suffix(2) == ["two", "two"])
                    // Acknowledged, all of them: the names are free, and nothing else comes.
                    for name in ["one", "two"] {
                        let made = try await platform.call("POST", Platform.projects, as: "admin", .object(["name": .string(name)]))
                        #expect(made.status == 200)
                    }
                    try await platform.removeProject("four")
                    try await notes.wait { $0.count == 6 }
                    #expect(notes.all.last == "four")
                }
            }
        }
    }

    /// When the connection breaks the event may go to another replica: who handles it is stopped, and begins again if it is still his.
    @Test func aBrokenConnectionStopsTheWork() async throws {
        try await Platform.withDefaults(settings: Self.quick) { (platform) async throws in
            let token = try await EventClient.token("storage-api", platform)
            let notes = Notes()
            try await TestProxy.with(host: "127.0.0.1", port: platform.admin.port) { proxy in
                try await following("http://127.0.0.1:\(proxy.port)", token) { event in
                    notes.add("begins")
                    if notes.all.count == 1 {
                        do {
                            try await Task.sleep(for: .seconds(60))
                        } catch {
                            notes.add("stopped")
                            throw error
                        }
                    }
                    notes.add("ends")
                } _: {
                    try await platform.removeProject("one")
                    try await notes.wait { $0 == ["begins"] }
                    try await proxy.cut()
                    try await notes.wait { $0 == ["begins", "stopped"] }
                    try await proxy.restore()
                    try await notes.wait { $0 == ["begins", "stopped", "begins", "ends"] }
                }
            }
        }
    }

    /// An event that comes again because its handling takes long is handled once.
    @Test func whatTakesLongIsDoneOnce() async throws {
        try await Platform.withDefaults(settings: Self.quick) { (platform) async throws in
            let token = try await EventClient.token("storage-api", platform)
            let notes = Notes()
            try await following(platform.admin.url, token) { event in
                notes.add(event.project ?? "")
                if event.project == "one" { try await Task.sleep(for: .seconds(2)) }
            } _: {
                for name in ["one", "two"] { try await platform.removeProject(name) }
                try await notes.wait { $0.contains("two") }
                #expect(notes.all == ["one", "two"])
            }
        }
    }

    @Test func whatAnEventSays() throws {
        func removal(_ change: (inout [String: Any]) -> Void) throws -> ProjectRemoval? {
            var members: [String: Any] = [
                "tag": "1", "timestamp": "2026-01-01T00:00:00.000001+00:00", "sender": "platform-admin", "stream": "platform-admin",
                "event_type": "project-remove", "org": "acme", "cluster": "default", "project": "vision", "user": "bob", "more": [1],
            ]
            change(&members)
            let event = try PlatformJSON.decoder().decode(PlatformEvent.self, from: JSONSerialization.data(withJSONObject: members))
            return try ProjectRemoval(event)
        }
        let (cluster, org, project) = (try ClusterName("default"), try OrgName("acme"), try ProjectName("vision"))
        #expect(try removal { _ in } == ProjectRemoval(cluster: cluster, org: org, project: project))
        #expect(try removal { $0["org"] = NSNull() } == ProjectRemoval(cluster: cluster, org: nil, project: project))
        #expect(try removal { $0["event_type"] = "project-add" } == nil)
        #expect(try removal { $0["stream"] = "platform-config" } == nil)
        for (key, value) in [("org", ""), ("org", ".."), ("project", "a/b"), ("project", ""), ("cluster", "")] {
            #expect(throws: NameError.self) { try removal { $0[key] = value } }
        }
        #expect(throws: NameError.self) { try removal { $0["project"] = NSNull() } }
    }
}
