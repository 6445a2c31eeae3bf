import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import ServiceKit

@Suite("Time limits", .timeLimit(.minutes(5))) struct TimeoutTests {
    private struct Refusal: Error {}

    @Test("What is done in time is answered, value or error") func inTime() async throws {
        #expect(try await withTimeout(.seconds(60)) { 5 } == 5)
        #expect(try await withTimeout(nil) { 6 } == 6)
        let later = try await withTimeout(.seconds(60)) {
            try await Task.sleep(for: .milliseconds(5))
            return 7
        }
        #expect(later == 7)
        await #expect(throws: Refusal.self) { try await withTimeout(.seconds(60)) { throw Refusal() } }
    }

    @Test("What is late is cancelled, waited for, and answered with the limit") func late() async throws {
        let ended = Mutex(false)
        let error = await #expect(throws: TimeoutError.self) {
            try await withTimeout(.milliseconds(20)) {
                defer { ended.withLock { $0 = true } }
                try await Task.sleep(for: .seconds(3600))
            }
        }
        #expect(error?.limit == .milliseconds(20) && ended.withLock { $0 })
    }

    @Test("The caller's cancellation reaches the body at once") func cancelled() async throws {
        let (starts, started) = AsyncStream.makeStream(of: Void.self)
        let task = Task {
            try await withTimeout(.seconds(3600)) {
                started.yield()
                try await Task.sleep(for: .seconds(3600))
            }
        }
        for await _ in starts { break }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
    }

    @Test("A body runs where it is told to") func executor() async throws {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let here = try await withTaskExecutorPreference(LoopExecutor(loop: loop)) {
            try await (
                withTimeout(.seconds(60)) {
                    await Task.yield()
                    return loop.inEventLoop
                },
                withTimeout(.seconds(60), on: globalConcurrentExecutor) { loop.inEventLoop },
                withTimeout(nil, on: globalConcurrentExecutor) { loop.inEventLoop }
            )
        }
        #expect(here == (true, false, false))
    }

    @Test("Alarms ring in their own time, whichever was set first, and a forgotten one never") func alarms() async throws {
        let clock = AlarmClock(eventLoop: MultiThreadedEventLoopGroup.singleton.next())
        let (rings, ring) = AsyncStream.makeStream(of: Int.self)
        _ = clock.set(after: .seconds(4)) { ring.yield(3) }
        let forgotten = clock.set(after: .seconds(1)) { ring.yield(0) }
        _ = clock.set(after: .seconds(2)) { ring.yield(2) }
        _ = clock.set(after: .milliseconds(1)) { ring.yield(1) }
        clock.forget(forgotten)
        var heard: [Int] = []
        for await number in rings {
            heard.append(number)
            if heard.count == 3 { break }
        }
        #expect(heard == [1, 2, 3])
        // A clock that has run out is wound again.
        _ = clock.set(after: .milliseconds(1)) { ring.yield(4) }
        #expect(await rings.first { _ in true } == 4)
    }
}

private final class LoopExecutor: TaskExecutor {
    private let loop: any EventLoop

    init(loop: any EventLoop) { self.loop = loop }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        loop.execute { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
