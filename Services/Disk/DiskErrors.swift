import HTTPTypes
import Hummingbird
import Kubernetes
import ServiceKit

/// The errors of this API: JSON, but plain text where its clients show the text as it is.
struct DiskErrors: ErrorRenderer {
    func render(_ error: PlatformError) -> Response {
        guard error.body == nil else { return JSONErrors().render(error) }
        switch error.status {
        case .unauthorized: return Self.text(error.status, "401: Unauthorized")
        case .notFound: return Self.text(error.status, error.message == "Not Found" ? "404: Not Found" : error.message)
        case .methodNotAllowed: return Self.text(error.status, "405: Method Not Allowed")
        case .contentTooLarge: return Self.text(error.status, "Maximum request body size 1048576 exceeded.")
        default: return JSONErrors().render(error)
        }
    }

    private static func text(_ status: HTTPResponse.Status, _ text: String) -> Response {
        Response(status: status, headers: [.contentType: "text/plain; charset=utf-8"], body: .init(byteBuffer: ByteBuffer(string: text)))
    }
}

/// What the disks of a project can be refused with (disk.md 6).
enum DiskRefusal: Error {
    case unknown(String)
    /// It went while it was looked at.
    case vanished
    case overLimit(ProjectQuota)
    case nameUsed(DiskName, DiskPlace)
    /// The project is being removed, or its namespace is somebody else's.
    case placeUnusable(String)
    /// The cluster does not want such a claim.
    case refusedByCluster

    private struct Described: Encodable, Sendable {
        let code: String
        let description: String
    }

    var answer: PlatformError {
        switch self {
        case .unknown(let text): .notFound("Disk \(text) not found")
        case .vanished: Self.described(.notFound, "DiskNotFound", "")
        case .overLimit(let quota):
            Self.described(.forbidden, "over_limit", "Project exceeded storage size limit \(quota.gigabytes) GB")
        case .nameUsed(let name, let place):
            Self.described(.conflict, "DiskNameUsed", "Disk with name \(name) already exists for project \(place.project)")
        case .placeUnusable(let reason): Self.described(.conflict, "DiskConflict", reason)
        case .refusedByCluster: PlatformError(.internalServerError, "The cluster refused the disk.")
        }
    }

    private static func described(_ status: HTTPResponse.Status, _ code: String, _ text: String) -> PlatformError {
        PlatformError(status, text, body: Described(code: code, description: text))
    }
}

extension PlatformError {
    /// Runs what asks Kubernetes, and tells of its failures what a caller may know.
    static func answering<T>(_ body: () async throws -> T) async throws -> T {
        do {
            return try await body()
        } catch let refusal as DiskRefusal {
            throw refusal.answer
        } catch let problems as DiskRequestProblems {
            throw PlatformError.badRequest(problems.sentences.joined(separator: " "))
        } catch let error as KubernetesError where error.isTransient {
            throw PlatformError.unavailable("The cluster does not answer; try again.")
        }
    }
}
