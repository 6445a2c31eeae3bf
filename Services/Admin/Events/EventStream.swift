import ServiceKit

/// The streams that there are.
enum EventStream: String, CaseIterable, Sendable {
    /// What happens to organizations and projects.
    case admin = "platform-admin"
    /// What happens to clusters.
    case config = "platform-config"

    /// The service whose news it carries; nobody else sends any.
    var sender: String {
        switch self {
        case .admin: "admin-api"
        case .config: "config-api"
        }
    }
}

/// Who follows streams: a service of the control plane, or one of a cluster's, which hears of its own cluster alone.
struct EventSubscriber: Hashable, Sendable {
    let name: String
    /// nil hears of all clusters.
    let cluster: String?

    /// - Throws: 403 for people, service accounts and the tokens of jobs.
    init(_ caller: Caller) throws {
        let isService =
            switch caller.kind {
            case .controlPlane: true
            case .cluster: caller.cluster != nil
            case .user: false
            }
        guard isService, caller.tokenURI == nil else { throw PlatformError.forbidden("Events are for the platform's own services") }
        name = caller.name
        cluster = caller.kind == .cluster ? caller.cluster : nil
    }

    func maySend(to stream: EventStream) -> Bool { cluster == nil && name == stream.sender }

    /// Events that are about no cluster are everybody's.
    func maySee(cluster: String?) -> Bool { self.cluster == nil || cluster == nil || cluster == self.cluster }
}
