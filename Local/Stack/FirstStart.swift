import AsyncHTTPClient
import Foundation
import PlatformClients
import PlatformModel
import ServiceKit

/// What a new platform needs before anyone can work: the cluster, an organization, a project, and the admin as a member of each.
///
/// Everything is made over the public APIs with the admin's token, and each step is harmless when repeated. The cluster's document is
/// brought up to date on every start, since ports and nodes change.
struct FirstStart: Sendable {
    /// Bytes that the disks of a project may have together.
    static let diskLimit: Int64 = 100 << 30

    let stack: Stack
    let token: String

    func carryOut() async throws {
        let secret = Secret(token)
        let config = ConfigClient(http: .shared, baseURL: stack.ports.url(.config), token: secret)
        let admin = AdminClient(http: .shared, baseURL: stack.ports.url(.admin) + "/apis/admin/v1", token: secret)
        let name = try ClusterName(Stack.clusterName)
        let org = try OrgName("default")
        let project = try ProjectName("default")

        try await config.createCluster(name)
        try await configure(name, with: config)

        try await admin.createUser(AdminUser(name: "admin", email: "admin@localhost.localdomain"))
        try await admin.createCluster(AdminCluster(name: name))
        try await admin.createOrg(Org(name: org))
        try await admin.addOrgUser(OrgUser(userName: "admin", role: .admin), to: org)
        try await admin.addOrg(OrgCluster(orgName: org), to: name)
        try await admin.addClusterUser(ClusterUser(userName: "admin", role: .admin, orgName: org), to: name)
        if try await admin.project(name, org, project) == nil {
            try await admin.createProject(CreateProjectRequest(name: project, isDefault: true), name, org)
        }
        try await admin.addProjectUser(ProjectUser(userName: "admin", role: .admin), name, org, project)
    }

    /// Where the admin chooses a password; nil when there is one.
    func invitation() async throws -> String? {
        let auth = AuthClient(http: .shared, baseURL: stack.ports.url(.auth), token: Secret(token))
        let admin = try PrincipalName("admin")
        guard try await auth.account(admin)?.hasPassword != true else { return nil }
        return try await auth.invite(admin).url
    }

    /// Addresses, node pool and presets of the local cluster. Presets that somebody changed or added stay as they are.
    private func configure(_ name: ClusterName, with config: ConfigClient) async throws {
        let node = try await NodePool(kubeconfig: stack.folder.file("kubeconfig")).claim()
        let base = "\(stack.publicURL)/clusters/\(name)"
        let pool = ResourcePoolType(
            name: "default", minSize: 1, maxSize: 1, cpu: node.cores, memory: node.memoryBytes, diskSize: 100 << 30)
        let kubeconfig = stack.folder.read("kubeconfig") ?? ""
        var patch: [String: JSON] = [
            "storage": .object(["url": .string(base + "/api/v1/storage")]),
            "registry": .object(["url": .string(stack.publicURL)]),
            "monitoring": .object(["url": .string(base + "/api/v1/jobs")]),
            "secrets": .object(["url": .string(base + "/api/v1/secrets")]),
            "grafana": .object(["url": .string(base + "/grafana")]),
            "prometheus": .object(["url": .string(base + "/prometheus")]),
            "disks": .object(["url": .string(base + "/api/v1/disk"), "storage_limit_per_user": .integer(Self.diskLimit)]),
            "buckets": .object(["url": .string(base + "/api/v1/buckets")]),
            "apps": .object(["app_proxy_url": .string(base + "/apps")]),
            "credentials": .object([
                "kubernetes": .object(["kubeconfig": .string(kubeconfig), "storage_backends": stack.storageBackends.json])
            ]),
        ]
        var orchestrator: [String: JSON] = [
            // The gateway's port belongs to the address that people see; the ingress host is without it.
            "job_hostname_template": .string("{job_id}.jobs.\(name).localhost:\(stack.ports.gateway)"),
            "job_fallback_hostname": .string("default.jobs.\(name).localhost"),
            "is_http_ingress_secure": .bool(false),
            "resource_pool_types": try JSON(encoding: [pool]),
        ]
        if try await config.cluster(name)?.orchestrator.resourcePresets.isEmpty ?? true {
            orchestrator["resource_presets"] = try JSON(encoding: presets(for: node))
        }
        patch["orchestrator"] = .object(orchestrator)
        try await config.patchCluster(name, .object(patch))
    }

    /// A small one of which many fit, and one that takes half the machine.
    private func presets(for node: NodePool.Capacity) -> [ResourcePreset] {
        [
            ResourcePreset(
                name: "cpu-small", cpu: 0.1, memory: 256 << 20, resourcePoolNames: ["default"], availableResourcePoolNames: ["default"]),
            ResourcePreset(
                name: "cpu-medium", cpu: node.cores / 2, memory: node.memoryBytes / 2, resourcePoolNames: ["default"],
                availableResourcePoolNames: ["default"]),
        ]
    }
}

extension JSON {
    fileprivate init(encoding value: some Encodable) throws {
        self = try JSONDecoder().decode(JSON.self, from: JSONEncoder().encode(value))
    }
}
