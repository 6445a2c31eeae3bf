import PlatformModel

/// The org and project that a disk is asked for in.
struct DiskPlace: Hashable, Sendable {
    let org: OrgName
    let project: ProjectName

    /// Where its claims are.
    var namespace: String { JobPlace(org, project).namespace }

    func uri(in cluster: ClusterName) -> ResourceURI { ResourceURI(.disk, cluster, org, project) }
}
