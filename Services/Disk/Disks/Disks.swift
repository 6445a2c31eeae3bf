import PlatformClients
import PlatformModel
import ServiceKit

/// What callers do with disks. Each question asks auth-api once, and before Kubernetes.
struct Disks: Sendable {
    let cluster: ClusterName
    let auth: AuthClient
    let store: DiskStore
    let namespaces: ProjectNamespaces
    let quota: ProjectQuota
    private let turns = ProjectTurns()

    init(cluster: ClusterName, auth: AuthClient, store: DiskStore, quota: ProjectQuota) {
        self.cluster = cluster
        self.auth = auth
        self.store = store
        self.quota = quota
        namespaces = ProjectNamespaces(client: store.client)
    }

    func create(_ request: DiskRequest, as caller: Caller) async throws -> Disk {
        let owner = try Self.label(of: caller)
        try await auth.require(Permission(request.place.uri(in: cluster), .write), as: caller)
        return try await turns.take(request.place.namespace) {
            guard try await quota.admits(request.storage, beside: store.list(in: request.place)) else {
                throw DiskRefusal.overLimit(quota)
            }
            try await namespaces.ensure(request.place)
            let disk = try await store.create(request, owner: owner, at: .now)
            // Another process may have made one meanwhile.
            guard try await quota.admits(disk, asked: request.storage, among: store.list(in: request.place)) else {
                try await store.remove(disk)
                throw DiskRefusal.overLimit(quota)
            }
            return disk
        }
    }

    /// What the caller may read of a project's.
    func list(in place: DiskPlace, as caller: Caller) async throws -> [Disk] {
        let tree = try await auth.tree(place.uri(in: cluster), as: caller)
        return try await store.list(in: place).filter { tree.action(on: $0.uri(in: cluster)) >= .read }
    }

    /// What the caller may read of an org's.
    func list(of org: OrgName, as caller: Caller) async throws -> [Disk] {
        let tree = try await auth.tree(ResourceURI(.disk, cluster, org), as: caller)
        return try await store.list(of: org).filter { tree.action(on: $0.uri(in: cluster)) >= .read }
    }

    func disk(_ text: String, in place: DiskPlace, as caller: Caller) async throws -> Disk {
        try await find(text, in: place, .read, as: caller)
    }

    func remove(_ text: String, in place: DiskPlace, as caller: Caller) async throws {
        try await store.remove(find(text, in: place, .write, as: caller))
    }

    private func find(_ text: String, in place: DiskPlace, _ action: Action, as caller: Caller) async throws -> Disk {
        guard let reference = DiskReference(text) else {
            try await auth.verify(caller)
            throw DiskRefusal.unknown(text)
        }
        // Clients that found a disk by name in another project ask for its id in the current one; an id says by itself which disk it is.
        let scope = reference.isID ? ResourceURI(.disk, cluster) : place.uri(in: cluster)
        let tree = try await auth.tree(scope, as: caller)
        if let disk = try await store.find(reference, in: place) {
            let wanted = Permission(disk.uri(in: cluster), action)
            guard tree.action(on: wanted.uri) >= action else {
                throw PlatformError(.forbidden, "Forbidden", body: MissingPermissions(missing: [wanted]))
            }
            return disk
        }
        guard reference.isID, let disk = try await store.findAnywhere(reference), tree.action(on: disk.uri(in: cluster)) >= action else {
            throw DiskRefusal.unknown(text)
        }
        return disk
    }

    /// Slashes are none of a label's characters.
    private static func label(of caller: Caller) throws -> String {
        let label = caller.name.replacing("/", with: "--")
        guard label.utf8.count <= 63 else { throw PlatformError.badRequest("A disk's owner cannot have a name longer than 63 characters.") }
        return label
    }
}
