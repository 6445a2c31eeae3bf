import AdminService
import AuthService
import ConfigService
import DiskService
import IngressAuthService
import JobsService
import MonitoringService
import SecretsService
import ServiceKit
import StorageService

/// A service's place in the platform that the matrix walks.
struct Place: Sendable {
    let type: any PlatformService.Type
    /// The setting by which the others find it, and what stands after its origin there.
    let address: (key: String, path: String)?
    /// Whether it has a database, which refused calls must leave as it is.
    let keepsRecords: Bool
    let lines: [Line]

    /// Every service of the platform, each after those it needs. (A test compares this with the folders.)
    static let all = [
        Place(AuthService.self, "auth.url", keepsRecords: true, lines: authLines),
        Place(AdminService.self, "admin.url", path: "/apis/admin/v1", keepsRecords: true, lines: adminLines),
        Place(ConfigService.self, "config.url", keepsRecords: true, lines: configLines),
        Place(JobsService.self, "jobs.url", keepsRecords: true, lines: jobsLines),
        Place(IngressAuthService.self, keepsRecords: false, lines: ingressAuthLines),
        Place(MonitoringService.self, keepsRecords: false, lines: monitoringLines),
        Place(SecretsService.self, keepsRecords: false, lines: secretsLines),
        Place(StorageService.self, keepsRecords: false, lines: storageLines),
        Place(DiskService.self, keepsRecords: false, lines: diskLines),
    ]

    private init(_ type: any PlatformService.Type, _ key: String? = nil, path: String = "", keepsRecords: Bool, lines: [Line]) {
        self.type = type
        address = key.map { ($0, path) }
        self.keepsRecords = keepsRecords
        self.lines = Line.builtIn(type.name).filter { own in !lines.contains { $0.route == own.route } } + lines
    }
}
