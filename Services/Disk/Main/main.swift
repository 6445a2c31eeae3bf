import DiskService
import Identity
import ServiceKit

try await ServiceRunner.main(DiskService.self, authenticator: Identity.authenticator)
