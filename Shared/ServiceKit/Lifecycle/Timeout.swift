/// The body did not finish in time.
public struct TimeoutError: Error, Sendable {
    /// The limit that passed.
    public let limit: Duration
}

/// Runs `body`, cancelled after `limit`; nil is no limit.
/// - Throws: ``TimeoutError`` when the limit passed, else what `body` throws. A body that ignores its cancellation is waited for.
public func withTimeout<T: Sendable>(_ limit: Duration?, _ body: @escaping @Sendable () async throws -> T) async throws -> T {
    guard let limit else { return try await body() }
    return try await withThrowingTaskGroup(of: T.self) { group in
        group.addTask { try await body() }
        group.addTask {
            try await Task.sleep(for: limit)
            throw TimeoutError(limit: limit)
        }
        defer { group.cancelAll() }
        guard let first = try await group.next() else { throw CancellationError() }
        return first
    }
}
