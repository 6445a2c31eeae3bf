import Identity
import MonitoringService
import ServiceKit

try await ServiceRunner.main(MonitoringService.self, authenticator: Identity.authenticator)
