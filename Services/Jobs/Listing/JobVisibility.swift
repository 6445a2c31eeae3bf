import Identity
import PlatformModel

/// What of the jobs a caller may see: the union of scopes, read off the caller's access tree of `job:` (jobs-api.md 15.4).
struct JobVisibility: Hashable, Sendable {
    struct Project: Hashable, Sendable {
        let cluster: String
        let org: String
        let project: String
    }

    /// One job, by id or by name: then every job of that name in the project, present and future.
    struct Leaf: Hashable, Sendable {
        let project: Project
        let key: String
    }

    private(set) var everything = false
    private(set) var clusters: [String] = []
    private(set) var orgs: [(cluster: String, org: String)] = []
    private(set) var projects: [Project] = []
    private(set) var ids: [Leaf] = []
    private(set) var names: [Leaf] = []

    static let all: JobVisibility = {
        var all = JobVisibility()
        all.everything = true
        return all
    }()

    private init() {}

    var isEmpty: Bool {
        !everything && clusters.isEmpty && orgs.isEmpty && projects.isEmpty && ids.isEmpty && names.isEmpty
    }

    /// Branches that the filter does not ask for are cut off; below a readable node nothing is looked at.
    init(_ root: PermissionTree.Node, filter: JobFilter) {
        guard root.action >= .list else { return }
        if root.action >= .read {
            everything = true
            return
        }
        for (cluster, node) in Self.listed(root, among: filter.clusters) {
            if node.action >= .read {
                clusters.append(cluster)
                continue
            }
            for (org, node) in Self.listed(node, among: filter.orgs) {
                if node.action >= .read {
                    orgs.append((cluster, org))
                    continue
                }
                for (name, node) in Self.listed(node, among: filter.projects) {
                    let project = Project(cluster: cluster, org: org, project: name)
                    if node.action >= .read { projects.append(project) } else { addLeaves(of: node, in: project) }
                }
            }
        }
    }

    private mutating func addLeaves(of node: PermissionTree.Node, in project: Project) {
        for (key, leaf) in node.children where leaf.action >= .read && leaf.children.isEmpty {
            let leaf = Leaf(project: project, key: key)
            if JobID.looksLikeID(key) { ids.append(leaf) } else { names.append(leaf) }
        }
    }

    private static func listed(_ node: PermissionTree.Node, among wanted: Set<String>) -> [(String, PermissionTree.Node)] {
        node.children.filter { $0.value.action >= .list && (wanted.isEmpty || wanted.contains($0.key)) }.map { ($0.key, $0.value) }
    }

    static func == (a: JobVisibility, b: JobVisibility) -> Bool {
        a.everything == b.everything && Set(a.clusters) == Set(b.clusters)
            && Set(a.orgs.map { [$0.cluster, $0.org] }) == Set(b.orgs.map { [$0.cluster, $0.org] })
            && Set(a.projects) == Set(b.projects) && Set(a.ids) == Set(b.ids) && Set(a.names) == Set(b.names)
    }

    func hash(into hasher: inout Hasher) {
        hasher.combine(everything)
        hasher.combine(Set(clusters))
        hasher.combine(Set(projects))
    }
}
