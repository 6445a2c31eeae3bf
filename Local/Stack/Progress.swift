import Foundation

/// What a person sees while the platform starts: one line a step, with its time.
struct Progress: Sendable {
    /// - Parameter speaks: whether the body writes lines of its own meanwhile, which then stand between the step's beginning and its end.
    func step<T: Sendable>(_ name: String, speaks: Bool = false, _ body: () async throws -> T) async throws -> T {
        let begun = ContinuousClock.now
        say("  \(name) …", end: speaks ? "\n" : "")
        let end = speaks ? "  \(name):" : ""
        do {
            let result = try await body()
            let passed = (ContinuousClock.now - begun) / Duration.seconds(1)
            say("\(end) \(String(format: "%.1f", passed)) s")
            return result
        } catch {
            say("\(end) failed")
            throw error
        }
    }

    func say(_ text: String, end: String = "\n") {
        FileHandle.standardOutput.write(Data((text + end).utf8))
    }
}
