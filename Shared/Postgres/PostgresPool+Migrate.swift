import Logging

extension PostgresPool {
    /// Brings the schema up to date: runs those of `migrations` that `schema_migrations` does not list, in order. Safe to call from any
    /// number of processes at once: one runs them, the others wait. Numbers that are recorded but not given belong to a newer release and
    /// are left alone.
    /// - Throws: `PostgresError.migration` when the list is out of order or a recorded number has another name now.
    public func migrate(_ migrations: [Migration]) async throws {
        for (earlier, later) in zip(migrations, migrations.dropFirst()) where earlier.number >= later.number {
            throw PostgresError.migration("migration \(later.number) \(later.name) stands after \(earlier.number)")
        }
        try await withConnection { connection in
            try await connection.run(
                script: "SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0; SET lock_timeout = '5s'")
            let outcome: Result<Void, any Error>
            do {
                outcome = .success(try await run(migrations, on: connection))
            } catch {
                outcome = .failure(error)
            }
            // The session has other limits now than its pool promises.
            await connection.close()
            try outcome.get()
        }
    }

    private func run(_ migrations: [Migration], on connection: PostgresConnection) async throws {
        // Asked for again and again rather than waited for: a waiting statement would hold a snapshot, which a CREATE INDEX CONCURRENTLY
        // in the other process waits for in turn.
        while try await connection.query("SELECT pg_try_advisory_lock(\(raw: Self.lock)) AS held").first?.get("held", as: Bool.self) != true
        {
            try await Task.sleep(for: .milliseconds(100))
        }
        try await connection.run(
            script: """
                CREATE TABLE IF NOT EXISTS schema_migrations (
                    number bigint PRIMARY KEY, name text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())
                """)
        let rows = try await connection.query("SELECT number, name FROM schema_migrations")
        let recorded = Dictionary(
            uniqueKeysWithValues: try rows.map { (try $0.get("number", as: Int.self), try $0.get("name", as: String.self)) })
        for migration in migrations {
            if let name = recorded[migration.number] {
                guard name == migration.name else {
                    throw PostgresError.migration("migration \(migration.number) is recorded as \(name), not \(migration.name)")
                }
                continue
            }
            try await apply(migration, on: connection)
            logger.info("Migrated", metadata: ["number": "\(migration.number)", "name": "\(migration.name)"])
        }
    }

    private func apply(_ migration: Migration, on connection: PostgresConnection) async throws {
        for attempt in 1... {
            do {
                guard migration.transactional else {
                    _ = try await connection.perform(.script(migration.sql), limit: Self.limit)
                    return try await record(migration, on: connection)
                }
                return try await connection.transaction { connection in
                    _ = try await connection.perform(.script(migration.sql), limit: Self.limit)
                    try await self.record(migration, on: connection)
                }
            } catch PostgresError.server(let error) where error.sqlState == "55P03" && attempt < 10 {
                // Somebody holds the table; those behind us in the lock's queue get their turn before we try again.
                try await Task.sleep(for: .seconds(1))
            }
        }
    }

    private func record(_ migration: Migration, on connection: PostgresConnection) async throws {
        try await connection.execute("INSERT INTO schema_migrations (number, name) VALUES (\(migration.number), \(migration.name))")
    }

    /// "orrery" in a telephone's digits; advisory locks are per database.
    private static let lock = "677379"
    private static let limit: Duration = .seconds(3600)
}
