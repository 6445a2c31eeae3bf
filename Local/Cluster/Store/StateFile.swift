import Foundation
import GRDB
import Kubernetes

#if canImport(Glibc)
    import Glibc
#endif

/// The state on disk: every object, and the revision that the cluster has reached. SQLite in WAL mode; one transaction a change.
///
/// A killed process loses nothing. A machine that loses its power may lose the last moments (`synchronous = NORMAL`), never consistency.
struct StateFile: Sendable {
    struct Row: Sendable {
        let storage: String
        let body: Object
    }

    /// What one transaction changes.
    struct Change: Sendable {
        let storage: String
        let namespace: String
        let name: String
        /// Nil removes the row.
        let body: [UInt8]?
    }

    private let queue: DatabaseQueue

    /// - Throws: ``StateFileError`` in one sentence, when the file cannot be opened or is of a newer release.
    init(path: String) throws {
        var configuration = Configuration()
        configuration.label = "cluster-state"
        configuration.busyMode = .timeout(5)
        configuration.prepareDatabase { database in
            try database.execute(sql: "PRAGMA journal_mode = WAL")
            try database.execute(sql: "PRAGMA synchronous = NORMAL")
            try database.execute(sql: "PRAGMA locking_mode = EXCLUSIVE")
        }
        Self.makePrivate(path)
        do {
            queue = try DatabaseQueue(path: path, configuration: configuration)
            try StateFile.migrator.migrate(queue)
        } catch let error as DatabaseError where error.resultCode == .SQLITE_BUSY {
            throw StateFileError("\(path) is in use by another process.")
        } catch {
            throw StateFileError("The state of the cluster, \(path), cannot be opened: \(error)")
        }
    }

    /// Secrets lie in it, so nobody else may read it; SQLite gives its journals the permissions of the file itself.
    private static func makePrivate(_ path: String) {
        guard !path.hasPrefix(":") else { return }
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { return }
        fchmod(descriptor, 0o600)
        _ = Glibc.close(descriptor)
    }

    private static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("objects") { database in
            try database.execute(
                sql: """
                    CREATE TABLE objects (
                        storage TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL, body BLOB NOT NULL,
                        PRIMARY KEY (storage, namespace, name)
                    ) WITHOUT ROWID;
                    CREATE TABLE revision (id INTEGER PRIMARY KEY CHECK (id = 1), value INTEGER NOT NULL);
                    INSERT INTO revision VALUES (1, 1);
                    """)
        }
        return migrator
    }

    /// Everything that there is.
    func load() throws -> (rows: [Row], revision: UInt64) {
        try queue.read { database in
            let revision = try Int64.fetchOne(database, sql: "SELECT value FROM revision") ?? 1
            var rows: [Row] = []
            let cursor = try GRDB.Row.fetchCursor(database, sql: "SELECT storage, body FROM objects")
            while let row = try cursor.next() {
                let storage: String = row[0]
                let body: Data = row[1]
                rows.append(Row(storage: storage, body: try JSONParser.parse(body)))
            }
            return (rows, UInt64(revision))
        }
    }

    /// Writes a change and the revision it made.
    func commit(_ change: Change, revision: UInt64) throws {
        try queue.writeWithoutTransaction { database in
            try database.inTransaction(.immediate) {
                if let body = change.body {
                    let insert = try database.cachedStatement(
                        sql: "INSERT OR REPLACE INTO objects (storage, namespace, name, body) VALUES (?, ?, ?, ?)")
                    try insert.execute(arguments: [change.storage, change.namespace, change.name, Data(body)])
                } else {
                    let delete = try database.cachedStatement(
                        sql: "DELETE FROM objects WHERE storage = ? AND namespace = ? AND name = ?")
                    try delete.execute(arguments: [change.storage, change.namespace, change.name])
                }
                try database.cachedStatement(sql: "UPDATE revision SET value = ?").execute(arguments: [Int64(revision)])
                return .commit
            }
        }
    }

    /// Closes the file; the write-ahead log is merged into it.
    func close() throws { try queue.close() }
}

/// The state cannot be read or written.
struct StateFileError: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
