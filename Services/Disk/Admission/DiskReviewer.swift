import Injection
import Kubernetes
import Logging
import PlatformModel
import ServiceKit

/// Why an object is refused; the sentence is shown to who makes it.
struct AdmissionRefusal: Error, Hashable {
    let code: Int
    let message: String

    init(_ code: Int, _ message: String) {
        self.code = code
        self.message = message
    }
}

/// Reviews what is made in the namespaces of projects: claims become disks, and pods get the disks that they ask for. Whatever is in doubt is
/// denied.
struct DiskReviewer: AdmissionReviewer {
    let injector: DiskInjector
    let adopter: ClaimAdopter
    let client: KubernetesClient
    /// How long Kubernetes may take. The API server waits for 30 s.
    var limit = Duration.seconds(20)
    let logger: Logger

    func decide(_ request: AdmissionRequest) async -> AdmissionDecision {
        do {
            switch request.kind {
            case "Pod":
                return try await withTimeout(limit) { try await injector.decide(request, in: place(of: request)) }
            case "PersistentVolumeClaim":
                return try await withTimeout(limit) { try await adopter.decide(request, in: place(of: request)) }
            default: return .unchanged
            }
        } catch let refusal as AdmissionRefusal {
            logger.notice(
                "An object is refused",
                metadata: ["kind": "\(request.kind ?? "")", "namespace": "\(request.namespace ?? "")", "why": "\(refusal.message)"])
            return .denied(code: refusal.code, refusal.message)
        } catch {
            logger.error("An object cannot be reviewed", metadata: ["kind": "\(request.kind ?? "")", "error": "\(error)"])
            return .denied(code: 400, "Unexpected error happened")
        }
    }

    /// Whose the namespace is: its own labels say so, which are the platform's to set. It is asked for each time: the API server that waits for the
    /// answer is the one that gives this.
    private func place(of request: AdmissionRequest) async throws -> DiskPlace {
        guard let name = request.namespace, !name.isEmpty else { throw AdmissionRefusal(400, "The request names no namespace") }
        let labels = try await client.get(.namespaces, name).metadata.labels
        guard let org = labels[ProjectNamespace.orgLabel], let project = labels[ProjectNamespace.projectLabel] else {
            throw AdmissionRefusal(400, "Namespace lacks required org / project labels")
        }
        do {
            let place = DiskPlace(org: try OrgName(org), project: try ProjectName(project))
            guard place.namespace == name else {
                throw AdmissionRefusal(400, "Namespace \(name) is not that of the org and project of its labels")
            }
            return place
        } catch let error as NameError {
            throw AdmissionRefusal(400, "Namespace \(name) has labels that are no names: \(error)")
        }
    }
}
