import PlatformModel
import Testing

@testable import JobsService

@Suite struct ControllerQueueTests {
    @Test func aJobIsInOneHandAtATime() {
        let (queue, a, b) = (JobQueue(), JobID.random(), JobID.random())
        queue.add([a, b, a])
        #expect(queue.next(limit: 2) == a)
        // Announced while it is in hand: looked at again afterwards, not beside.
        queue.add(a)
        #expect(queue.next(limit: 2) == b)
        #expect(queue.next(limit: 2) == nil)
        queue.done(b)
        #expect(queue.next(limit: 2) == nil)
        queue.done(a)
        #expect(queue.next(limit: 2) == a)
    }

    @Test func aFailureIsTriedAgainLaterAndLater() {
        let (queue, a) = (JobQueue(), JobID.random())
        var pauses: [Duration] = []
        for _ in 0..<8 {
            queue.add(a)
            _ = queue.next(limit: 1)
            pauses.append(queue.failed(a))
        }
        #expect(pauses.first == .milliseconds(100))
        #expect(pauses == pauses.sorted())
        #expect(pauses.last == .seconds(5))
    }

    @Test func whatIsDueComesBack() async {
        let (queue, a) = (JobQueue(), JobID.random())
        queue.add(a, after: .seconds(60))
        queue.add(a, after: .milliseconds(10))
        let clock = Task { await queue.runClock() }
        for await _ in queue.wakes { if queue.next(limit: 1) == a { break } }
        clock.cancel()
        await clock.value
    }
}
