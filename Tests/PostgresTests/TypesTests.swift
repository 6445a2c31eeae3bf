import Foundation
import Testing

@testable import Postgres

@Suite struct TypesTests {
    struct Document: Codable, Equatable, Sendable {
        var name: String
        var when: Date
        var tags: [String]
    }
    enum Colour: String, Codable { case red, green }
    struct Thing: Decodable, Equatable {
        var name: String
        var createdAt: Date
        var size: Int
        var small: UInt16
        var ratio: Double
        var amount: Decimal
        var isOpen: Bool
        var tags: [String]
        var colour: Colour
        var missing: String?
        var document: Document
        var bytes: [UInt8]
        var id: UUID
    }

    @Test func everyTypeComesBackAsItWent() async throws {
        try await TestServer.withDatabase { configuration in
            let pool = TestServer.pool(configuration)
            try await pool.execute(
                """
                CREATE TABLE things (name text, created_at timestamptz, size bigint, small int, ratio double precision,
                    amount numeric(38,18), is_open boolean, tags text[], colour text, missing text, document jsonb, bytes bytea, id uuid)
                """)
            let when = Date(timeIntervalSinceReferenceDate: 817_378_507.123456)
            let document = Document(name: "ünï \"quoted\" \\", when: when, tags: ["a", "b,c"])
            let thing = Thing(
                name: "it's ; -- \u{1F680}", createdAt: when, size: Int.min, small: 65535, ratio: 0.1 + 0.2,
                amount: try #require(Decimal(string: "12345678901234567890.123456789012345678")), isOpen: true,
                tags: ["", "a\"b", "c\\d", "{e}", "f,g", "NULL", "ü"], colour: .green, missing: nil, document: document,
                bytes: Array(0...255), id: UUID())
            try await pool.execute(
                """
                INSERT INTO things VALUES (\(thing.name), \(thing.createdAt), \(thing.size), \(Int(thing.small)), \(thing.ratio),
                    \(thing.amount), \(thing.isOpen), \(thing.tags), \(thing.colour), \(thing.missing), \(PostgresJSON(document)),
                    \(thing.bytes), \(thing.id))
                """)
            let row = try #require(try await pool.query("SELECT * FROM things WHERE id = \(thing.id)").first)
            #expect(try row.decode(Thing.self) == thing)
            #expect(try row.get("created_at", as: Date.self) == when)
            #expect(try row.get("colour", as: Colour.self) == .green)
            #expect(try row.get("missing", as: Colour?.self) == nil)
            #expect(try row.get("missing", as: String?.self) == nil)
            #expect(try row.json("document", as: Document.self) == document)
            #expect(try row.get("amount", as: String.self) == "12345678901234567890.123456789012345678")
            #expect(throws: PostgresError.decoding("missing is null")) { try row.get("missing", as: String.self) }
            #expect(throws: PostgresError.decoding("there is no column nothing")) { try row.get("nothing", as: String.self) }
            #expect(throws: PostgresError.decoding("name holds no integer")) { try row.get("name", as: Int.self) }
        }
    }

    @Test(arguments: [
        (0.0, "1970-01-01T00:00:00+00:00"), (1_763_703_907.5, "2025-11-21T05:45:07.500000+00:00"),
        (-1, "1969-12-31T23:59:59+00:00"), (951_782_400, "2000-02-29T00:00:00+00:00"), (-62_135_596_800, "0001-01-01T00:00:00+00:00"),
    ])
    func timesAreWrittenToTheMicrosecond(unix: Double, text: String) {
        #expect(PostgresTime.format(Date(timeIntervalSince1970: unix)) == text)
        #expect(PostgresTime.parse(text) == Date(timeIntervalSince1970: unix))
    }

    @Test func timesOfOtherFormsAreRead() {
        let noon = Date(timeIntervalSince1970: 1_763_726_400)
        for text in ["2025-11-21 12:00:00+00", "2025-11-21T12:00:00Z", "2025-11-21 17:30:00+05:30", "2025-11-21 09:00:00.000000-03"] {
            #expect(PostgresTime.parse(text) == noon, "\(text)")
        }
        for text in ["", "infinity", "2025-13-01", "2025-11-21 12", "2025-11-21 12:00:00+00x", "0044-03-15 BC"] {
            #expect(PostgresTime.parse(text) == nil, "\(text)")
        }
    }

    @Test func arraysOfEveryElementType() async throws {
        try await TestServer.withDatabase { configuration in
            let pool = TestServer.pool(configuration)
            let row = try #require(
                try await pool.query(
                    """
                    SELECT \([3, -4])::bigint[] AS ints, \([1.5, 2])::float8[] AS doubles, \([true, false])::bool[] AS flags,
                        \([String]())::text[] AS none, ARRAY[NULL, 'a']::text[] AS holes
                    """
                ).first)
            #expect(try row.get("ints", as: [Int].self) == [3, -4])
            #expect(try row.get("doubles", as: [Double].self) == [1.5, 2])
            #expect(try row.get("flags", as: [Bool].self) == [true, false])
            #expect(try row.get("none", as: [String].self) == [])
            #expect(throws: PostgresError.decoding("holes is null")) { try row.get("holes", as: [String].self) }
        }
    }

    @Test func textThatPostgresCannotHoldIsRefusedBeforeItIsCut() async throws {
        try await TestServer.withDatabase { configuration in
            let pool = TestServer.pool(configuration)
            await #expect(throws: PostgresError.invalidParameter("a text holds a NUL character")) {
                try await pool.query("SELECT \("a\u{0}b")::text")
            }
        }
    }
}
