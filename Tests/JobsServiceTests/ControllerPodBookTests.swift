import Kubernetes
import PlatformModel
import Testing

@testable import JobsService

/// What the controller holds of the pods, when the watch and its own reading do not come in order.
@Suite struct ControllerPodBookTests {
    private let job: JobID
    private let book = PodBook()

    init() throws {
        job = try JobID("job-00000000-0000-0000-0000-000000000001")
        _ = book.take(WatchEvent<Pod>.listed([]))
    }

    private func pod(_ phase: String, version: String, uid: String = "u") -> Pod {
        var pod = Pod(metadata: ObjectMeta(name: "p"))
        pod.metadata.uid = uid
        pod.metadata.resourceVersion = version
        pod.metadata.labels = [JobLabels.job: job.text]
        pod.status = PodStatus(phase: phase)
        return pod
    }

    private var phase: String? { book.pods(of: job)["p"]?.status?.phase }

    /// The watch was away while the pod was made and began to run: what it tells first is older than what was read meanwhile.
    @Test(arguments: [true, false])
    func aLateWatchDoesNotTurnTimeBack(asList: Bool) {
        book.note(pod("Running", version: "12"))
        let late = pod("Pending", version: "9")
        _ = book.take(asList ? WatchEvent<Pod>.listed([late]) : .added(late))
        #expect(phase == "Running")
        _ = book.take(.modified(pod("Succeeded", version: "13")))
        #expect(phase == "Succeeded")
    }

    @Test func whatTheListDoesNotHaveIsGone() {
        book.note(pod("Running", version: "12"))
        #expect(book.take(WatchEvent<Pod>.listed([])) == [job] && phase == nil)
    }

    /// Versions tell of one object only.
    @Test func aPodOfThatNameMadeAnewCounts() {
        book.note(pod("Running", version: "12"))
        _ = book.take(.added(pod("Pending", version: "9", uid: "v")))
        #expect(phase == "Pending")
    }

    /// A server whose versions are no numbers is believed.
    @Test func versionsThatAreNoNumbers() {
        book.note(pod("Running", version: "b"))
        _ = book.take(.modified(pod("Pending", version: "a")))
        #expect(phase == "Pending")
    }
}
