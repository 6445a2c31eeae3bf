import Testing

@testable import Postgres

@Suite struct NotificationTests {
    @Test func whatIsAnnouncedArrives() async throws {
        let configuration = try PostgresConfiguration(url: TestServer.url)
        let listener = try await PostgresConnection.connect(configuration, logger: TestServer.logger)
        let speaker = try await PostgresConnection.connect(configuration, logger: TestServer.logger)
        let stream = try await listener.notifications(on: ["jobs \"x\"", "leases"])
        for number in 0..<3 { try await speaker.execute("SELECT pg_notify('jobs \"x\"', \(String(number)))") }
        try await speaker.execute("SELECT pg_notify('elsewhere', 'no')")
        try await speaker.execute("SELECT pg_notify('leases', 'last')")
        var heard: [PostgresNotification] = []
        for try await notification in stream {
            heard.append(notification)
            if notification.channel == "leases" { break }
        }
        #expect(heard.map(\.payload) == ["0", "1", "2", "last"])
        // The connection answers while it listens.
        #expect(try await listener.query("SELECT 1").count == 1)
        await listener.close()
        await speaker.close()
    }

    @Test func closingEndsTheStream() async throws {
        let listener = try await PostgresConnection.connect(PostgresConfiguration(url: TestServer.url), logger: TestServer.logger)
        let stream = try await listener.notifications(on: ["quiet"])
        await listener.close()
        for try await _ in stream { Issue.record("nothing was announced") }
    }
}
