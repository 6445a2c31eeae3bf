import Foundation
import ServiceKit
import Testing

@Suite("Settings") struct SettingsTests {
    @Test("Keys are variables") func keys() throws {
        let settings = Settings(values: ["http.port": "81", "ORRERY_AUTH_URL": "http://auth:8080/", "empty": ""])
        #expect(try settings.int("http.port", default: 8080) == 81)
        #expect(try settings.url("auth.url") == "http://auth:8080")
        #expect(settings.optional("empty") == nil)
        #expect(try settings.string("nothing", default: "d") == "d")
        #expect(try settings.duration("wait", default: .seconds(3)) == .seconds(3))
        #expect(try Settings(values: ["wait": "0.25"]).duration("wait") == .milliseconds(250))
        #expect(try Settings(values: ["on": "Yes"]).bool("on"))
    }

    @Test("What is wrong is one sentence with the variable's name") func errors() {
        let settings = Settings(values: ["http.port": "eighty", "auth.url": "auth:8080", "flag": "perhaps"])
        #expect(throws: SettingError("ORRERY_POSTGRES_URL is not set.")) { try settings.string("postgres.url") }
        #expect(throws: SettingError("ORRERY_HTTP_PORT is \"eighty\"; expected a whole number.")) { try settings.int("http.port") }
        #expect(throws: SettingError.self) { try settings.url("auth.url") }
        #expect(throws: SettingError.self) { try settings.bool("flag") }
        #expect(throws: SettingError("The secret ORRERY_SERVICE_TOKEN is not set, and ORRERY_SECRETS_DIR has no file service-token.")) {
            try settings.secret("service.token")
        }
    }

    @Test("Secrets come from files too, are read anew each time, and do not print") func secrets() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appendingPathComponent("auth-signing-keys")
        try Data("first\n".utf8).write(to: file)
        let settings = Settings(values: ["secrets.dir": folder.path])
        let secret = try settings.secret("auth.signing-keys")
        #expect(secret.value == "first" && "\(secret)" == "***" && String(reflecting: secret) == "***")
        try Data("second".utf8).write(to: file)
        #expect(try settings.secret("auth.signing-keys").value == "second")
        #expect(try settings.optionalSecret("other") == nil)
    }
}
