/// Owns tasks that are begun from elsewhere: they end with it at the latest.
struct Nursery: Sendable {
    private let work: AsyncStream<@Sendable () async -> Void>
    private let begin: AsyncStream<@Sendable () async -> Void>.Continuation

    init() { (work, begin) = AsyncStream.makeStream() }

    func start(_ body: @escaping @Sendable () async -> Void) { begin.yield(body) }

    /// Carries out what is started until it is closed or cancelled, then cancels what still goes on and waits for it.
    func run() async {
        await withDiscardingTaskGroup { group in
            for await body in work { group.addTask { await body() } }
            group.cancelAll()
        }
    }

    func close() { begin.finish() }
}
