import Foundation

/// What a person sees while the platform starts: one line a step, with its time.
struct Progress: Sendable {
    func step<T: Sendable>(_ name: String, _ body: () async throws -> T) async throws -> T {
        let begun = ContinuousClock.now
        say("  \(name) …", end: "")
        do {
            let result = try await body()
            let passed = (ContinuousClock.now - begun) / Duration.seconds(1)
            say(" \(String(format: "%.1f", passed)) s")
            return result
        } catch {
            say(" failed")
            throw error
        }
    }

    func say(_ text: String, end: String = "\n") {
        FileHandle.standardOutput.write(Data((text + end).utf8))
    }
}
