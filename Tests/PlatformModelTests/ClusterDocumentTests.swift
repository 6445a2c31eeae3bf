import Foundation
import PlatformModel
import Testing

@Suite struct ClusterDocumentTests {
    @Test func emitsEverySectionAlways() throws {
        let document = ClusterDocument(blank: try ClusterName("default"), dnsName: "d.example.org")
        let object = try #require(try JSONSerialization.jsonObject(with: JSONEncoder().encode(document)) as? [String: Any])
        for key in [
            "name", "status", "created_at", "orchestrator", "storage", "registry", "monitoring", "secrets", "metrics", "grafana",
            "prometheus",
            "disks", "buckets", "energy", "apps", "ingress", "dns", "timezone",
        ] { #expect(object[key] != nil, "\(key) is missing") }
        #expect(object["credentials"] == nil)
        #expect(try JSONDecoder().decode(ClusterDocument.self, from: JSONEncoder().encode(document)) == document)
    }

    @Test func keepsProviderAndCredentialsWhole() throws {
        let text = #"""
            {"name": "default", "unknown": 1, "metrics": {"url": "https://grafana.x"},
             "cloud_provider": {"type": "on_prem", "anything": [1, 2.5, null, {"a": true}]},
             "credentials": {"neuro": {"url": "u", "token": "t"}}}
            """#
        var document = try JSONDecoder().decode(ClusterDocument.self, from: Data(text.utf8))
        #expect(document.grafana.url == "https://grafana.x")
        #expect(document.prometheus.url == "https://prometheus.x")
        document.kubernetes = KubernetesCredentials(kubeconfig: "apiVersion: v1")
        let again = try JSONDecoder().decode(ClusterDocument.self, from: JSONEncoder().encode(document))
        #expect(again == document)
        #expect(again.kubernetes?.kubeconfig == "apiVersion: v1")
        #expect(again.credentials?["neuro"]?["token"]?.string == "t")
        #expect(again.cloudProvider?["anything"] == .array([.integer(1), .number(2.5), .null, .object(["a": .bool(true)])]))
    }

    @Test func acceptsTheClassicFormOfGPUs() throws {
        let pool = try JSONDecoder().decode(
            ResourcePoolType.self, from: Data(#"{"name":"p","nvidia_gpu":8,"nvidia_gpu_model":"H100","amd_gpu":0}"#.utf8))
        #expect(pool.nvidiaGPU == GPU(count: 8, model: "H100"))
        #expect(pool.amdGPU == nil)
        #expect(pool.availableCPU == 1 && pool.availableMemory == 1 << 30)
        let object = try #require(try JSONSerialization.jsonObject(with: JSONEncoder().encode(pool)) as? [String: Any])
        #expect((object["nvidia_gpu"] as? [String: Any])?["count"] as? Int == 8)
        #expect(object["nvidia_gpu_model"] == nil)
    }

    @Test func findsThePoolsThatHoldAPreset() {
        var orchestrator = OrchestratorSection(
            jobHostnameTemplate: "{job_id}", jobFallbackHostname: "x",
            resourcePoolTypes: [
                ResourcePoolType(name: "small", cpu: 2, availableCPU: 1.5, memory: 8 << 30),
                ResourcePoolType(name: "large", cpu: 16, memory: 64 << 30, nvidiaGPU: GPU(count: 2, model: "A100")),
                ResourcePoolType(name: "spot", cpu: 16, memory: 64 << 30, isPreemptible: true),
            ],
            resourcePresets: [
                ResourcePreset(name: "cpu", cpu: 1, memory: 1 << 30), ResourcePreset(name: "big", cpu: 2, memory: 1 << 30),
                ResourcePreset(name: "gpu", cpu: 1, memory: 1 << 30, nvidiaGPU: GPU(count: 2)),
                ResourcePreset(name: "h100", cpu: 1, memory: 1 << 30, nvidiaGPU: GPU(count: 1, model: "H100")),
                ResourcePreset(name: "spot", cpu: 1, memory: 1 << 30, preemptibleNode: true),
                ResourcePreset(name: "named", cpu: 1, memory: 1 << 30, resourcePoolNames: ["large"]),
                ResourcePreset(name: "huge", cpu: 32, memory: 1 << 30),
            ])
        orchestrator.computeAvailablePools()
        let pools = Dictionary(uniqueKeysWithValues: orchestrator.resourcePresets.map { ($0.name, $0.availableResourcePoolNames) })
        #expect(pools["cpu"] == ["small", "large"])
        #expect(pools["big"] == ["large"])
        #expect(pools["gpu"] == ["large"])
        #expect(pools["h100"] == [])
        #expect(pools["spot"] == ["spot"])
        #expect(pools["named"] == ["large"])
        #expect(pools["huge"] == [])
    }
}
