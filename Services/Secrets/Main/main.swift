import Identity
import SecretsService
import ServiceKit

try await ServiceRunner.main(SecretsService.self, authenticator: Identity.authenticator)
