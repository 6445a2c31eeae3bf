import Kubernetes
import PlatformModel

/// The Services and the Ingress of a job (jobs-orchestration.md 4.13, 4.14).
struct JobNetwork: Sendable {
    let job: JobRecord
    let cluster: ClusterDocument
    let settings: ControllerSettings
    /// The pod's.
    let labels: [String: String]

    var service: KubernetesService { service(named: job.id.text) }
    var namedService: KubernetesService? { job.namedHost.map(service(named:)) }

    private func service(named name: String) -> KubernetesService {
        let port = job.spec.container.http?.port ?? 0
        var spec = ServiceSpec(
            selector: labels, ports: [ServicePort(name: "http", port: 80, targetPort: .int(port > 0 ? port : 80))], clusterIP: "None")
        spec.type = "ClusterIP"
        return KubernetesService(metadata: ObjectMeta(name: name, labels: labels), spec: spec)
    }

    /// Whether the job asks for something that its ingress could not keep: without the gateway's question anybody would reach it.
    var isUnprotectable: Bool {
        job.spec.container.http?.requiresAuth == true && (settings.ingressClass != "traefik" || settings.ingressAuthMiddleware.isEmpty)
    }

    /// nil for jobs that serve no HTTP, and for those that could not be protected (ingress-auth.md S13).
    var ingress: Ingress? {
        guard job.spec.container.http != nil, !isUnprotectable else { return nil }
        var labels = self.labels
        if let name = job.name { labels.merge(JobLabels.named(job, name)) { $1 } }
        var annotations: [String: String] = [:]
        if settings.ingressClass == "traefik" {
            let auth = job.spec.container.http?.requiresAuth == true ? [settings.ingressAuthMiddleware] : []
            annotations["traefik.ingress.kubernetes.io/router.middlewares"] =
                ([settings.ingressErrorPageMiddleware] + auth).joined(separator: ",")
        }
        let rules = hosts.map { IngressRule(host: $0, paths: [IngressPath(backend: IngressBackend(service: job.id.text, port: 80))]) }
        return Ingress(
            metadata: ObjectMeta(name: job.id.text, labels: labels, annotations: annotations),
            spec: IngressSpec(ingressClassName: settings.ingressClass, rules: rules))
    }

    /// The plain host and, for a named job, the named one. The template may carry the gateway's port, which no Ingress host has.
    var hosts: [String] {
        var template = cluster.orchestrator.jobHostnameTemplate
        if let colon = template.lastIndex(of: ":"), template[colon...].dropFirst().allSatisfy(\.isNumber) {
            template = String(template[..<colon])
        }
        return ([job.id.text] + (job.namedHost.map { [$0] } ?? [])).map {
            template.replacing("{job_id}", with: $0).replacing("{namespace}", with: job.namespace)
        }
    }
}
