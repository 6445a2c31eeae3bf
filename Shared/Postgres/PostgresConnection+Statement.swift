import CLibpq
import Dispatch

/// What is sent to the server.
enum StatementText: Sendable {
    case parameterized((sql: String, parameters: [String?]), readOnly: Bool)
    case script(String)
}

/// The statement in flight on a connection.
struct RunningStatement {
    enum Stop { case task, deadline }

    let id: Int
    var deadline: DispatchTime?
    var stop: Stop?
    /// A cancel request is on its way: until it is through, it would hit whatever statement runs.
    var isCancelling = false
}

extension PostgresConnection {
    /// How long the server may take to answer beyond the statement timeout, which it enforces itself.
    private static let grace: Duration = .seconds(3)

    /// Sends a statement and reads its whole answer.
    /// - Parameters:
    ///   - limit: How long the answer may take; nil for the configuration's statement timeout and some grace.
    ///   - isCancellable: False for what must be finished once begun (`COMMIT`, `ROLLBACK`).
    func perform(_ text: StatementText, limit: Duration? = nil, isCancellable: Bool = true) async throws -> [ResultHandle] {
        await takeTurn()
        defer { giveTurn() }
        if isCancellable { try Task.checkCancellation() }
        // Cheap: one read of an idle socket tells a connection whose server went away, before anything is sent.
        if failure == nil { consume() }
        if let failure { throw failure }
        lastStatement += 1
        let id = lastStatement
        running = RunningStatement(id: id, deadline: .now() + (limit ?? configuration.statementTimeout + Self.grace).dispatch)
        defer { running = nil }
        armTimer()
        guard isCancellable else { return try await exchange(text) }
        return try await withTaskCancellationHandler {
            try await exchange(text)
        } onCancel: { [weak self, executor] in
            executor.queue.async { [weak self] in self?.assumeIsolated { $0.stop(id, .task) } }
        }
    }

    private func exchange(_ text: StatementText) async throws -> [ResultHandle] {
        let inTransaction = PQtransactionStatus(handle.connection) != PQTRANS_IDLE
        guard send(text) else {
            let reason = handle.message
            if PQstatus(handle.connection) == CONNECTION_BAD { fail(with: .unavailable(reason: reason, mayHaveRun: false)) }
            throw PostgresError.unavailable(reason: reason, mayHaveRun: false)
        }
        var results: [ResultHandle] = []
        while failure == nil, try await flushed() {
            while failure == nil, PQisBusy(handle.connection) != 0 { await nextEvent() }
            guard failure == nil, let result = PQgetResult(handle.connection) else { break }
            let answer = ResultHandle(result)
            if [PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH].contains(answer.status) {
                fail(with: .invalidParameter("COPY is not supported"))
            }
            results.append(answer)
        }
        while failure == nil, running?.isCancelling == true { await nextEvent() }
        return try outcome(of: text, results, inTransaction: inTransaction)
    }

    private func send(_ text: StatementText) -> Bool {
        switch text {
        case .script(let sql): return PQsendQuery(handle.connection, sql) == 1
        case .parameterized(let statement, _):
            return withCStrings(statement.parameters) {
                PQsendQueryParams(handle.connection, statement.sql, Int32(statement.parameters.count), nil, $0, nil, nil, 0) == 1
            }
        }
    }

    /// Sends what libpq still holds; a large statement takes several rounds.
    private func flushed() async throws -> Bool {
        while failure == nil {
            switch PQflush(handle.connection) {
            case 0:
                // libpq takes a write that failed for done, since the server's last words may still be read: without a socket they cannot.
                guard PQsocket(handle.connection) < 0 else { return true }
                fail(with: .unavailable(reason: handle.message, mayHaveRun: false))
            case 1:
                let deadline = min(running?.deadline ?? .distantFuture, .now() + .milliseconds(500))
                _ = await SocketWait.ready(PQsocket(handle.connection), .write, on: executor.queue, until: deadline)
                if failure == nil { consume() }
            default: fail(with: .unavailable(reason: handle.message, mayHaveRun: false))
            }
        }
        return false
    }

    private func outcome(of text: StatementText, _ results: [ResultHandle], inTransaction: Bool) throws -> [ResultHandle] {
        let stop = running?.stop
        if let failure {
            if stop == .task { throw CancellationError() }
            if case .unavailable(let reason, _) = failure {
                throw PostgresError.unavailable(reason: reason, mayHaveRun: text.mayHaveRun(inTransaction: inTransaction))
            }
            throw failure
        }
        guard let bad = results.first(where: { $0.status == PGRES_FATAL_ERROR || $0.status == PGRES_BAD_RESPONSE }) else { return results }
        let error = bad.serverError
        switch error.sqlState {
        case "57014" where stop == .task: throw CancellationError()
        case "57014": throw PostgresError.timedOut
        // The server is shutting down, crashed, or ended this session.
        case "57P01", "57P02", "57P03", "57P05", "25P03", "":
            fail(with: .unavailable(reason: error.message, mayHaveRun: false))
            throw PostgresError.unavailable(reason: error.message, mayHaveRun: text.mayHaveRun(inTransaction: inTransaction))
        default: throw PostgresError.server(error)
        }
    }
}

// MARK: - Stopping

extension PostgresConnection {
    func deadlinePassed() {
        guard let running else { return }
        if running.stop != nil || running.isCancelling {
            // Asked to stop and still no answer: whatever the server does, this connection is of no use.
            let late = PostgresError.unavailable(reason: "the server did not answer in time", mayHaveRun: false)
            return fail(with: late)
        }
        stop(running.id, .deadline)
    }

    private func stop(_ id: Int, _ reason: RunningStatement.Stop) {
        guard var statement = running, statement.id == id, statement.stop == nil, failure == nil else { return }
        statement.stop = reason
        statement.deadline = min(statement.deadline ?? .distantFuture, .now() + .seconds(5))
        if reason == .deadline { statement.deadline = .now() + .seconds(5) }
        if let request = PQgetCancel(handle.connection) {
            statement.isCancelling = true
            let request = Pointer(request)
            // PQcancel connects, blocking, so it gets a thread of its own.
            DispatchQueue.global().async { [weak self, executor] in
                var message = [CChar](repeating: 0, count: 256)
                _ = PQcancel(request.value, &message, Int32(message.count))
                PQfreeCancel(request.value)
                executor.queue.async { [weak self] in self?.assumeIsolated { $0.cancelRequestEnded(id) } }
            }
        }
        running = statement
        armTimer()
    }

    private func cancelRequestEnded(_ id: Int) {
        guard running?.id == id else { return }
        running?.isCancelling = false
        wake()
    }
}

extension StatementText {
    /// Whether a statement whose answer was lost may have taken effect. Inside a transaction only the commit can have.
    func mayHaveRun(inTransaction: Bool) -> Bool {
        switch self {
        case .parameterized(_, let readOnly): !readOnly && !inTransaction
        case .script(let sql): sql == TransactionCommand.commit || !inTransaction && sql != TransactionCommand.begin
        }
    }
}

extension Duration {
    var dispatch: DispatchTimeInterval {
        let (seconds, attoseconds) = components
        return .nanoseconds(Int(clamping: seconds &* 1_000_000_000 &+ attoseconds / 1_000_000_000))
    }
}

/// Lends an array of C strings, NULL for nil, for the time of one call.
private func withCStrings<T>(_ strings: [String?], _ body: (UnsafePointer<UnsafePointer<CChar>?>?) -> T) -> T {
    var bytes: [CChar] = []
    var offsets: [Int?] = []
    for string in strings {
        guard let string else {
            offsets.append(nil)
            continue
        }
        offsets.append(bytes.count)
        bytes.append(contentsOf: string.utf8.lazy.map { CChar(bitPattern: $0) })
        bytes.append(0)
    }
    return bytes.withUnsafeBufferPointer { buffer in
        let pointers = offsets.map { offset in offset.flatMap { place in buffer.baseAddress.map { $0 + place } } }
        return pointers.withUnsafeBufferPointer { body($0.baseAddress) }
    }
}
