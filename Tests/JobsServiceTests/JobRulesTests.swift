import PlatformModel
import Testing

@testable import JobsService

/// The rule book of a job's life: no clock, no database.
@Suite struct JobRulesTests {
    private func time(_ minutes: Double) -> UTCTime { UTCTime(microseconds: Int64(minutes * 60_000_000)) }

    private func job(_ spec: JobSpec = Fixture.spec(), _ steps: [(Double, JobStatusReport)] = []) throws -> JobRecord {
        var job = Fixture.draft(spec: spec)
        job.history = JobStatusHistory(JobStatusItem(.pending, at: time(0), reason: "Creating"))
        for (minute, report) in steps { _ = try job.apply(.reported(report), at: time(minute)) }
        return job
    }

    @Test func anEqualReportIsDroppedAndTheFirstTimeWins() throws {
        var job = try job(Fixture.spec(), [(1, .init(.running))])
        #expect(try job.apply(.reported(.init(.running)), at: time(2)).isEmpty)
        #expect(job.history.items.count == 2)
        #expect(job.history.current.transitionTime == time(1))
        // Another reason is another item, also A, B, A.
        for reason in ["Restarting", nil, "Restarting"] { _ = try job.apply(.reported(.init(.running, reason: reason)), at: time(3)) }
        #expect(job.history.items.count == 5)
    }

    @Test(arguments: JobStatus.allCases, JobStatus.allCases)
    func onlyNothingFollowsATerminalStatus(from: JobStatus, to: JobStatus) throws {
        var job = try job(Fixture.spec(), [(1, .init(from, reason: "first"))])
        let report = JobStatusReport(to, reason: "second")
        if from.isFinished {
            #expect(throws: JobRuleViolation.invalidTransition) { try job.apply(.reported(report), at: time(2)) }
            #expect(job.status == from)
        } else {
            let effects = try job.apply(.reported(report), at: time(2))
            #expect(job.status == to)
            #expect(effects.count == 1)
        }
    }

    @Test func cancellingAFinishedJobChangesNothing() throws {
        var job = try job(Fixture.spec(), [(1, .init(.succeeded, exitCode: 0))])
        let before = job
        #expect(try job.apply(.cancelled(reason: "UserRequested"), at: time(2)).isEmpty)
        #expect(job == before)
    }

    @Test func aFinishedJobKeepsItsStatusButMayLeaveTheCluster() throws {
        var job = try job(Fixture.spec(), [(1, .init(.failed))])
        _ = try job.apply(.materialized(true), at: time(2))
        #expect(throws: JobRuleViolation.notDroppable(job.id)) { try job.apply(.dropped, at: time(3)) }
        _ = try job.apply(.materialized(false), at: time(4))
        #expect(throws: JobRuleViolation.notBeingDropped(job.id)) { try job.apply(.logsRemoved, at: time(5)) }
        _ = try job.apply(.dropped, at: time(6))
        #expect(try job.apply(.logsRemoved, at: time(7)) == [.recordRemoved])
        #expect(job.status == .failed)
    }

    @Test func aRunningJobCannotBeDropped() throws {
        var job = try job(Fixture.spec(), [(1, .init(.running))])
        #expect(throws: JobRuleViolation.notDroppable(job.id)) { try job.apply(.dropped, at: time(2)) }
    }

    @Test func aNewAttemptHasNamesOfItsOwn() throws {
        var job = try job(Fixture.spec(restartPolicy: .always), [(1, .init(.running))])
        _ = try job.apply(.materialized(true), at: time(1))
        let first = job.currentAttempt.podName
        _ = try job.apply(.restarted, at: time(2))
        #expect(first == job.id.text)
        #expect(job.currentAttempt.podName == "\(job.id)-2")
        #expect(!job.materialized)
        _ = try job.apply(.cancelled(reason: nil), at: time(3))
        #expect(throws: JobRuleViolation.invalidTransition) { try job.apply(.restarted, at: time(4)) }
    }

    @Test func thePassedTokenDiesOnceWhenTheJobHasEndedAndLeft() throws {
        var job = try job(Fixture.spec(passConfig: true), [(1, .init(.running))])
        #expect(try !job.apply(.materialized(true), at: time(1)).contains(.passConfigRevoked))
        #expect(try !job.apply(.cancelled(reason: nil), at: time(2)).contains(.passConfigRevoked))
        #expect(try job.apply(.materialized(false), at: time(3)) == [.passConfigRevoked])
        #expect(try job.apply(.materialized(false), at: time(4)).isEmpty)
    }

    @Test func minutesAddToNothingAsToZero() throws {
        var job = try job()
        _ = try job.apply(.runTimeExtended(minutes: 15), at: time(1))
        #expect(job.maxRunTimeMinutes == 15)
        _ = try job.apply(.runTimeLimited(minutes: 10), at: time(1))
        _ = try job.apply(.runTimeExtended(minutes: 15), at: time(1))
        #expect(job.maxRunTimeMinutes == 25)
        _ = try job.apply(.runTimeExtended(minutes: .max), at: time(1))
        #expect(job.maxRunTimeMinutes == .max)
    }

    @Test func onlyRunningTimeCounts() throws {
        let pending = try job()
        #expect(pending.history.runTime(until: time(60)) == 0)
        let once = try job(Fixture.spec(), [(5, .init(.running))])
        #expect(once.history.runTime(until: time(60)) == 55 * 60_000_000)
        let twice = try job(
            Fixture.spec(), [(5, .init(.running)), (10, .init(.suspended)), (20, .init(.running)), (25, .init(.succeeded))])
        #expect(twice.history.runTime(until: time(60)) == 10 * 60_000_000)
        #expect(twice.history.runningSince == nil)
        #expect(once.history.runningSince == time(5))
    }

    @Test func aClockThatStepsBackDoesNotTurnTheHistory() throws {
        var job = try job(Fixture.spec(), [(5, .init(.running))])
        _ = try job.apply(.reported(.init(.succeeded)), at: time(3))
        #expect(job.history.current.transitionTime == time(5))
        #expect(job.history.runTime(until: time(9)) == 0)
    }
}
