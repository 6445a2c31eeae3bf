import PlatformModel

/// `GET /config`: how to log in, and for an authorized caller what there is to work with. URL keys are never null, only absent.
public struct BootstrapDocument: Hashable, Sendable, Codable {
    public var authorized: Bool
    public var authURL: String?
    public var tokenURL: String?
    public var logoutURL: String?
    public var clientID: String?
    public var audience: String?
    public var callbackURLs: [String]?
    public var headlessCallbackURL: String?
    public var successRedirectURL: String?
    public var adminURL: String?
    public var vclusterURL: String?
    public var orgs: [Membership]?
    public var clusters: [BootstrapCluster]?
    public var projects: [ProjectMembership]?

    public init(authorized: Bool = false) { self.authorized = authorized }

    public struct Membership: Hashable, Sendable, Codable {
        public var name: OrgName
        public var role: OrgRole

        public init(name: OrgName, role: OrgRole) {
            self.name = name
            self.role = role
        }
    }

    public struct ProjectMembership: Hashable, Sendable, Codable {
        public var name: ProjectName
        public var role: ProjectRole
        public var clusterName: ClusterName
        public var orgName: OrgName?

        public init(name: ProjectName, role: ProjectRole, clusterName: ClusterName, orgName: OrgName?) {
            self.name = name
            self.role = role
            self.clusterName = clusterName
            self.orgName = orgName
        }

        enum CodingKeys: String, CodingKey {
            case name, role
            case clusterName = "cluster_name"
            case orgName = "org_name"
        }
    }

    enum CodingKeys: String, CodingKey {
        case authorized, audience, orgs, clusters, projects
        case authURL = "auth_url"
        case tokenURL = "token_url"
        case logoutURL = "logout_url"
        case clientID = "client_id"
        case callbackURLs = "callback_urls"
        case headlessCallbackURL = "headless_callback_url"
        case successRedirectURL = "success_redirect_url"
        case adminURL = "admin_url"
        case vclusterURL = "vcluster_url"
    }
}
