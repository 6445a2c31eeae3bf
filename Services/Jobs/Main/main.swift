import Identity
import JobsService
import ServiceKit

try await ServiceRunner.main(JobsService.self, authenticator: Identity.authenticator)
