import PlatformModel
import Testing

@testable import JobsService

@Suite struct JobPricingTests {
    private let presets = [
        ResourcePreset(name: "small", creditsPerHour: Money(1), cpu: 1, memory: 1 << 30),
        ResourcePreset(name: "large", creditsPerHour: Money(5), cpu: 8, memory: 8 << 30),
        ResourcePreset(name: "gpu", creditsPerHour: Money(20), cpu: 8, memory: 8 << 30, nvidiaGPU: GPU(count: 2, model: "H100")),
    ]

    private func price(_ resources: JobResources, preset: String? = nil, fromPreset: Bool = false) -> String {
        var spec = JobSpec(container: JobContainer(image: "x", resources: resources))
        spec.presetName = preset
        spec.fromPreset = fromPreset
        return JobPricing(presets: presets).perHour(spec).description
    }

    @Test func thePresetDecidesOrTheCheapestThatFitsOrTheDearest() {
        #expect(price(JobResources(cpu: 0.5, memory: 1 << 20)) == "1")
        #expect(price(JobResources(cpu: 2, memory: 1 << 20)) == "5")
        #expect(price(JobResources(cpu: 100, memory: 1 << 20)) == "20")
        #expect(price(JobResources(cpu: 1, memory: 1 << 20, nvidiaGPU: 1)) == "20")
        #expect(price(JobResources(cpu: 1, memory: 1 << 20, nvidiaGPU: 1, nvidiaGPUModel: "A100")) == "20")
        #expect(price(JobResources(cpu: 0.5, memory: 1 << 20), preset: "large", fromPreset: true) == "5")
        #expect(price(JobResources(cpu: 0.5, memory: 1 << 20), preset: "removed", fromPreset: true) == "1")
        #expect(JobPricing(presets: []).perHour(JobSpec(container: .init(image: "x", resources: .init(cpu: 1, memory: 1)))) == .zero)
    }

    @Test func aNameBesideLargerResourcesBuysNothing() {
        #expect(price(JobResources(cpu: 8, memory: 1 << 20), preset: "small") == "5")
        #expect(price(JobResources(cpu: 1, memory: 1 << 20), preset: "small") == "1")
    }

    @Test(arguments: [
        ("10", Int64(45 * 60_000_000), "7.5"), ("10.50", 1_225_324, "0.003573861666666667"), ("10", 0, "0"),
        ("0", 5_000_000, "0"), ("1", 1, "0.000000000277777778"), ("36", 100_000_000, "1"),
        ("100", 3_600_000_001, "100.000000027777777778"),
    ])
    func totalsAreExactDecimals(price: String, microseconds: Int64, total: String) throws {
        #expect(JobPricing.total(try #require(Money(price)), microseconds: microseconds).description == total)
    }
}
