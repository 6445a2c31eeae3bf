import Injection
import Kubernetes
import Logging
import ServiceKit

/// Puts the shared storage that pods ask for into them, at admission (storage.md 16.3, 16.4). Whatever is in doubt is denied: a pod must not
/// run without what it was to work with.
struct StorageInjector: AdmissionReviewer {
    let cluster: String
    let table: StorageTable
    let volumes: InjectableVolumes
    let owner: NamespaceOwner
    /// How long Kubernetes and the storage may take. The API server waits for 30 s.
    var limit = Duration.seconds(20)
    let logger: Logger

    func decide(_ request: AdmissionRequest) async -> AdmissionDecision {
        guard request.kind == "Pod", let org = request.label(ProjectNamespace.orgLabel),
            let project = request.label(ProjectNamespace.projectLabel), let annotation = request.annotation(StorageInjection.key)
        else { return .unchanged }
        let pod = PodLists(request.object)
        guard !pod.containers.isEmpty, !pod.isInjected else { return .unchanged }
        let items: [StorageInjection]
        do {
            items = try StorageInjection.parse(annotation, cluster: cluster)
        } catch {
            logger.notice("A pod asks for storage in words that cannot be read", metadata: ["error": "\(error)"])
            return .denied(code: 422, "injection spec is invalid")
        }
        for item in items {
            if item.org != org { return .denied(code: 403, "org mismatch: `\(item.org)`") }
            if item.project != project { return .denied(code: 403, "project mismatch: `\(item.project)`") }
        }
        guard !items.isEmpty else { return .unchanged }
        do {
            try await prepare(items, request, org: org, project: project)
            let storage = try InjectedStorage(items) { try volumes.find($0, in: table) }
            return .patched(pod.adding(storage))
        } catch let mismatch as NamespaceOwner.Mismatch {
            logger.warning(
                "A pod asks for storage that is not its namespace's",
                metadata: ["namespace": "\(request.namespace ?? "")", "org": "\(org)", "project": "\(project)"])
            return .denied(code: 403, mismatch == .org ? "org mismatch: `\(org)`" : "project mismatch: `\(project)`")
        } catch is InjectedStorage.Unresolvable {
            return .denied(code: 400, "Unable to resolve a volume for a provided path")
        } catch {
            logger.error("Storage cannot be injected", metadata: ["error": "\(error)"])
            return .denied(code: 400, "storage injector unhandled error")
        }
    }

    /// The pod stands where its labels say, and every place is there, as a folder unless something else stands there, and no link leads to it.
    private func prepare(_ items: [StorageInjection], _ request: AdmissionRequest, org: String, project: String) async throws {
        try await withTimeout(limit) {
            try await owner.require(request.namespace, org: org, project: project)
            for item in items {
                let place = try table.locate(StoragePath(components: item.path))
                try await place.storage.work.run { try place.storage.prepareMount(place.components, making: !request.isDryRun) }
            }
        }
    }
}

extension PodLists {
    /// The webhook is asked again after other webhooks.
    fileprivate var isInjected: Bool {
        containers.indices.contains { index in
            (mounts(of: index) ?? []).contains { $0["name"]?.string?.hasPrefix(InjectedStorage.prefix) == true }
        }
    }

    fileprivate func adding(_ storage: InjectedStorage) -> [JSONValue] {
        adding(storage.steps.map { Addition(volume: $0.volume, mount: $0.mount) })
    }
}
