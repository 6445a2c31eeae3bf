import Foundation
import PlatformModel
import Testing

@Suite struct JobTests {
    @Test(arguments: [
        ("test-org", "test-project", "48e35fc28a"), ("test-org", "test-proj", "9b3a00517b"),
        ("test-tenant-id", "test-project", "61c2aef2a5"),
        ("acme", "proj", "f5b05d7ae7"),
    ]) func hashes(_ org: String, _ project: String, _ hash: String) {
        #expect(JobPlace(org: org, project: project).hash == hash)
    }

    @Test(arguments: [
        ("acme", "proj", "platform--acme--proj--b4f1a1ccf0cacdcee300a76c"),
        ("test-org", "test-project", "platform--test-org--test-project--a5e4118c50842e7acbd85e28"),
        ("test-org", "test-proj", "platform--test-org--test-proj--cf56e857cd2ca1215e818565"),
        ("test-tenant-id", "test-project", "platform--test-tenant-i--test-project--d0d03a56494108f3b9fb51c1"),
        ("a-very-long-organization-name", "another-quite-long-project", "platform--a-very-long-o--another-quit--288ad6abf20fd8a655495043"),
        (String(repeating: "x", count: 40), "p1", "platform--xxxxxxxxxxxxxxxxxxxxxxxx--p--5abb335b759cc6866d67f355"),
        ("Org_Name", "Proj Name", "platform--org-name--proj-name--6153ffc45c0131cb37cd17d4"),
    ]) func namespaces(_ org: String, _ project: String, _ namespace: String) {
        #expect(JobPlace(org: org, project: project).namespace == namespace)
    }

    @Test func hostNames() throws {
        let place = JobPlace(org: "acme", project: "proj")
        #expect(place.publicHostname("job-1", template: "{job_id}.jobs.{namespace}.x") == "job-1.jobs.\(place.namespace).x")
        #expect(place.namedLabel(try JobName("train")) == "train--f5b05d7ae7")
    }

    @Test func historyAddsUp() throws {
        func item(_ status: JobStatus, _ second: Double, _ reason: String? = nil) -> JobStatusItem {
            JobStatusItem(status, at: UTCTime(microseconds: Int64(second * 1_000_000)), reason: reason)
        }
        let now = UTCTime(microseconds: 100_000_000)
        let running = [item(.pending, 0), item(.running, 10), item(.suspended, 15), item(.running, 20), item(.running, 30, "Restarting")]
        let history = try #require(JobHistory(running, now: now))
        #expect(history.runTimeSeconds == 85)
        #expect(history.restarts == 2)
        #expect(history.startedAt?.microseconds == 10_000_000)
        #expect(history.finishedAt == nil)
        let neverRan = try #require(JobHistory([item(.pending, 1), item(.failed, 7, "Collected")], now: now))
        #expect(neverRan.startedAt == neverRan.finishedAt)
        #expect(neverRan.runTimeSeconds == 0)
        #expect(JobHistory([], now: now) == nil)
    }

    @Test func itemsKeepNullReasonsAndDropUnknownExitCodes() throws {
        let item = JobStatusItem(.running, at: UTCTime(microseconds: 0))
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        #expect(
            String(decoding: try encoder.encode(item), as: UTF8.self)
                == #"{"description":null,"reason":null,"status":"running","transition_time":"1970-01-01T00:00:00+00:00"}"#)
    }

    @Test func resourcesAcceptEitherFormOfMemory() throws {
        let both = try JSONDecoder().decode(
            JobResources.self, from: Data(#"{"cpu":1,"memory":16777217,"memory_mb":99,"nvidia_gpu":0}"#.utf8))
        #expect(both.memory == 16_777_217 && both.memoryMiB == 16 && both.nvidiaGPU == 0)
        let old = try JSONDecoder().decode(JobResources.self, from: Data(#"{"cpu":0.1,"memory_mb":16}"#.utf8))
        #expect(old.memory == 16 << 20)
    }
}
