import Foundation
import Hummingbird
import Postgres
import ServiceKit
import TestSupport
import Testing

@Suite("Stores", .timeLimit(.minutes(1))) struct StoreTests {
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
        let settings = ["postgres.url": "postgres://x@127.0.0.1:1/x", "start.limit": "0"]
        await #expect(throws: SettingError.self) {
            try await withService(StoreService.self, settings: settings, log: log) { _ in }
        }
    }
}
