import Testing

@testable import Kubernetes

@Suite struct WatchMachineTests {
    private func machine(_ steps: (inout WatchMachine) -> Void) -> WatchMachine {
        var machine = WatchMachine(base: .milliseconds(100), limit: .seconds(1))
        steps(&machine)
        return machine
    }

    @Test func listsThenWatchesFromTheNewestVersionSeen() {
        #expect(machine { _ in }.next() == .list)
        #expect(machine { $0.listed("5") }.next() == .watch("5"))
        #expect(
            machine {
                $0.listed("5"); $0.received("7")
            }.next() == .watch("7"))
        #expect(
            machine {
                $0.listed("5"); $0.received(nil); $0.received("")
            }.next() == .watch("5"))
    }

    @Test func anOrderlyEndIsResumedAtOnce() {
        var seen = machine {
            $0.listed("5"); $0.received("7")
        }
        #expect(seen.ended(after: .zero, jitter: 1) == .watch("7"))
        var quiet = machine { $0.listed("5") }
        #expect(quiet.ended(after: .seconds(60), jitter: 1) == .watch("5"))
    }

    @Test func aServerThatOnlyEndsStreamsIsNotAskedInALoop() {
        var machine = machine { $0.listed("5") }
        #expect(machine.ended(after: .zero, jitter: 1) == .wait(.milliseconds(100)))
        #expect(machine.ended(after: .zero, jitter: 1) == .wait(.milliseconds(200)))
        #expect(machine.next() == .watch("5"))
    }

    @Test func backOffGrowsWithJitterAndIsCapped() {
        var machine = machine { $0.listed("5") }
        #expect(machine.failed(jitter: 0) == .wait(.milliseconds(50)))
        #expect(machine.failed(jitter: 1) == .wait(.milliseconds(200)))
        for _ in 0..<40 { _ = machine.failed(jitter: 1) }
        #expect(machine.failed(jitter: 1) == .wait(.seconds(1)))
        machine.received("6")
        #expect(machine.failed(jitter: 1) == .watch("6"))
        #expect(machine.failed(jitter: 1) == .wait(.milliseconds(100)))
    }

    @Test func retryAfterIsHonouredWithinReason() {
        var machine = machine {
            $0.listed("5"); $0.received("6")
        }
        #expect(machine.failed(atLeast: .seconds(2), jitter: 0) == .wait(.seconds(2)))
        #expect(machine.failed(atLeast: .seconds(3600), jitter: 0) == .wait(.seconds(3)))
    }

    @Test func aLostHistoryIsListedAnewButNotInALoop() {
        var machine = machine {
            $0.listed("5"); $0.received("7")
        }
        #expect(machine.expired(jitter: 1) == .list)
        #expect(machine.next() == .list)
        machine.listed("9")
        #expect(machine.expired(jitter: 1) == .wait(.milliseconds(100)))
        #expect(machine.next() == .list)
    }

    @Test func retriesOfShortCalls() {
        var read = RetryPolicy(isRead: true)
        var write = RetryPolicy(isRead: false)
        let lost = KubernetesError.unavailable(reason: "", mayHaveRun: true)
        #expect(read.pause(after: lost) != nil)
        #expect(write.pause(after: lost) == nil)
        #expect(write.pause(after: KubernetesError.unavailable(reason: "", mayHaveRun: false)) != nil)
        var busy = Status(code: 429)
        busy.details = .init()
        busy.details?.retryAfterSeconds = 3
        #expect(write.pause(after: KubernetesError.api(busy)) == .seconds(3))
        #expect(write.pause(after: KubernetesError.api(Status(code: 500))) == nil)
        #expect([write.mayRefreshToken(), write.mayRefreshToken()] == [true, false])
    }
}
