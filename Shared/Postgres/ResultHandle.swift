import CLibpq

/// A `PGresult`. Never written after the server's answer was read, so any thread may read it; freed with its last row.
final class ResultHandle: @unchecked Sendable {
    private let result: OpaquePointer
    let columns: [String]
    let places: [String: Int32]

    init(_ result: OpaquePointer) {
        self.result = result
        let count = PQnfields(result)
        columns = (0..<count).map { String(cString: PQfname(result, $0)) }
        places = Dictionary(zip(columns, 0..<count), uniquingKeysWith: { first, _ in first })
    }

    deinit { PQclear(result) }

    var status: ExecStatusType { PQresultStatus(result) }

    var rows: [PostgresRow] { (0..<PQntuples(result)).map { PostgresRow(result: self, index: $0) } }

    /// The rows that the statement touched; 0 where that means nothing.
    var affected: Int { Int(String(cString: PQcmdTuples(result))) ?? 0 }

    /// The command tag (`COMMIT`, `INSERT 0 1`).
    var tag: String { String(cString: PQcmdStatus(result)) }

    func cell(row: Int32, column: Int32) -> PostgresCell {
        let text: String?
        if PQgetisnull(result, row, column) != 0 {
            text = nil
        } else {
            let bytes = UnsafeRawBufferPointer(start: PQgetvalue(result, row, column), count: Int(PQgetlength(result, row, column)))
            text = String(decoding: bytes, as: UTF8.self)
        }
        return PostgresCell(column: columns[Int(column)], type: PQftype(result, column), text: text)
    }

    var serverError: PostgresServerError {
        func field(_ code: Character) -> String? {
            PQresultErrorField(result, Int32(code.asciiValue ?? 0)).map { String(cString: $0) }
        }
        return PostgresServerError(
            sqlState: field("C") ?? "", message: field("M") ?? String(cString: PQresultErrorMessage(result)), detail: field("D"),
            constraint: field("n"), table: field("t"), column: field("c"))
    }
}
