import PlatformModel

/// The administrative URIs that permissions of this API are about.
enum AdminURIs {
    static func cluster(_ cluster: ClusterName) -> ResourceURI { ResourceURI(.cluster, cluster) }
    static func access(_ cluster: ClusterName) -> ResourceURI { ResourceURI(.cluster, [cluster.text, "access"]) }
    static func clusterUsers(_ cluster: ClusterName) -> ResourceURI { ResourceURI(.cluster, [cluster.text, "users"]) }
    static func clusterOrgs(_ cluster: ClusterName) -> ResourceURI { ResourceURI(.cluster, [cluster.text, "orgs"]) }

    /// `cluster://{c}/orgs/{o}[/…]`
    static func org(_ org: OrgName, in cluster: ClusterName, _ rest: String...) -> ResourceURI {
        ResourceURI(.cluster, [cluster.text, "orgs", org.text] + rest)
    }

    /// `cluster://{c}/orgs/{o}/projects[/…]`, or `cluster://{c}/projects[/…]` without an organization.
    static func projects(_ place: ProjectPlace, _ rest: String...) -> ResourceURI {
        let base = [place.cluster.text] + (place.org.map { ["orgs", $0.text] } ?? [])
        return ResourceURI(.cluster, base + ["projects"] + rest)
    }

    /// `org://{o}[/…]`
    static func org(_ org: OrgName, _ rest: String...) -> ResourceURI { ResourceURI(.org, [org.text] + rest) }

    /// `{scheme}://{segments}` of every kind of thing that projects hold.
    static func resources(_ segments: [String], _ action: Action) -> [Permission] {
        ResourceScheme.projectResources.map { Permission(ResourceURI($0, segments), action) }
    }
}
