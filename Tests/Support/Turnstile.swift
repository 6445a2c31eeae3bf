/// Lets only so many in at a time, in the order they came. All tests of a run begin at once; what they say of time would hold for none.
public actor Turnstile {
    /// Whoever is inside may start another service.
    @TaskLocal private static var isInside = false

    private var free: Int
    private var waiting: [CheckedContinuation<Void, Never>] = []

    public init(slots: Int) { free = slots }

    public nonisolated func pass<T>(_ body: () async throws -> T) async throws -> T {
        if Self.isInside { return try await body() }
        await enter()
        do {
            let value = try await Self.$isInside.withValue(true) { try await body() }
            await leave()
            return value
        } catch {
            await leave()
            throw error
        }
    }

    private func enter() async {
        guard free == 0 else {
            free -= 1
            return
        }
        await withCheckedContinuation { waiting.append($0) }
    }

    private func leave() {
        guard waiting.isEmpty else { return waiting.removeFirst().resume() }
        free += 1
    }
}
