import Foundation
import Kubernetes
import PlatformModel
import Testing

@testable import DiskService

/// What the watches tell, and what follows from it.
@Suite struct UsageBookTests {
    private let start = UTCTime(microseconds: 1_800_000_000_000_000)

    private func claim(_ name: String, span: Double? = nil, usedAt: Double? = nil) -> PersistentVolumeClaim {
        DiskTextTests.claim(name) {
            DiskKeys.created.write(UnixStamp.text(start), to: &$0.metadata.annotations)
            if let span { DiskKeys.lifeSpan.write("\(span)", to: &$0.metadata.annotations) }
            if let usedAt { DiskKeys.lastUsage.write(UnixStamp.text(start.adding(seconds: usedAt)), to: &$0.metadata.annotations) }
        }
    }

    private func pod(_ claims: String..., phase: String = "Running") -> Pod {
        var spec = PodSpec(containers: [])
        spec.volumes = claims.map {
            var volume = Volume(name: $0)
            volume.persistentVolumeClaim = ClaimVolume(claimName: $0)
            return volume
        }
        var metadata = ObjectMeta(name: "p", namespace: JobPlace(org: "acme", project: "vision").namespace)
        metadata.uid = "p"
        var pod = Pod(metadata: metadata, spec: spec)
        pod.status = try? JSONDecoder().decode(PodStatus.self, from: Data(#"{"phase":"\#(phase)"}"#.utf8))
        return pod
    }

    private func ids(_ uses: [UsageBook.Use]) -> [String] { uses.map(\.disk.id.text).sorted() }

    @Test func usesAreRecordedOnceForManyEvents() {
        var book = UsageBook()
        book.apply(.listed([claim("disk-a"), claim("disk-b")]))
        book.apply(.added(pod("disk-a", "not-a-disk")), at: start)
        book.apply(.modified(pod("disk-a", "not-a-disk")), at: start.adding(seconds: 0.1))
        #expect(ids(book.takeDue(at: start.adding(seconds: 1))) == ["disk-a"])
        #expect(book.takeDue(at: start.adding(seconds: 1)).isEmpty)
        // What is no disk is forgotten.
        #expect(book.takeDue(at: start.adding(seconds: 100)).isEmpty && !book.hasDue)
    }

    @Test func anotherProcessMayHaveRecordedIt() {
        var book = UsageBook()
        book.apply(.listed([claim("disk-a")]))
        book.apply(.added(pod("disk-a")), at: start)
        book.apply(.modified(claim("disk-a", usedAt: 1)))
        #expect(book.takeDue(at: start.adding(seconds: 2)).isEmpty)
    }

    @Test func aClaimMayBeToldOfAfterThePod() {
        var book = UsageBook()
        book.apply(.added(pod("disk-a")), at: start)
        #expect(!book.hasDue && book.takeDue(at: start).isEmpty)
        book.apply(.added(claim("disk-a")))
        #expect(book.hasDue && ids(book.takeDue(at: start)) == ["disk-a"])
    }

    @Test func finishedPodsUseNothingWhenTheListIsReadAgain() {
        var book = UsageBook()
        book.apply(.listed([claim("disk-a"), claim("disk-b")]))
        book.apply(.listed([pod("disk-a", phase: "Succeeded")]), at: start)
        #expect(book.takeDue(at: start).isEmpty)
        // Its end and its going are uses all the same.
        book.apply(.modified(pod("disk-a", phase: "Failed")), at: start)
        #expect(ids(book.takeDue(at: start)) == ["disk-a"])
        book.apply(.deleted(pod("disk-b", phase: "Failed")), at: start)
        #expect(ids(book.takeDue(at: start)) == ["disk-b"])
    }

    @Test func quietPodsKeepTheirDisksInUse() {
        var book = UsageBook()
        book.apply(.listed([claim("disk-a", span: 10), claim("disk-b", span: 10)]))
        book.apply(.listed([pod("disk-a")]), at: start)
        _ = book.takeDue(at: start)
        let later = start.adding(seconds: 11)
        #expect(book.expired(at: later).map(\.id.text) == ["disk-b"])
        book.refresh(at: later, unlessSince: start)
        #expect(ids(book.takeDue(at: later)) == ["disk-a"])
        book.apply(.modified(claim("disk-a", span: 10, usedAt: 11)))
        book.refresh(at: later, unlessSince: start.adding(seconds: 5))
        #expect(!book.hasDue)
        // The pod ends: now its time counts.
        book.apply(.deleted(pod("disk-a")), at: later)
        _ = book.takeDue(at: later)
        #expect(book.nextExpiry(after: later) == start.adding(seconds: 21))
    }

    @Test func lifeSpansCountFromTheLastUse() {
        var book = UsageBook()
        book.apply(.listed([claim("disk-a", span: 9, usedAt: 5), claim("disk-b"), claim("disk-c", span: 100)]))
        #expect(book.expired(at: start.adding(seconds: 10)).isEmpty)
        #expect(book.nextExpiry(after: start) == start.adding(seconds: 14))
        #expect(book.expired(at: start.adding(seconds: 15)).map(\.id.text) == ["disk-a"])
        book.apply(.deleted(claim("disk-a")))
        #expect(book.expired(at: start.adding(seconds: 15)).isEmpty)
        #expect(book.nextExpiry(after: start) == start.adding(seconds: 100))
    }

    @Test func whatFailedIsDoneAgain() {
        var book = UsageBook()
        book.apply(.listed([claim("disk-a")]))
        book.apply(.added(pod("disk-a")), at: start)
        let use = book.takeDue(at: start)
        for one in use { book.giveBack(one) }
        #expect(ids(book.takeDue(at: start.adding(seconds: 10))) == ["disk-a"])
    }
}
