import Foundation
import PlatformModel
import TestSupport
import Testing

/// Resource presets: order, computed pools, and what a replacement keeps.
@Suite(.timeLimit(.minutes(5)))
struct PresetTests {
    private let path = "/api/v1/clusters/company/orchestrator/resource_presets"

    @Test func presetsAreAddedReplacedAndRemovedInPlace() async throws {
        try await Platform.run { platform in
            try await platform.makeCluster("company")
            let admin = try await platform.token("admin")
            let service = platform.service
            let large = JSON.parse(
                #"{"name": "large", "credits_per_hour": "2.5", "cpu": 64, "memory": 1000000000, "resource_pool_names": ["cpu"]}"#)
            let added = try await service.post(path, token: admin, large)
            #expect((200..<300).contains(added.status))
            let document: ClusterDocument = try added.json()
            #expect(document.orchestrator.resourcePresets.map(\.name) == ["cpu-small", "large"])
            // No node of the pool has 64 cores.
            #expect(document.orchestrator.preset("large")?.availableResourcePoolNames == [])
            #expect(document.orchestrator.preset("cpu-small")?.availableResourcePoolNames == ["cpu"])

            let smaller = JSON.parse(#"{"name": "cpu-small", "credits_per_hour": "3", "cpu": 2, "memory": 2000000000}"#)
            let replaced: ClusterDocument = try await service.put(path + "/cpu-small", token: admin, smaller).json()
            #expect(replaced.orchestrator.resourcePresets.map(\.name) == ["cpu-small", "large"])
            #expect(replaced.orchestrator.preset("cpu-small")?.creditsPerHour == Money("3"))
            let one: ResourcePreset = try await service.get(path + "/cpu-small", token: admin).json()
            #expect(one.cpu == 2)

            let removed = try await service.delete(path + "/cpu-small", token: admin)
            #expect(removed.status == 200)
            #expect(try removed.json(ClusterDocument.self).orchestrator.resourcePresets.map(\.name) == ["large"])
            #expect(try await service.get(path, token: admin).json([ResourcePreset].self).map(\.name) == ["large"])
        }
    }

    @Test func badPresetsAreRefused() async throws {
        try await Platform.run { platform in
            try await platform.makeCluster("company")
            let admin = try await platform.token("admin")
            let service = platform.service
            func preset(_ more: String) -> JSON { JSON.parse("{\"name\": \"new\", \"credits_per_hour\": \"1\", \(more)}") }
            #expect(try await service.post(path, token: admin, preset(#""cpu": 0, "memory": 1"#)).status == 400)
            #expect(try await service.post(path, token: admin, preset(#""cpu": 1, "memory": -1"#)).status == 400)
            #expect(try await service.post(path, token: admin, preset(#""cpu": 1"#)).error?.contains("memory") == true)
            let strange = try await service.post(path, token: admin, preset(#""cpu": 1, "memory": 1, "resource_pool_names": ["none"]"#))
            #expect(strange.status == 400 && strange.error?.contains("none") == true)
            let taken = JSON.parse(#"{"name": "cpu-small", "credits_per_hour": "1", "cpu": 1, "memory": 1}"#)
            #expect(try await service.post(path, token: admin, taken).status == 409)
            #expect(try await service.put(path + "/other", token: admin, taken).status == 400)
            #expect(try await service.delete(path + "/other", token: admin).status == 404)
            #expect(try await service.get(path + "/other", token: admin).status == 404)
        }
    }

    @Test func aReplacementKeepsWhatClientsCannotSend() async throws {
        try await Platform.run { platform in
            try await platform.makeCluster("company")
            let admin = try await platform.token("admin")
            let gpu = JSON.parse(
                """
                {"name": "gpu", "credits_per_hour": "9", "cpu": 1, "memory": 1000, "is_external_job": true,
                 "nvidia_gpu": {"count": 1, "model": "A100", "memory": 40000000000}}
                """)
            #expect(try await platform.service.post(path, token: admin, gpu).status < 300)
            let update = JSON.parse(
                #"{"name": "gpu", "credits_per_hour": "8", "cpu": 1, "memory": 1000, "nvidia_gpu": {"count": 1, "model": "A100"}}"#)
            let after: ClusterDocument = try await platform.service.put(path + "/gpu", token: admin, update).json()
            let preset = try #require(after.orchestrator.preset("gpu"))
            #expect(preset.nvidiaGPU?.memory == 40_000_000_000 && preset.isExternalJob && preset.creditsPerHour == Money("8"))
        }
    }

    @Test func concurrentAdditionsAreAllThere() async throws {
        try await Platform.run { platform in
            try await platform.makeCluster("company")
            let admin = try await platform.token("admin")
            try await withThrowingTaskGroup(of: Int.self) { group in
                for number in 0..<10 {
                    let preset = JSON.parse("{\"name\": \"p\(number)\", \"credits_per_hour\": \"1\", \"cpu\": 1, \"memory\": 1000}")
                    group.addTask { try await platform.service.post(path, token: admin, preset).status }
                }
                for try await status in group { #expect((200..<300).contains(status)) }
            }
            let presets = try await platform.service.get(path, token: admin).json([ResourcePreset].self)
            #expect(presets.count == 11)
        }
    }

    @Test func changingTakesManageOnTheCluster() async throws {
        try await Platform.run { platform in
            try await platform.makeCluster("company")
            try platform.neighbours.grant("alice", "cluster://company/access", .read)
            let alice = try await platform.token("alice")
            #expect(try await platform.service.get(path, token: alice).status == 200)
            #expect(try await platform.service.delete(path + "/cpu-small", token: alice).status == 403)
            try platform.neighbours.grant("alice", "cluster://company", .manage)
            #expect(try await platform.service.delete(path + "/cpu-small", token: alice).status == 200)
        }
    }
}
