import Foundation
import Identity
import PlatformClients
import PlatformModel
import ServiceKit
import ServiceTestSupport
import Subprocess
import TestSupport
import Testing

@testable import AuthService
@testable import StorageService

/// Section 15: what each project's files take of the disk (S-119 to S-125, S-146).
@Suite(.timeLimit(.minutes(10))) struct UsageTests {
    /// Hard links, holes, links that lead out, names that break parsers: as `du` has it.
    @Test func aTreeTakesWhatDuSays() async throws {
        let root = FileManager.default.temporaryDirectory.appendingPathComponent("usage-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: root) }
        let files = FileManager.default
        for index in 0..<30 {
            let folder = root + "/project/folder \(index)\nof two lines/below"
            try files.createDirectory(atPath: folder, withIntermediateDirectories: true)
            for size in [0, 1, 4096, 70_000] {
                try Data(repeating: 7, count: size).write(to: URL(fileURLWithPath: folder + "/of \(size)"))
            }
            try files.linkItem(atPath: folder + "/of 70000", toPath: folder + "/the same")
            try files.createSymbolicLink(atPath: folder + "/away", withDestinationPath: "/usr")
            #expect(truncate(folder + "/of 1", 1 << 20) == 0)
        }
        let du = try await Subprocess.run(
            .name("du"), arguments: ["-s", "--block-size=1", root + "/project"], output: .string(limit: 4096), error: .discarded)
        let expected = Int64(du.standardOutput.prefix { $0 != "\t" })
        var measure = try TreeMeasure(Folder(path: root).folder("project"))
        var rounds = 0
        while try measure.next(7) { rounds += 1 }
        #expect(measure.bytes == expected && rounds > 30)
    }

    @Test func eachProjectOfTheClusterIsShown() async throws {
        let pem = TokenSigner.generatePEM()
        let signer = try await TokenSigner(pem: pem)
        let root = FileManager.default.temporaryDirectory.appendingPathComponent("usage-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: root) }
        for folder in ["/acme/vision", "/acme/foreign", "/alone"] {
            try FileManager.default.createDirectory(atPath: root + folder, withIntermediateDirectories: true)
            try Data(repeating: 7, count: 50_000).write(to: URL(fileURLWithPath: root + folder + "/file"))
        }
        try await withService(AuthService.self, settings: ["auth.signing-keys": pem]) { (auth) async throws in
            try await AdminPlace.with(auth: auth, signer: signer, projects: ["vision", "empty"]) { (admin) async throws in
                #expect(try await admin.makeLonelyProject("alone") == 200)
                let token = try TokenClaims(name: PrincipalName("storage-api"), kind: .cluster, cluster: "default")
                let settings = [
                    "auth.url": auth.url, "postgres.url": "none", "cluster.name": "default", "storage.root": root,
                    "admin.url": admin.url, "storage.usage.interval": "0.2",
                    "service.token": try await signer.sign(token),
                ]
                try await withService(StorageService.self, settings: settings, authenticator: Identity.authenticator) {
                    (storage) async throws in
                    let metrics = storage.assembly.context.metrics
                    @Sendable func lines() async -> [String] {
                        await metrics.text().split(separator: "\n").map(String.init).filter { $0.contains("storage_used_bytes") }
                    }
                    let told = [
                        "# HELP storage_used_bytes The amount of used storage space in bytes", "# TYPE storage_used_bytes gauge",
                    ]
                    let none = "storage_used_bytes{org_name=\"no_org\",project_name=\"alone\"} \(try measured(root + "/alone"))"
                    let before = try measured(root + "/acme/vision")
                    let one = "storage_used_bytes{org_name=\"acme\",project_name=\"vision\"}"
                    try await eventually { await lines() == told + ["\(one) \(before)", none] }
                    // It is measured again, and what is gone is shown no more.
                    try Data(repeating: 7, count: 300_000).write(to: URL(fileURLWithPath: root + "/acme/vision/more"))
                    let after = try measured(root + "/acme/vision")
                    #expect(after >= before + 300_000)
                    try await eventually { await lines() == told + ["\(one) \(after)", none] }
                    try FileManager.default.removeItem(atPath: root + "/acme/vision")
                    try await eventually { await lines() == told + [none] }
                }
            }
        }
    }

    private func measured(_ path: String) throws -> Int64 {
        var measure = try TreeMeasure(Folder(path: path))
        while try measure.next(1000) {}
        return measure.bytes
    }
}
