import Testing

@testable import Postgres

@Suite struct QueryTests {
    @Test func valuesAreBoundAndQueriesSpliced() throws {
        let filter: PostgresQuery = "status = \("running") AND owner = \("o'x")"
        let query: PostgresQuery = "SELECT \(raw: "*") FROM jobs WHERE id = \(7) AND (\(filter)) LIMIT \(Int?.none)"
        let rendered = try query.rendered()
        #expect(rendered.sql == "SELECT * FROM jobs WHERE id = $1 AND (status = $2 AND owner = $3) LIMIT $4")
        #expect(rendered.parameters == ["7", "running", "o'x", nil])
        #expect(query.isReadOnly)
    }

    @Test func numberedStatementsKeepTheirSharingWhenSpliced() throws {
        let inner = PostgresQuery(
            sql: "a = $2 OR b = $1 OR c = $2 -- $1\n AND d = '$1' AND e = \"$2\" AND f = $tag$ $1 $tag$ /* $2 */", parameters: ["x", 9])
        let rendered = try ("UPDATE t SET z = \(0) WHERE " + inner + " AND \(inner)").rendered()
        let tail = "-- $1\n AND d = '$1' AND e = \"$2\" AND f = $tag$ $1 $tag$ /* $2 */"
        #expect(rendered.sql == "UPDATE t SET z = $1 WHERE a = $2 OR b = $3 OR c = $2 \(tail) AND a = $2 OR b = $3 OR c = $2 \(tail)")
        #expect(rendered.parameters == ["0", "9", "x"])
        #expect(throws: PostgresError.self) { try PostgresQuery(sql: "SELECT $3", parameters: [1]).rendered() }
    }

    @Test func readsAreToldFromWrites() {
        #expect(("\n  select 1" as PostgresQuery).isReadOnly)
        #expect(!("WITH x AS (DELETE FROM t RETURNING 1) SELECT * FROM x" as PostgresQuery).isReadOnly)
        #expect(("WITH x AS (SELECT 1) SELECT * FROM x" as PostgresQuery).readOnly.isReadOnly)
        #expect(!("INSERT INTO t VALUES (\(1))" as PostgresQuery).isReadOnly)
    }

    @Test func refusalsOfTheServerAreTyped() async throws {
        try await TestServer.withDatabase { configuration in
            let pool = TestServer.pool(configuration)
            try await pool.execute("CREATE TABLE users (name text CONSTRAINT users_pk PRIMARY KEY)")
            try await pool.execute("INSERT INTO users VALUES (\("ann"))")
            let error = await #expect(throws: PostgresError.self) { try await pool.execute("INSERT INTO users VALUES (\("ann"))") }
            #expect(error?.isUniqueViolation() == true)
            #expect(error?.isUniqueViolation("users_pk") == true)
            #expect(error?.isUniqueViolation("other") == false)
            guard case .server(let refusal)? = error else { throw PostgresError.closed }
            #expect(refusal.table == "users")
            #expect(refusal.detail?.contains("ann") == true)
            // The connection is as good as before.
            #expect(try await pool.execute("UPDATE users SET name = \("bob")") == 1)
            #expect(await pool.state == PostgresPoolState(lent: 0, idle: 1, opening: 0, waiting: 0, maximum: 8, lastError: nil))
        }
    }

    @Test func oneConnectionServesManyCallersInTurn() async throws {
        let connection = try await PostgresConnection.connect(PostgresConfiguration(url: TestServer.url), logger: TestServer.logger)
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for number in 0..<200 {
                group.addTask { try await connection.query("SELECT \(number)::int AS n").first?.get("n", as: Int.self) == number }
            }
            for try await isRight in group { #expect(isRight) }
        }
        await connection.close()
        await #expect(throws: PostgresError.closed) { try await connection.query("SELECT 1") }
    }

    @Test func largeStatementsAndAnswersPass() async throws {
        let connection = try await PostgresConnection.connect(PostgresConfiguration(url: TestServer.url), logger: TestServer.logger)
        let text = String(repeating: "orrery ", count: 3_000_000)
        let row = try #require(try await connection.query("SELECT length(\(text)) AS size, repeat('x', 20000000) AS long").first)
        #expect(try row.get("size", as: Int.self) == text.utf8.count)
        #expect(try row.get("long", as: String.self).utf8.count == 20_000_000)
        await connection.close()
    }

    @Test func aConnectionStringThatIsNoneFailsAtOnce() {
        #expect(throws: PostgresError.self) { try PostgresConfiguration(url: "postgres://host:port:port/x?nonsense=1") }
    }

    @Test func namesAreResolved() async throws {
        let url = TestServer.url.replacing("127.0.0.1", with: "localhost")
        let connection = try await PostgresConnection.connect(PostgresConfiguration(url: url), logger: TestServer.logger)
        #expect(try await connection.query("SELECT 1 AS one").count == 1)
        await connection.close()
        let lost = try PostgresConfiguration(url: "postgres://u@no-such-host.invalid/x")
        await #expect(throws: PostgresError.self) { try await PostgresConnection.connect(lost, logger: TestServer.logger) }
    }
}
