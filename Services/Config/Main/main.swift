import ConfigService
import Identity
import ServiceKit

try await ServiceRunner.main(ConfigService.self, authenticator: Identity.authenticator)
