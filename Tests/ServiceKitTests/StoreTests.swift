import Foundation
import Hummingbird
import Postgres
import ServiceKit
import TestSupport
import Testing

@Suite("Stores", .timeLimit(.minutes(5))) struct StoreTests {
    struct StoreService: PlatformService {
        static let name = "store-api"
        let pool: PostgresPool

        init(_ context: ServiceContext) async throws {
            pool = try await context.postgres(migrations: [Migration(1, "things", sql: "CREATE TABLE things (name text PRIMARY KEY)")])
            _ = try await context.redis()
        }

        func register(on router: PlatformRouter) {
            router.post("/things/{name}", access: .anyone) { _, context in
                try await pool.execute("INSERT INTO things VALUES (\(context.parameter("name")))")
                return HTTPResponse.Status.created
            }
            router.get("/things", access: .anyone) { _, _ in
                JSONResponse(try await pool.query("SELECT name FROM things ORDER BY name").map { try $0.get("name", as: String.self) })
            }
        }
    }

    @Test("Migrated before it serves; the stores show in /ready and in the metrics") func migrated() async throws {
        try await withService(StoreService.self) { service async throws in
            #expect(try await service.post("/things/a").status == 201)
            #expect(try await service.get("/things").body == #"["a"]"#)
            let ready = try await service.get("/ready").object()["dependencies"] as? [String: [String: Any]]
            #expect(ready?["postgres"]?["ok"] as? Bool == true && ready?["redis"]?["ok"] as? Bool == true)
            #expect(await service.assembly.context.metrics.text().contains("postgres_pool_connections{state=\"idle\"}"))
        }
    }

    @Test("Two services share a database when told to") func shared() async throws {
        try await TestDatabase.with { database in
            try await withService(StoreService.self, settings: ["postgres.url": database.url]) { first async throws in
                #expect(try await first.post("/things/b").status == 201)
            }
            try await withService(StoreService.self, settings: ["postgres.url": database.url]) { second async throws in
                #expect(try await second.get("/things").body == #"["b"]"#)
            }
        }
    }

    @Test("A store that never comes ends the start with a sentence, and the log tells of the waiting") func never() async throws {
        let log = TestLog()
        let settings = ["postgres.url": "postgres://x@127.0.0.1:1/x", "start.limit": "1", "postgres.wait": "0.2"]
        await #expect(throws: SettingError.self) {
            try await withService(StoreService.self, settings: settings, log: log) { _ in }
        }
        #expect(!log.entries("Postgres is away; waiting for it").isEmpty)
    }

    @Test("Postgres away: 503 and Retry-After after the bounded wait, ready all the while; it is back when Postgres is") func away()
        async throws
    {
        try await TestDatabase.with { database in
            let server = try #require(URLComponents(string: database.url))
            try await TestProxy.with(host: server.host ?? "", port: server.port ?? 5432) { proxy in
                var through = server
                (through.host, through.port) = ("127.0.0.1", proxy.port)
                let settings = ["postgres.url": through.string ?? "", "postgres.wait": "0.3"]
                try await withService(StoreService.self, settings: settings) { service async throws in
                    #expect(try await service.post("/things/a").status == 201)
                    try await proxy.cut()
                    let answer = try await service.post("/things/b")
                    #expect(answer.status == 503 && answer.headers.first(name: "Retry-After") == "2")
                    #expect(answer.error == "A service this one depends on does not answer; try again.")
                    let ready = try await service.get("/ready")
                    #expect(ready.status == 200 && ready.body.contains("\"ok\":false"))
                    try await proxy.restore()
                    #expect(try await service.post("/things/c").status == 201)
                }
            }
        }
    }

    @Test("A start waits for Postgres that comes late, and says so") func late() async throws {
        let log = TestLog()
        try await TestDatabase.with { database in
            let server = try #require(URLComponents(string: database.url))
            try await TestProxy.with(host: server.host ?? "", port: server.port ?? 5432) { proxy in
                var through = server
                (through.host, through.port) = ("127.0.0.1", proxy.port)
                try await proxy.cut()
                let settings = ["postgres.url": through.string ?? "", "postgres.wait": "0.2"]
                async let body = withService(StoreService.self, settings: settings, log: log) { try await $0.post("/things/a").status }
                while log.entries("Postgres is away; waiting for it").isEmpty { try await Task.sleep(for: .milliseconds(20)) }
                try await proxy.restore()
                #expect(try await body == 201)
            }
        }
    }
}
