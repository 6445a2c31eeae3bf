import ServiceKit

/// What an operator may set about how jobs become pods (jobs-orchestration.md 2).
struct ControllerSettings: Sendable {
    /// How long an image may fail to be pulled before the job is given up.
    var imagePullDelay: Duration = .seconds(60)
    /// How long an ended job keeps its objects, so that its log can still be read.
    var deletionDelay: Duration = .seconds(900)
    /// How often everything is looked at although nothing was announced.
    var resyncInterval: Duration = .seconds(15)
    var ingressClass = "traefik"
    var ingressAuthMiddleware = "ingress-auth@kubernetescrd"
    var ingressErrorPageMiddleware = "error-page@kubernetescrd"
    /// Key of the taint that every job tolerates.
    var jobToleration = "platform.neuromation.io/job"
    /// Key of the taint that jobs on preemptible nodes tolerate.
    var preemptibleToleration = "platform.neuromation.io/preemptible"
    /// Label that names a node's pool; empty when nodes have none.
    var nodePoolLabel = "platform.neuromation.io/nodepool"
    /// One more pull secret for all jobs.
    var imagePullSecret: String?
    /// The platform's own account at the registry.
    var registryUser = "compute"
    var registryEmail = "registry@neuromation.io"
    /// nil: each cluster's own token.
    var registryPassword: Secret?

    init(registryPassword: Secret?) { self.registryPassword = registryPassword }

    init(_ settings: Settings) throws {
        self.init(registryPassword: try settings.optionalSecret("registry.token"))
        imagePullDelay = try settings.duration("jobs.image.pull.delay", default: imagePullDelay)
        deletionDelay = try settings.duration("jobs.deletion.delay", default: deletionDelay)
        resyncInterval = try settings.duration("jobs.resync.interval", default: resyncInterval)
        ingressClass = try settings.string("jobs.ingress.class", default: ingressClass)
        ingressAuthMiddleware = try settings.string("jobs.ingress.auth.middleware", default: ingressAuthMiddleware)
        ingressErrorPageMiddleware = try settings.string("jobs.ingress.error.page.middleware", default: ingressErrorPageMiddleware)
        jobToleration = try settings.string("jobs.toleration.key", default: jobToleration)
        preemptibleToleration = try settings.string("jobs.preemptible.toleration.key", default: preemptibleToleration)
        nodePoolLabel = try settings.string("jobs.node.pool.label", default: nodePoolLabel)
        imagePullSecret = settings.optional("jobs.image.pull.secret")
        registryUser = try settings.string("registry.user", default: registryUser)
        registryEmail = try settings.string("registry.email", default: registryEmail)
    }
}
