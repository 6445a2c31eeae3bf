import Foundation
import Kubernetes
import PlatformModel
import Testing

@testable import JobsService

/// The life of a job as tables: what is seen, what is done.
@Suite struct ControllerLifeCycleTests {
    private let now = Date(timeIntervalSince1970: 1_800_000_000)
    private var databaseNow: UTCTime { UTCTime(now) }
    private let cycle = JobLifeCycle(schedule: .init(timeout: 300, scaleUpTimeout: 900), imagePullDelay: 60, deletionDelay: 900)

    private func job(
        _ items: [(JobStatus, String?, age: Double)] = [(.pending, "Creating", 10)], materialized: Bool = true, started: Bool = true,
        restartPolicy: JobRestartPolicy = .never
    ) throws -> JobRecord {
        var job = Fixture.draft(spec: Fixture.spec(restartPolicy: restartPolicy))
        func time(_ age: Double) -> UTCTime { databaseNow.adding(seconds: -age) }
        let first = try #require(items.first)
        job.history = JobStatusHistory(JobStatusItem(first.0, at: time(first.age), reason: first.1))
        for item in items.dropFirst() { _ = try job.history.append(JobStatusReport(item.0, reason: item.1), at: time(item.age)) }
        job.materialized = materialized
        if started { job.notes[JobRecord.startedNote] = "1" }
        return job
    }

    private func pod(_ phase: String, _ state: ContainerState? = nil, scheduled: Bool = true, age: Double = 10, reason: String? = nil)
        -> Pod
    {
        var pod = Pod(metadata: ObjectMeta(name: "p"))
        pod.metadata.uid = "u"
        pod.metadata.creationTimestamp = now.addingTimeInterval(-age)
        pod.status = PodStatus(phase: phase)
        pod.status?.reason = reason
        pod.status?.conditions = [Condition(type: "PodScheduled", status: scheduled ? "True" : "False")]
        if let state { pod.status?.containerStatuses = [ContainerStatus(name: "c", state: state)] }
        return pod
    }

    private func decide(_ job: JobRecord, _ pod: JobSituation.Sighting, events: [KubernetesEvent] = []) -> JobDecision {
        cycle.decide(JobSituation(job: job, pod: pod, events: events, now: now, databaseNow: databaseNow))
    }

    private func event(_ reason: String, age: Double, message: String? = nil) -> KubernetesEvent {
        var event = KubernetesEvent(metadata: ObjectMeta(name: reason), involvedObject: ObjectReference(), reason: reason, message: message)
        event.lastTimestamp = now.addingTimeInterval(-age)
        return event
    }

    private func ended(_ code: Int, _ reason: String, _ message: String? = nil) -> ContainerState {
        ContainerState(terminated: ContainerTerminated(exitCode: code, reason: reason, message: message))
    }
    private func waiting(_ reason: String) -> ContainerState { ContainerState(waiting: ContainerWaiting(reason: reason)) }
    private let running = ContainerState(running: ContainerRunning())

    @Test func aPodsWordBecomesTheJobs() throws {
        let cases: [(Pod, JobStatusReport)] = [
            (pod("Running", running), .init(.running)),
            (pod("Running"), .init(.running, reason: "Restarting")),
            (pod("Running", ended(1, "Error")), .init(.running, reason: "Restarting")),
            (pod("Running", waiting("CrashLoopBackOff")), .init(.running, reason: "Restarting")),
            (pod("Succeeded", ended(0, "Completed")), .init(.succeeded, exitCode: 0)),
            (pod("Failed", ended(3, "Error", "tail")), .init(.failed, reason: "Error", description: "tail", exitCode: 3)),
            (pod("Failed", ended(137, "OOMKilled", "m")), .init(.failed, reason: "OOMKilled", description: "m", exitCode: 137)),
            (pod("Failed", ended(0, "Completed", "m")), .init(.failed, reason: "Completed", exitCode: 0)),
            (pod("Failed", reason: "Evicted"), .init(.failed)),
            (pod("Unknown", running), .init(.failed)),
            (pod("Pending", ended(127, "ContainerCannotRun")), .init(.pending, reason: "ContainerCannotRun")),
            (pod("Pending", waiting("ContainerCreating")), .init(.pending, reason: "ContainerCreating")),
            (pod("Pending"), .init(.pending)),
            (pod("Pending", scheduled: false), .init(.pending, reason: "Scheduling")),
        ]
        for (pod, report) in cases {
            #expect(decide(try job(), .present(pod)).steps == [.record([.reported(report)])], "\(report)")
        }
    }

    @Test func whatIsKnownIsNotWrittenAgain() throws {
        #expect(decide(try job([(.pending, nil, 10), (.running, nil, 5)]), .present(pod("Running", running))) == JobDecision())
    }

    @Test func eventsTellWhyAPodIsNotThereYet() throws {
        let pulling = decide(
            try job(), .present(pod("Pending", waiting("ContainerCreating"))),
            events: [event("Pulling", age: 1, message: "Pulling image"), event("Scheduled", age: 2)])
        #expect(pulling.steps == [.record([.reported(.init(.pending, reason: "Pulling", description: "Pulling image"))])])
        // In one second: the one told later counts.
        let pulled = decide(
            try job(), .present(pod("Pending", waiting("ContainerCreating"))), events: [event("Pulling", age: 1), event("Pulled", age: 1)])
        #expect(pulled.steps == [.record([.reported(.init(.pending, reason: "ContainerCreating"))])])
        let disk = decide(try job(), .present(pod("Pending")), events: [event("FailedAttachVolume", age: 0), event("Pulling", age: 3)])
        #expect(
            disk.steps == [
                .record([
                    .reported(
                        .init(.pending, reason: "DiskUnavailable", description: "Waiting for another job to release disk resource"))
                ])
            ])
    }

    @Test func aJobThatNoNodeTakesIsGivenUpInTime() throws {
        let waiting = decide(try job(), .present(pod("Pending", scheduled: false, age: 100)))
        #expect(waiting.recheckAfter == 200)
        let failed = JobStatusReport(
            .failed, reason: "ClusterScaleUpFailed", description: "Failed to scale up the cluster to get more resources")
        let late = pod("Pending", scheduled: false, age: 301)
        #expect(decide(try job(), .present(late)).steps == [.record([.reported(failed)])])
        let growing = decide(try job(), .present(late), events: [event("TriggeredScaleUp", age: 10)])
        #expect(growing.recheckAfter == 1190)
        #expect(
            growing.steps == [
                .record([
                    .reported(
                        .init(.pending, reason: "ClusterScalingUp", description: "Scaling up the cluster to get more resources"))
                ])
            ])
        #expect(decide(try job(), .present(late), events: [event("TriggeredScaleUp", age: 1201)]).steps == [.record([.reported(failed)])])
    }

    @Test func anImageThatCannotBePulledIsGivenUpAfterTheDelay() throws {
        let backOff = pod("Pending", waiting("ImagePullBackOff"))
        let collected = JobEvent.reported(.init(.failed, reason: "Collected", description: "Image 'busybox' can not be pulled"))
        let early = decide(try job([(.pending, "Creating", 50), (.pending, "ErrImagePull", 30)]), .present(backOff))
        #expect(early.steps == [.record([.reported(.init(.pending, reason: "ImagePullBackOff"))])])
        #expect(try #require(early.recheckAfter) < 31)
        let late = decide(
            try job([(.pending, "ErrImagePull", 61), (.pending, "ImagePullBackOff", 10)]), .present(backOff))
        #expect(late.steps == [.record([collected])])
        // An old trouble of a job that ran since counts no more.
        let restarted = decide(try job([(.pending, "ErrImagePull", 500), (.running, nil, 400), (.pending, nil, 5)]), .present(backOff))
        #expect(restarted.steps == [.record([.reported(.init(.pending, reason: "ImagePullBackOff"))])])
        // Without patience the first trouble ends it.
        var hasty = cycle
        hasty.imagePullDelay = 0
        let atOnce = hasty.decide(
            JobSituation(
                job: try job(), pod: .present(pod("Pending", waiting("ErrImagePull"))), now: now, databaseNow: databaseNow))
        #expect(atOnce.steps == [.record([.reported(.init(.pending, reason: "ErrImagePull")), collected])])
        let invalid = decide(try job(), .present(pod("Pending", waiting("InvalidImageName"))))
        #expect(
            invalid.steps == [
                .record([
                    .reported(.init(.pending, reason: "InvalidImageName")),
                    .reported(.init(.failed, reason: "Collected", description: "Invalid image name 'busybox'")),
                ])
            ])
    }

    @Test func startingIsTakenUpWhereItWasLeft() throws {
        // Stored only; noted that objects may exist; made but not noted.
        #expect(decide(try job(materialized: false, started: false), .absent(seconds: 0)).steps == [.start])
        #expect(decide(try job(started: false), .absent(seconds: 100)).steps == [.start])
        #expect(decide(try job(started: false), .present(pod("Running", running))).steps == [.start])
    }

    @Test func aLostPodEndsAJobOrStartsItAnew() throws {
        let running: [(JobStatus, String?, age: Double)] = [(.pending, nil, 20), (.running, nil, 10)]
        #expect(decide(try job(running), .absent(seconds: 1)) == JobDecision(recheckAfter: 0.5))
        let lost = JobStatusReport(.failed, reason: "NotFound", description: "The job could not be scheduled or was preempted.")
        #expect(decide(try job(running), .absent(seconds: 5)).steps == [.record([.reported(lost)])])
        let always = try job(running, restartPolicy: .always)
        #expect(decide(always, .absent(seconds: 5)).steps == [.record([.restarted])])
        let nodeLost = pod("Running", self.running, reason: "NodeLost")
        #expect(decide(always, .present(nodeLost)).steps == [.deletePod(name: "p", uid: "u", force: true), .record([.restarted])])
        #expect(decide(try job(running), .present(nodeLost)) == JobDecision())
    }

    @Test func anEndedJobKeepsItsObjectsForAWhile() throws {
        func ended(_ status: JobStatus, _ reason: String? = nil, age: Double) throws -> JobRecord {
            try job([(.pending, nil, age + 5), (status, reason, age)])
        }
        let gone = pod("Succeeded", self.ended(0, "Completed"))
        #expect(decide(try ended(.succeeded, age: 100), .present(gone)) == JobDecision(recheckAfter: 800))
        #expect(decide(try ended(.succeeded, age: 900), .present(gone)).steps == [.leave])
        #expect(decide(try ended(.cancelled, "UserRequested", age: 0), .present(gone)).steps == [.leave])
        #expect(decide(try ended(.failed, "Collected", age: 0), .present(gone)).steps == [.leave])
        #expect(decide(try ended(.failed, "ClusterScaleUpFailed", age: 0), .present(gone)).steps == [.leave])
        var left = try ended(.cancelled, age: 0)
        left.materialized = false
        #expect(decide(left, .absent(seconds: 0)) == JobDecision())
        // A slow hand made its pod once more.
        #expect(decide(left, .present(gone)).steps == [.leave])
    }

    @Test func podsOfFormerAttemptsAreRemoved() throws {
        var job = try job([(.pending, nil, 20), (.running, nil, 10)], restartPolicy: .always)
        job.attempt = 2
        job.notes[JobRecord.startedNote] = "2"
        var situation = JobSituation(job: job, pod: .present(pod("Running", running)), now: now, databaseNow: databaseNow)
        situation.strays = [pod("Running", running)]
        #expect(cycle.decide(situation).steps == [.deletePod(name: "p", uid: "u", force: false)])
    }
}
