import Foundation
import Kubernetes
import PlatformModel

/// What the genuine Kubernetes of this machine has beside its own, as the charts make it in production: the services' admission webhooks, a class of
/// storage, and an account for disk-api, whose webhook must tell its own claims from others'.
struct Webhooks: Sendable {
    private let all: [Webhook]
    private let folder: RunFolder
    private let storage: StorageBackends
    private let account: DiskAccount

    /// - Parameter storage: where nodes find the shared storage.
    init(_ stack: Stack, storage: StorageBackends) {
        all = [.storage(stack), .disk(stack)]
        folder = stack.folder
        self.storage = storage
        account = DiskAccount(folder: stack.folder)
    }

    private var kubeconfig: String { folder.file("kubeconfig") }

    /// Before the services start.
    func prepare() async throws {
        for webhook in all { try webhook.prepare() }
        try await StandardStorage(kubeconfig: kubeconfig).ensure()
        try await account.ensure()
    }

    /// What a service is told.
    func environment(_ part: ServicePart) throws -> [String: String] {
        guard var settings = all.first(where: { $0.service == part })?.environment else { return [:] }
        // It is no pod here, whose volumes would tell what others can mount.
        if part == .storage {
            settings["ORRERY_KUBECONFIG"] = kubeconfig
            settings["ORRERY_STORAGE_BACKENDS"] = String(decoding: try JSONEncoder().encode(storage.json), as: UTF8.self)
        }
        if part == .disk { settings["ORRERY_KUBECONFIG"] = account.kubeconfig }
        return settings
    }

    /// Runs the body while they are registered.
    func registered(_ body: () async throws -> Void) async throws {
        do {
            for webhook in all { try await webhook.register(kubeconfig) }
            try await body()
        } catch {
            // The way down: a cancelled task may still run calls in a task of its own.
            await Task { for webhook in all { try? await webhook.unregister(kubeconfig) } }.value
            throw error
        }
    }
}
