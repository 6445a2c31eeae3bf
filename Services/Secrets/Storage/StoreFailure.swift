import Kubernetes
import ServiceKit

/// What Kubernetes' refusals mean to the caller. Its own words stay out of answers and logs: they may quote what was to be stored.
struct StoreFailure: Error, PlatformErrorConvertible, CustomStringConvertible {
    let platformError: PlatformError
    let description: String

    init(_ error: KubernetesError) {
        switch error {
        case .api(let status):
            description = "Kubernetes answered \(status.code) \(status.reason ?? "")"
            platformError = error.isTransient || Self.passes(status) ? Self.away : Self.internalError
        case .unavailable(let reason, _):
            description = "Kubernetes does not answer: \(reason)"
            platformError = Self.away
        case .decoding:
            description = "Kubernetes' answer cannot be read"
            platformError = Self.internalError
        case .configuration(let reason):
            description = reason
            platformError = Self.internalError
        }
    }

    /// A namespace that is going, and will be made again.
    private static func passes(_ status: Status) -> Bool {
        status.code == 409 || status.details?.causes?.contains { $0.reason == "NamespaceTerminating" } == true
    }

    private static let away = PlatformError.unavailable("The cluster does not answer; try again.")
    private static let internalError = PlatformError(.internalServerError, "Internal server error")
}
