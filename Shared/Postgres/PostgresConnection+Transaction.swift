import CLibpq

enum TransactionCommand {
    static let begin = "BEGIN"
    static let commit = "COMMIT"
    static let rollback = "ROLLBACK"
}

extension PostgresConnection {
    /// Runs `body` between BEGIN and COMMIT; an error (cancellation included) rolls back and is thrown on.
    ///
    /// A commit is never cut short by cancellation. When its answer is lost, `PostgresError.unavailable` says `mayHaveRun`.
    @discardableResult
    public func transaction<T: Sendable>(
        isolation: isolated (any Actor)? = #isolation, _ body: (PostgresConnection) async throws -> T
    ) async throws -> T {
        _ = try await perform(.script(TransactionCommand.begin))
        return try await finishTransaction(body)
    }

    func finishTransaction<T: Sendable>(
        isolation: isolated (any Actor)? = #isolation, _ body: (PostgresConnection) async throws -> T
    ) async throws -> T {
        do {
            let value = try await body(self)
            try Task.checkCancellation()
            try await commit()
            return value
        } catch {
            await rollBack()
            throw error
        }
    }

    private func commit() async throws {
        let answer = try await perform(.script(TransactionCommand.commit), isCancellable: false)
        // A transaction in which a statement failed "commits" as a rollback, without an error.
        if answer.last?.tag == TransactionCommand.rollback {
            throw PostgresError.server(
                PostgresServerError(
                    sqlState: "25P02", message: "the transaction was rolled back: one of its statements had failed", detail: nil,
                    constraint: nil, table: nil, column: nil))
        }
    }

    /// Leaves no transaction open; a connection that cannot even do that is closed.
    func rollBack() async {
        guard failure == nil, PQtransactionStatus(handle.connection) != PQTRANS_IDLE else { return }
        do {
            _ = try await perform(.script(TransactionCommand.rollback), limit: .seconds(5), isCancellable: false)
        } catch {
            logger.debug("A transaction could not be rolled back, its connection is closed", metadata: ["error": "\(error)"])
            fail(with: .unavailable(reason: "a transaction could not be rolled back", mayHaveRun: false))
        }
    }
}
