import Foundation
import Kubernetes
import PlatformModel
import Testing

@testable import DiskService

/// What is read and written as text.
@Suite struct DiskTextTests {
    @Test(arguments: ["cool-disk", "singleword", "word-1-digit", "abc", String(repeating: "a", count: 40)])
    func namesThatAreTaken(_ name: String) { #expect((try? DiskName(name)) != nil) }

    @Test(arguments: [
        "with space", "1digit", "with-endline\n", "", "ab", String(repeating: "a", count: 41), "Upper", "a--b", "-ab", "ab-", "äbc", "a_b",
    ])
    func namesThatAreNot(_ name: String) { #expect((try? DiskName(name)) == nil) }

    @Test(arguments: ["..", "../x", "a/b", "A", "-a", "a-", "", "a%2f", "a b", "é", String(repeating: "a", count: 254), "a\n"])
    func textsThatNameNoDisk(_ text: String) { #expect(DiskReference(text) == nil) }

    @Test func idsAreToldFromNames() {
        let id = DiskReference.random()
        #expect(id.isID && DiskReference(id.text) == id && id.text.count == 41)
        #expect(DiskReference("data-my-app-0")?.isID == false)
        #expect(DiskReference("disk-1-2-3-4-5")?.isID == false)
    }

    private func request(_ members: [String: JSON]) throws(DiskRequestProblems) -> DiskRequest { try DiskRequest(.object(members)) }

    private func problems(_ members: [String: JSON?]) -> [String] {
        let usual: [String: JSON?] = ["storage": 1000, "project_name": "vision", "org_name": "acme"]
        do {
            _ = try request(usual.merging(members) { $1 }.compactMapValues { $0 })
            return []
        } catch {
            return error.sentences
        }
    }

    @Test func aRequestIsRead() throws {
        let full = try request([
            "storage": "  5 ", "life_span": 3600, "name": "cool-disk", "project_name": "vision", "org_name": "acme",
        ])
        #expect(full.storage == 5 && full.lifeSpan?.seconds == 3600 && full.name?.text == "cool-disk")
        #expect(full.place.namespace == JobPlace(org: "acme", project: "vision").namespace)
        let least = try request(["storage": 1000.5, "project_name": "vision", "org_name": "acme", "life_span": 0, "name": nil])
        #expect(least.storage == 1000 && least.lifeSpan == nil && least.name == nil)
        #expect(try request(["storage": 1, "project_name": "vision", "org_name": "acme", "life_span": "0.5"]).lifeSpan?.seconds == 0.5)
    }

    @Test(
        arguments: [
            ("storage", nil, "Missing data for required field."), ("storage", .null, "Field may not be null."),
            ("storage", "20Gi", "Not a valid integer."), ("storage", "1.9", "Not a valid integer."),
            ("storage", true, "Not a valid integer."),
            ("storage", -1, "Must be greater than or equal to 0."), ("storage", 0, "Must be greater than 0."),
            ("storage", 1e30, "Number too large."), ("storage", "99999999999999999999", "Number too large."),
            ("storage", [], "Not a valid integer."),
            ("life_span", -1, "Not a valid period of time."), ("life_span", true, "Not a valid period of time."),
            ("life_span", "nan", "Not a valid period of time."), ("life_span", 1e300, "Not a valid period of time."),
            ("name", "1digit", "String does not match expected pattern."), ("name", "ab", "Length must be between 3 and 40."),
            ("name", 5, "Not a valid string."), ("project_name", nil, "Missing data for required field."),
            ("project_name", .null, "Field may not be null."), ("project_name", 1, "Not a valid string."),
            ("org_name", nil, "Missing data for required field."), ("owner", "x", "Unknown field."),
        ] as [(String, JSON?, String)]
    )
    func aFieldThatIsWrong(_ field: String, _ value: JSON?, _ sentence: String) {
        #expect(problems([field: value]) == ["\(field): \(sentence)"])
    }

    @Test func everythingThatIsWrongIsTold() {
        #expect((try? DiskRequest([])) == nil)
        #expect(problems(["storage": nil, "project_name": nil, "org_name": "A/b", "x": 1]).count == 4)
        #expect(problems(["org_name": "a/b"]).first?.hasPrefix("org_name: Invalid organization name") == true)
        #expect(problems(["project_name": .string(String(repeating: "p", count: 64))]).first?.contains("63") == true)
    }

    @Test func timesSurviveToTheMicrosecond() {
        for microseconds in [0, 1, 1_795_228_672_372_848, 4_102_444_799_999_999] as [Int64] {
            let time = UTCTime(microseconds: microseconds)
            #expect(UnixStamp.time(UnixStamp.text(time)) == time)
        }
        #expect(UnixStamp.time("1700000000")?.description == "2023-11-14T22:13:20+00:00")
        for text in ["", "x", "nan", "-1", "1e99"] { #expect(UnixStamp.time(text) == nil) }
    }

    // MARK: Claims

    private static let place = JobPlace(org: "acme", project: "vision")

    static func claim(_ name: String = "disk-a", _ change: (inout PersistentVolumeClaim) -> Void = { _ in }) -> PersistentVolumeClaim {
        var metadata = ObjectMeta(name: name, namespace: place.namespace)
        metadata.uid = "uid-\(name)"
        metadata.creationTimestamp = Date(timeIntervalSince1970: 1_700_000_000)
        DiskKeys.mark.write("true", to: &metadata.labels)
        DiskKeys.org.write("acme", to: &metadata.labels)
        DiskKeys.project.write("vision", to: &metadata.labels)
        DiskKeys.user.write("alice", to: &metadata.labels)
        var claim = PersistentVolumeClaim(
            metadata: metadata, spec: ClaimSpec(accessModes: ["ReadWriteOnce"], storage: "1000"))
        change(&claim)
        return claim
    }

    @Test func aClaimIsRead() throws {
        let bare = try #require(Disk(Self.claim()))
        #expect(bare.storage == 1000 && bare.status == .pending && bare.owner == "alice" && bare.lifeSpan == nil && bare.lastUsage == nil)
        #expect(bare.createdAt.description == "2023-11-14T22:13:20+00:00")
        let full = try #require(
            Disk(
                Self.claim {
                    // Both keys, and they disagree.
                    $0.metadata.annotations = [
                        DiskKeys.created.old: "1", DiskKeys.created.new: "1795228672.372848", DiskKeys.lifeSpan.old: "86400.0",
                        DiskKeys.name.old: "data", DiskKeys.lastUsage.new: "1795228673", DiskKeys.usedBytes.old: "150",
                    ]
                    $0.metadata.labels[DiskKeys.user.new] = "alice--service-accounts--ci"
                    $0.status = try? JSONDecoder().decode(
                        ClaimStatus.self, from: Data(#"{"phase":"Bound","capacity":{"storage":"1Gi"}}"#.utf8))
                }))
        #expect(full.storage == 1 << 30 && full.status == .ready && full.owner == "alice/service-accounts/ci")
        #expect(full.createdAt.microseconds == 1_795_228_672_372_848 && full.lifeSpan?.seconds == 86400 && full.name?.text == "data")
        #expect(full.usedBytes == 150 && full.lastUsage?.microseconds == 1_795_228_673_000_000)
        let wire = try JSONDecoder().decode(JSON.self, from: PlatformJSONText.data(DiskView(full)))
        #expect(wire["created_at"] == "2026-11-21T02:37:52.372848+00:00" && wire["life_span"] == 86400 && wire["status"] == "Ready")
        let plain = try JSONDecoder().decode([String: JSON].self, from: PlatformJSONText.data(DiskView(bare)))
        #expect(plain.count == 11 && plain["name"] == .null && plain["last_usage"] == .null && plain["used_bytes"] == .null)
    }

    @Test(
        arguments: [
            ("1.5Gi", 1_610_612_736), ("500m", 1), ("1k", 1000), ("10e3", 10000), ("1Ki", 1024), ("2G", 2_000_000_000), ("1001n", 1),
        ] as [(String, Int64)]
    )
    func everyAmountIsUnderstood(_ text: String, _ bytes: Int64) {
        #expect(Disk(Self.claim { $0.spec?.resources?.requests?["storage"] = Quantity(text) })?.storage == bytes)
    }

    @Test func whatIsNoDisk() {
        func disk(_ change: (inout PersistentVolumeClaim) -> Void) -> Disk? { Disk(Self.claim("disk-a", change)) }
        #expect(disk { $0.metadata.labels[DiskKeys.mark.old] = nil } == nil)
        #expect(disk { $0.metadata.labels[DiskKeys.deleted.new] = "true" } == nil)
        #expect(disk { $0.metadata.deletionTimestamp = Date() } == nil)
        #expect(disk { $0.spec?.resources?.requests?["storage"] = "odd" } == nil)
        // One that says it belongs to somebody else than whose namespace it is in.
        #expect(disk { DiskKeys.org.write("beta", to: &$0.metadata.labels) } == nil)
        #expect(disk { $0.metadata.namespace = "elsewhere" } == nil)
        // One that does not say: it is whose namespace it is in.
        let silent = Self.claim { for key in [DiskKeys.org.old, DiskKeys.org.new] { $0.metadata.labels[key] = nil } }
        #expect(Disk(silent) == nil)
        if let org = try? OrgName("acme"), let project = try? ProjectName("vision") {
            #expect(Disk(silent, in: DiskPlace(org: org, project: project))?.org == "acme")
        }
        // Texts that are no times cost nobody his disk.
        for span in ["-5", "0", "soon", "nan", "inf"] {
            #expect(disk { $0.metadata.annotations[DiskKeys.lifeSpan.old] = span }?.expiry == nil)
        }
    }

    @Test func personalDisksAreEachOnesOwn() throws {
        let cluster = try ClusterName("default")
        #expect(Disk(Self.claim())?.uri(in: cluster).text == "disk://default/acme/vision")
        let own = Self.claim { DiskKeys.user.write("vision", to: &$0.metadata.labels) }
        #expect(Disk(own)?.uri(in: cluster).text == "disk://default/acme/vision/disk-a")
    }

    @Test func quotasAreSharedToTheByte() throws {
        let quota = ProjectQuota(limit: 2500)
        let disks = ["disk-a", "disk-b"].compactMap { Disk(Self.claim($0)) }
        #expect(quota.admits(500, beside: disks) && !quota.admits(501, beside: disks))
        #expect(!quota.admits(.max, beside: disks))
        #expect(ProjectQuota(limit: 20 << 20).gigabytes == "0.01953125" && ProjectQuota(limit: 500 << 30).gigabytes == "500.0")
        // Of two that were made at once where one fits, the same one stays whoever asks.
        let tight = ProjectQuota(limit: 1000)
        #expect(disks.filter { tight.admits($0, asked: 1000, among: disks) }.map(\.id.text) == ["disk-a"])
    }

    @Test func aNodesSummaryIsRead() throws {
        let text = """
            {"pods": [{"podRef": {"namespace": "n"}, "volume": [{"name": "x", "usedBytes": 5}, {"pvcRef": {"name": "c"}, "usedBytes": 150},
              {"pvcRef": {"name": "d"}}, {"pvcRef": {"name": "e"}, "usedBytes": -1}]}, {"volume": [{"pvcRef": {"name": "f"}, "usedBytes": 1}]}, 5]}
            """
        let amounts = DiskMeter.amounts(try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8)))
        #expect(amounts == [UsageBook.Place(namespace: "n", claim: "c"): 150])
    }
}

enum PlatformJSONText {
    static func data(_ value: some Encodable) throws -> Data { try JSONEncoder().encode(value) }
}
