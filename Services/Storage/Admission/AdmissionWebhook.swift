import Foundation
import Injection
import Kubernetes
import PlatformModel
import ServiceKit
import ServiceLifecycle

/// The webhook as the settings want it: a second server of this process, over TLS.
struct AdmissionWebhook: Sendable {
    static let path = "/admission-controller/mutate"

    /// What is to run.
    let services: [any Service]

    /// - Returns: nil when it is not switched on.
    init?(_ context: ServiceContext, cluster: String, table: StorageTable) async throws {
        let kubernetes = OwnKubernetes(context)
        let server = try await AdmissionServer(context, of: "storage", path: Self.path, kubernetes: { try kubernetes.get().0 }) {
            StorageInjector(
                cluster: cluster, table: table, volumes: try await Self.volumes(context, kubernetes),
                owner: NamespaceOwner(client: try kubernetes.get().0), logger: context.logger)
        }
        guard let server else { return nil }
        services = server.services
    }

    private static func volumes(_ context: ServiceContext, _ kubernetes: OwnKubernetes) async throws -> InjectableVolumes {
        if let text = context.settings.optional("storage.backends") {
            do {
                let backends = try StorageBackends(text: text, name: "ORRERY_STORAGE_BACKENDS")
                guard !backends.isEmpty else { throw SettingError("ORRERY_STORAGE_BACKENDS is an empty list.") }
                return InjectableVolumes(stated: backends)
            } catch let error as StorageBackends.Invalid {
                throw SettingError("\(error).")
            }
        }
        let (client, namespace) = try kubernetes.get()
        // A pod's host name is its name, cut where it is too long for one.
        let name = try context.settings.string("pod.name", default: ProcessInfo.processInfo.hostName)
        let pod: KubernetesObject
        do {
            pod = try await client.get(ResourceKind.pods.generic, name, in: namespace)
        } catch {
            throw SettingError("The webhook cannot read its own pod \(namespace)/\(name): \(error)")
        }
        return try await InjectableVolumes(pod: pod) { claim in
            do {
                let object = try await client.get(ResourceKind.persistentVolumeClaims.generic, claim, in: namespace)
                guard let volume = object["spec"]?["volumeName"]?.string else { return nil }
                return try await client.get(.persistentVolumeObjects, volume)
            } catch {
                throw SettingError("The webhook cannot read the volume behind its claim \(namespace)/\(claim): \(error)")
            }
        }
    }
}

/// The Kubernetes that this process runs in; one client for all that is read there.
private final class OwnKubernetes {
    private let context: ServiceContext
    private var found: (KubernetesClient, String)?

    init(_ context: ServiceContext) { self.context = context }

    /// The client and the namespace of the process.
    func get() throws -> (KubernetesClient, String) {
        if let found { return found }
        let client = try context.kubernetes { $0.callTimeout = .seconds(10) }
        let namespace = try AdmissionServer.namespace(context.settings, of: "storage", client)
        found = (client, namespace)
        return (client, namespace)
    }
}

extension ResourceKind where Object == KubernetesObject {
    fileprivate static var persistentVolumeObjects: Self {
        .init(version: "v1", kind: "PersistentVolume", plural: "persistentvolumes", isNamespaced: false)
    }
}
