import Foundation
import Kubernetes
import PlatformModel
import TestSupport
import Testing

@testable import DiskService

/// Last usage, life spans and what is left halfway (disk.md 10).
@Suite(.timeLimit(.minutes(5))) struct DiskWatchTests {
    private static func lastUsage(_ claim: PersistentVolumeClaim?) -> UTCTime? {
        (claim?.metadata.annotations).flatMap(DiskKeys.lastUsage.value).flatMap(UnixStamp.time)
    }

    @Test func aPodThatStartsUsesItsDisks() async throws {
        try await DiskStage.with { (stage) async throws in
            let id = try await stage.made()
            #expect(try await stage.get(id).json([String: JSON].self)["last_usage"] == .null)
            for number in 0..<3 {
                let start = UTCTime.now
                let pod = "p\(number)"
                _ = try await stage.pod(id, name: pod)
                try await stage.wait(id) { Self.lastUsage($0).map { $0 > start } ?? false }
                #expect(UTCTime.now.seconds(since: start) < 30)
                let told = try await stage.get(id).json([String: JSON].self)["last_usage"]?.string.flatMap { UTCTime($0) }
                #expect(told == Self.lastUsage(try await stage.claim(id)))
                let going = UTCTime.now
                try await stage.client.delete(.pods, pod, in: DiskStage.namespace, .init(gracePeriodSeconds: 0))
                try await stage.wait(id) { Self.lastUsage($0).map { $0 > going } ?? false }
            }
            let annotations = try await stage.claim(id)?.metadata.annotations ?? [:]
            #expect(annotations[DiskKeys.lastUsage.old] == annotations[DiskKeys.lastUsage.new])
        }
    }

    @Test func aClaimWithoutAnyAnnotationIsMarkedAndOthersAreLeft() async throws {
        try await DiskStage.with { (stage) async throws in
            _ = try await stage.made()
            var marked = PersistentVolumeClaim(
                metadata: ObjectMeta(name: "adopted"), spec: ClaimSpec(accessModes: ["ReadWriteOnce"], storage: "500"))
            DiskKeys.mark.write("true", to: &marked.metadata.labels)
            DiskKeys.org.write("acme", to: &marked.metadata.labels)
            DiskKeys.project.write("vision", to: &marked.metadata.labels)
            var other = PersistentVolumeClaim(
                metadata: ObjectMeta(name: "other"), spec: ClaimSpec(accessModes: ["ReadWriteOnce"], storage: "500"))
            other.metadata.labels = ["a": "b"]
            for claim in [marked, other] { try await stage.client.create(.persistentVolumeClaims, claim, in: DiskStage.namespace) }
            _ = try await stage.pod("adopted", "other")
            try await stage.wait("adopted") { Self.lastUsage($0) != nil }
            #expect(Self.lastUsage(try await stage.claim("other")) == nil)
        }
    }

    @Test func aDiskThatNothingUsesGoes() async throws {
        try await DiskStage.with { (stage) async throws in
            let kept = try await stage.made(["life_span": 3600])
            let forever = try await stage.made()
            let id = try await stage.made(["life_span": 1, "name": "brief"])
            try await stage.wait(id) { $0 == nil }
            #expect(try await stage.ids() == [kept, forever].sorted())
            #expect(try await stage.names().isEmpty)
            _ = try await stage.made(["name": "brief"])
        }
    }

    @Test func aDiskInUseStaysAndItsTimeCountsFromThen() async throws {
        try await DiskStage.with(settings: ["disk.usage.interval": "1"]) { (stage) async throws in
            let id = try await stage.made(["life_span": 6])
            let brief = try await stage.made(["life_span": 6])
            _ = try await stage.pod(id)
            // The other one, which nothing uses, goes; this one is used by a pod of which nothing more is told.
            try await stage.wait(brief) { $0 == nil }
            #expect(try await stage.ids() == [id])
            let seen = UTCTime.now
            try await stage.wait(id) { Self.lastUsage($0).map { $0 > seen } ?? false }
            try await stage.setPhase("Succeeded", of: "p")
            let ended = UTCTime.now
            try await stage.wait(id) { $0 == nil }
            #expect(UTCTime.now.seconds(since: ended) > 5)
        }
    }

    @Test func severalProcessesDoTheSameOnce() async throws {
        try await DiskStage.with(settings: ["disk.usage.interval": "1"]) { (stage) async throws in
            try await stage.another(["disk.usage.interval": "1"]) { (_) async throws in
                let kept = try await stage.made()
                _ = try await stage.pod(kept)
                let gone = try await stage.made(["life_span": 2, "name": "brief"])
                try await stage.wait(gone) { $0 == nil }
                #expect(try await stage.ids() == [kept])
                #expect(Self.lastUsage(try await stage.claim(kept)) != nil)
                #expect(try await stage.names().isEmpty)
            }
        }
    }

    @Test func watchesThatAreCutGoOn() async throws {
        try await DiskStage.with { (stage) async throws in
            let id = try await stage.made()
            for number in 0..<3 {
                _ = try await stage.kubernetes.post("/faults/cut-watches", token: DiskStage.clusterToken)
                let start = UTCTime.now
                _ = try await stage.pod(id, name: "p\(number)")
                try await stage.wait(id) { Self.lastUsage($0).map { $0 > start } ?? false }
            }
        }
    }

    @Test func oddClaimsHoldNothingUp() async throws {
        try await DiskStage.with { (stage) async throws in
            _ = try await stage.made()
            var odd = PersistentVolumeClaim(
                metadata: ObjectMeta(name: "odd"), spec: ClaimSpec(accessModes: ["ReadWriteOnce"], storage: "1500m"))
            DiskKeys.mark.write("true", to: &odd.metadata.labels)
            DiskKeys.org.write("acme", to: &odd.metadata.labels)
            DiskKeys.project.write("vision", to: &odd.metadata.labels)
            DiskKeys.lifeSpan.write("-1", to: &odd.metadata.annotations)
            DiskKeys.created.write("yesterday", to: &odd.metadata.annotations)
            try await stage.client.create(.persistentVolumeClaims, odd, in: DiskStage.namespace)
            // An attacker's claim in its own namespace that says it is a victim's: nothing of the victim's goes, and neither does it.
            let victim = try await stage.made(["life_span": 3600])
            _ = try await stage.made(as: "bob", org: "beta", project: "other")
            var forged = PersistentVolumeClaim(
                metadata: ObjectMeta(name: victim), spec: ClaimSpec(accessModes: ["ReadWriteOnce"], storage: "500"))
            DiskKeys.mark.write("true", to: &forged.metadata.labels)
            DiskKeys.org.write("acme", to: &forged.metadata.labels)
            DiskKeys.project.write("vision", to: &forged.metadata.labels)
            DiskKeys.lifeSpan.write("0.1", to: &forged.metadata.annotations)
            let theirs = JobPlace(org: "beta", project: "other").namespace
            try await stage.client.create(.persistentVolumeClaims, forged, in: theirs)
            let brief = try await stage.made(["life_span": 1])
            try await stage.wait(brief) { $0 == nil }
            let left = try await stage.ids()
            #expect(left.contains("odd") && left.contains(victim))
            #expect(try await stage.claim(victim, in: theirs) != nil)
        }
    }

    @Test func whatWasLeftHalfwayIsFinished() async throws {
        try await DiskStage.with(settings: ["disk.sweeping.interval": "0.5"]) { (stage) async throws in
            let id = try await stage.made()
            let hidden: JSONValue = ["metadata": ["labels": .object([DiskKeys.deleted.old: "true", DiskKeys.deleted.new: "true"])]]
            _ = try await stage.client.patch(.persistentVolumeClaims, id, in: DiskStage.namespace, .merge(hidden))
            try await stage.wait(id) { $0 == nil }
        }
    }
}
