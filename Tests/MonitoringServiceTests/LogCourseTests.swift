import Foundation
import Kubernetes
import ServiceKit
import Testing

@testable import MonitoringService

@Suite struct LogCourseTests {
    static func pod(
        restarts: Int = 0, running: Bool = false, ended: Int? = nil, before: Int? = nil, phase: String = "Running",
        policy: String = "Always",
        reason: String? = nil
    ) -> Pod {
        var status = ContainerStatus(name: "c")
        status.restartCount = restarts
        status.state = ContainerState(
            waiting: running || ended != nil ? nil : .init(reason: "CrashLoopBackOff"), running: running ? .init() : nil,
            terminated: ended.map { .init(exitCode: $0) })
        status.lastState = before.map { ContainerState(terminated: .init(exitCode: $0)) }
        var pod = Pod(metadata: .init(name: "p"), spec: PodSpec(containers: [Container(name: "c")]), status: PodStatus(phase: phase))
        pod.spec?.restartPolicy = policy
        pod.status?.containerStatuses = [status]
        pod.status?.reason = reason
        return pod
    }

    @Test func whatAPodSaysOfItsLog() {
        let fresh = LogRun(Pod(metadata: .init(name: "p"), status: PodStatus(phase: "Pending")))
        #expect(!fresh.isReadable)
        #expect(LogRun(Self.pod(running: true)) == LogRun(Self.pod(running: true)))
        #expect(LogRun(Self.pod(running: true)).isReadable && !LogRun(Self.pod(running: true)).isOver)
        // Between two runs the log that can be read is that of the one that ended.
        let between = LogRun(Self.pod(restarts: 1, before: 1))
        #expect(between.isReadable && between.isOver && !between.hasPrevious && between.mayRestart)
        #expect(LogRun(Self.pod(restarts: 1, running: true, before: 1)).hasPrevious)
        #expect(!LogRun(Self.pod(ended: 1, phase: "Failed", policy: "Never")).mayRestart)
        #expect(!LogRun(Self.pod(ended: 0, policy: "OnFailure")).mayRestart)
        #expect(LogRun(Self.pod(ended: 2, policy: "OnFailure")).mayRestart)
        #expect(LogRun.endedByItself(Self.pod(ended: 0, phase: "Succeeded")))
        #expect(!LogRun.endedByItself(Self.pod(ended: 137, phase: "Failed", reason: "Evicted")))
    }

    @Test func aReaderOfTheSecondRunGetsTheFirstBefore() {
        var course = JobLogs.Course()
        let second = LogRun(Self.pod(restarts: 1, running: true, before: 1))
        #expect(course.next(second) == .previous)
        #expect(course.isEntry)
        #expect(course.next(second) == .read(sameRun: false))
        course.ended(second)
        #expect(course.next(second) == .read(sameRun: true))
    }

    @Test func aLogIsCompleteOnlyWhenReadAfterItsEnd() {
        var course = JobLogs.Course()
        let running = LogRun(Self.pod(running: true, policy: "Never"))
        let over = LogRun(Self.pod(ended: 0, phase: "Succeeded", policy: "Never"))
        #expect(course.next(LogRun(Self.pod())) == .wait)
        #expect(course.next(running) == .read(sameRun: false))
        course.ended(running)
        #expect(course.next(over) == .read(sameRun: true))
        course.ended(over)
        #expect(course.next(over) == .wait)
    }

    @Test func runsThatEndedUnseenAreReadAsPrevious() {
        var course = JobLogs.Course()
        #expect(course.next(LogRun(Self.pod(running: true))) == .read(sameRun: false))
        let over = LogRun(Self.pod(restarts: 0, before: 1))
        #expect(course.next(over) == .read(sameRun: true))
        course.ended(over)
        #expect(course.next(over) == .wait)
        // The next run needs nothing from before; two at once do.
        #expect(course.next(LogRun(Self.pod(restarts: 1, running: true, before: 1))) == .read(sameRun: false))
        let third = LogRun(Self.pod(restarts: 3, running: true, before: 1))
        #expect(course.next(third) == .previous)
        #expect(course.next(third) == .read(sameRun: false))
    }

    private func options(_ query: String) throws -> LogOptions { try LogOptions(QueryItems(query)) }

    @Test func whatClientsAsk() throws {
        #expect(
            try options("since=2026-11-21T06%3A30%3A00.5%2B01%3A00&timestamps=true&separator=x")
                == {
                    var wanted = LogOptions(separator: "x"); wanted.timestamps = true;
                    wanted.since = LogOptions.time("2026-11-21T05:30:00.5"); return wanted
                }())
        for text in ["2026", "2026-11-21", "20261121", "20261121T063000Z", "2026-11-21 06:30", "2026-11-21T06:30:00.123456789Z"] {
            #expect(LogOptions.time(text) != nil, "\(text)")
        }
        let separator = try options("").separator
        #expect(separator.hasPrefix("=== Live logs ===") && separator.utf8.count == 77)
        #expect(try options("separator=").separator.isEmpty)
        for (query, text) in [
            ("since=tomorrow", "Unable to parse date string 'tomorrow'"), ("archive_delay=x", "float"),
            ("timestamps=yes", "\"timestamps\" request parameter can be \"true\"/\"1\" or \"false\"/\"0\""),
            ("separator=a%0Ab", "separator"),
        ] {
            let error = #expect(throws: PlatformError.self) { try options(query) }
            #expect(error?.status == .badRequest && error?.message.contains(text) == true)
        }
    }
}
