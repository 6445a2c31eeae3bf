import AuthService
import ServiceKit

try await ServiceRunner.main(AuthService.self)
