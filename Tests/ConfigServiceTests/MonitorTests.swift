import PlatformModel
import TestSupport
import Testing

/// What the pool monitor inside a cluster sends with the cluster's token (config.md 4.1).
@Suite(.timeLimit(.minutes(5)))
struct MonitorTests {
    private let pools = """
        {"orchestrator": {"resource_pool_types": [
          {"name": "auto", "min_size": 0, "max_size": 5, "idle_size": 1, "cpu": 8, "memory": 34359738368,
           "price": "0.384", "currency": "USD", "cpu_min_watts": 10.5, "cpu_max_watts": 110, "is_preemptible": true,
           "nvidia_gpu": {"count": 1, "model": "A100"}, "intel_gpu": {"count": 1, "model": "Max"},
           "tpu": {"ipv4_cidr_block": "10.1.0.0/24", "types": ["v2-8"], "software_versions": ["1.14"]}},
          {"name": "fixed", "min_size": 2, "max_size": 2, "cpu": 4, "memory": 8589934592, "price": "1"}],
         "resource_presets": [
          {"name": "small", "credits_per_hour": "1", "cpu": 6, "memory": 1000, "preemptible_node": true},
          {"name": "pinned", "credits_per_hour": "1", "cpu": 1, "memory": 1000, "resource_pool_names": ["fixed"]}]}}
        """

    private func cluster(_ body: (Platform, _ monitor: String) async throws -> Void) async throws {
        try await Platform.run { platform in
            try await platform.makeCluster("company")
            #expect(try await platform.patch("company", pools).status == 200)
            try await body(platform, platform.ownToken("company"))
        }
    }

    @Test func whatTheMonitorCannotSeeSurvives() async throws {
        try await cluster { platform, monitor in
            let seen = """
                {"orchestrator": {"resource_pool_types": [
                  {"name": "fixed", "min_size": 3, "max_size": 3, "idle_size": 0, "cpu": 4, "available_cpu": 3.5, "memory": 8589934592,
                   "is_preemptible": false},
                  {"name": "auto", "min_size": 1, "max_size": 1, "idle_size": 0, "cpu": 8, "available_cpu": 5, "memory": 34359738368,
                   "is_preemptible": false}]}}
                """
            let answer = try await platform.patch("company", seen, by: monitor)
            #expect(answer.status == 200)
            let after = try answer.json(ClusterDocument.self).orchestrator
            #expect(after.resourcePoolTypes.map(\.name) == ["fixed", "auto"])
            let auto = try #require(after.pool("auto"))
            #expect(auto.price == Money("0.384") && auto.currency == "USD" && auto.cpuMinWatts == 10.5 && auto.cpuMaxWatts == 110)
            #expect(auto.idleSize == 1 && auto.isPreemptible && auto.tpu?.types == ["v2-8"] && auto.intelGPU?.model == "Max")
            // An autoscaled pool keeps its limits; what was measured is taken, and that a GPU is gone.
            #expect(auto.minSize == 0 && auto.maxSize == 5 && auto.availableCPU == 5 && auto.nvidiaGPU == nil)
            let fixed = try #require(after.pool("fixed"))
            #expect(fixed.minSize == 3 && fixed.maxSize == 3 && fixed.availableCPU == 3.5 && fixed.price == Money("1"))
            // Six cores do not fit any more.
            #expect(after.preset("small")?.availableResourcePoolNames == [])
        }
    }

    @Test func theSameReportAgainIsNoChange() async throws {
        try await cluster { platform, monitor in
            let seen =
                #"{"orchestrator": {"resource_pool_types": [{"name": "auto", "cpu": 8}, {"name": "fixed", "min_size": 2, "max_size": 2}]}}"#
            let first = try await platform.patch("company", seen, by: monitor)
            let tag = try await platform.service.get("/api/v1/clusters/company", token: monitor).headers.first(name: "ETag")
            let audits = platform.service.log.entries("audit").count
            let second = try await platform.patch("company", seen, by: monitor)
            #expect(first.status == 200 && second.body == first.body)
            #expect(try await platform.service.get("/api/v1/clusters/company", token: monitor).headers.first(name: "ETag") == tag)
            #expect(platform.service.log.entries("audit").count == audits)
        }
    }

    @Test func aPoolThatGrowsByItselfIsNotForgottenAndAVanishedOneIs() async throws {
        try await cluster { platform, monitor in
            let seen = #"{"orchestrator": {"resource_pool_types": [{"name": "new", "min_size": 1, "max_size": 1}]}}"#
            let answer = try await platform.patch("company", seen, by: monitor)
            // A preset of a pool that went stays, and nothing can run it.
            let after = try answer.json(ClusterDocument.self).orchestrator
            #expect(after.resourcePoolTypes.map(\.name) == ["new", "auto"])
            #expect(after.preset("pinned")?.availableResourcePoolNames == [] && after.preset("pinned")?.resourcePoolNames == ["fixed"])
        }
    }

    @Test func anAdministratorsListIsTakenAsItIs() async throws {
        try await cluster { platform, _ in
            let list = #"{"orchestrator": {"resource_pool_types": [{"name": "fixed", "min_size": 1, "max_size": 4, "cpu": 4}]}}"#
            let after = try await platform.patch("company", list).json(ClusterDocument.self).orchestrator
            #expect(after.resourcePoolTypes.map(\.name) == ["fixed"])
            #expect(after.pool("fixed")?.price == nil && after.pool("fixed")?.maxSize == 4)
        }
    }
}
