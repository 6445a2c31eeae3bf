import Identity
import ServiceKit
import StorageService

try await ServiceRunner.main(StorageService.self, authenticator: Identity.authenticator)
