import ServiceKit
import ServiceLifecycle
import TestSupport
import Testing

@Suite("Background services", .timeLimit(.minutes(5))) struct BackgroundTests {
    struct Failing: Service {
        func run() async throws { throw Oops(secret: "x") }
    }

    struct Ending: Service {
        func run() async throws {}
    }

    struct LoopService: PlatformService {
        static let name = "loop-api"
        let fails: Bool
        init(_ context: ServiceContext) async throws { fails = try context.settings.bool("fails", default: false) }
        func register(on router: PlatformRouter) {}
        var background: [any Service] { fails ? [Failing()] : [Ending()] }
    }

    @Test("One that ends leaves the service running") func ends() async throws {
        try await withService(LoopService.self) { service async throws in
            #expect(try await service.get("/ping").status == 200)
        }
    }

    @Test("One that fails ends the process with its error") func fails() async throws {
        let settings = Settings(values: ["fails": "yes", "http.port": "0", "http.host": "127.0.0.1", "metrics.port": "0"])
        let assembly = try await ServiceAssembly(LoopService.self, settings: settings, logger: TestLog().logger("loop"))
        await #expect(throws: Oops.self) { try await assembly.run() }
    }
}
