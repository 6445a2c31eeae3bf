// A service without a purpose, run as a process by ServiceKitTests.
import Hummingbird
import ServiceKit

struct KitProbe: PlatformService {
    static let name = "kit-probe"

    init(_ context: ServiceContext) async throws {
        if try context.settings.bool("probe.store", default: false) { _ = try await context.postgres() }
        if let text = context.settings.optional("probe.fail") { throw SettingError(text) }
    }

    func register(on router: PlatformRouter) {
        // For anyone: a probe.
        router.get("/hello", access: .anyone) { _, _ in "hello" }
    }
}

try await ServiceRunner.main(KitProbe.self)
