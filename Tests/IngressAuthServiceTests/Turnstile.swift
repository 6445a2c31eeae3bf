/// Lets only so many in at a time, in the order they came. All tests of a run begin at once; what they say of time would hold for none.
actor Turnstile {
    static let platforms = Turnstile(slots: 4)
    /// Whoever is inside may start another service.
    @TaskLocal private static var isInside = false

    private var free: Int
    private var waiting: [CheckedContinuation<Void, Never>] = []

    init(slots: Int) { free = slots }

    static func pass<T>(_ body: () async throws -> T) async throws -> T {
        if isInside { return try await body() }
        await platforms.enter()
        do {
            let value = try await $isInside.withValue(true) { try await body() }
            await platforms.leave()
            return value
        } catch {
            await platforms.leave()
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
