import Dispatch
import Foundation
import ServiceKit
import Testing

@testable import StorageService

/// The threads of a storage whose calls do not come back.
@Suite(.timeLimit(.minutes(5))) struct FileWorkTests {
    /// Something that calls wait for until it is opened.
    private final class Door: Sendable {
        private let semaphore = DispatchSemaphore(value: 0)
        private let (arrivals, arrival) = AsyncStream.makeStream(of: Void.self)

        func pass() {
            arrival.yield()
            semaphore.wait()
            semaphore.signal()
        }
        func open() { semaphore.signal() }
        /// Until somebody stands before it.
        func isReached() async { for await _ in arrivals { return } }
    }

    private final class Luggage: Sendable {}

    @Test func whatIsGivenUpIsNeverDoneAndKeepsNothing() async throws {
        let work = FileWork(threads: 1, limit: .milliseconds(200))
        let door = Door()
        let first = Task { try await work.run { door.pass() } }
        await door.isReached()
        weak var luggage: Luggage?
        do {
            let own = Luggage()
            luggage = own
            await #expect(throws: FileFailure.silentStorage) {
                try await work.run { withExtendedLifetime(own) { Issue.record("it was done") } }
            }
        }
        #expect(luggage == nil, "it is held for a thread that is stuck")
        await #expect(throws: FileFailure.silentStorage) { try await first.value }
        door.open()
        // The thread is there again.
        var answer: Int?
        let deadline = ContinuousClock.now + .seconds(30)
        while answer == nil, .now < deadline { answer = try? await work.run { 7 } }
        #expect(answer == 7)
        await work.stop()
    }

    @Test func tooMuchIsRefusedAtOnce() async throws {
        let work = FileWork(threads: 1, limit: .seconds(60))
        let door = Door()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await work.run { door.pass() } }
            await door.isReached()
            for _ in 0..<2000 { group.addTask { try await work.run {} } }
            // Each waits until there is no room, and then it is told so.
            let deadline = ContinuousClock.now + .seconds(30)
            var refusal: PlatformError?
            while refusal == nil, .now < deadline {
                let one = Task { try await work.run {} }
                try await Task.sleep(for: .milliseconds(10))
                one.cancel()
                if case .failure(let error) = await one.result { refusal = error as? PlatformError }
            }
            #expect(refusal?.status == .serviceUnavailable)
            door.open()
            try await group.waitForAll()
        }
        await work.stop()
    }

    /// A process whose storage hangs can be stopped all the same.
    @Test func stoppingDoesNotWaitForThreadsThatAreStuck() async throws {
        let work = FileWork(threads: 2, limit: .milliseconds(50))
        let door = Door()
        await #expect(throws: FileFailure.silentStorage) { try await work.run { door.pass() } }
        let begun = ContinuousClock.now
        await work.stop(within: .milliseconds(100))
        #expect(.now - begun < .seconds(20))
        door.open()
    }
}
