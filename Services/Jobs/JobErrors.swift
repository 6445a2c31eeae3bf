import HTTPTypes
import Hummingbird
import NIOCore
import PlatformModel
import ServiceKit

/// The errors of this API: `{"error": …}` or `{"missing": …}` as JSON, but plain text where the framework of old answered
/// (jobs-api.md 2.4).
struct JobErrorRenderer: ErrorRenderer {
    func render(_ error: PlatformError) -> Response {
        switch error.status {
        case .unauthorized, .notFound, .methodNotAllowed, .contentTooLarge:
            let text = "\(error.status.code): \(error.status.reasonPhrase)"
            return Response(
                status: error.status, headers: [.contentType: "text/plain; charset=utf-8"],
                body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
        default:
            return JSONErrors().render(error)
        }
    }
}

extension PlatformError {
    /// An unknown job is 400, never 404: the client prints the text, and takes a 404 for something else.
    static func noSuchJob(_ text: String) -> PlatformError { .badRequest("no such job \(text)") }
}

extension JobStoreError: PlatformErrorConvertible {
    var platformError: PlatformError {
        switch self {
        case .changed(let job):
            .conflict(
                job.name.map { "Job {id=\(job.id), project=\(job.project), name=\($0)} has changed" } ?? "Job {id=\(job.id)} has changed")
        case .noSuchJob(let id): .noSuchJob(id.text)
        case .nameTaken: .badRequest("Failed to create job: the name is in use")
        case .quotaExceeded(.user(let name)): .badRequest("Jobs limit quota exceeded for user '\(name)'")
        case .quotaExceeded(.org(let name)): .badRequest("Jobs limit quota exceeded for org '\(name)'")
        case .leaseLost: PlatformError(.internalServerError, "Internal server error")
        }
    }
}

extension JobRuleViolation: PlatformErrorConvertible {
    var platformError: PlatformError {
        switch self {
        case .invalidTransition: .badRequest("Invalid job status transition")
        case .notDroppable(let job): .badRequest("Job \(job) is still in use and cannot be dropped")
        case .notBeingDropped(let job): .badRequest("Job \(job) is not being dropped")
        }
    }
}

extension Problem: PlatformErrorConvertible {
    var platformError: PlatformError { .badRequest(description) }
}
