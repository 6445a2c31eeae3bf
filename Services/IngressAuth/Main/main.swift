import IngressAuthService
import ServiceKit

try await ServiceRunner.main(IngressAuthService.self)
