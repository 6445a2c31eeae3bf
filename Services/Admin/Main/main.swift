import AdminService
import Identity
import ServiceKit

try await ServiceRunner.main(AdminService.self, authenticator: Identity.authenticator)
