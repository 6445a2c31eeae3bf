import Kubernetes
import PlatformModel

/// The variables of a job's container: the user's, then the platform's, which win, then those from secrets (jobs-orchestration.md 4.8).
enum PodEnvironment {
    static func variables(of job: JobRecord) -> [EnvironmentVariable] {
        let container = job.spec.container
        var variables: [EnvironmentVariable] = []
        func set(_ name: String, _ value: String) {
            let variable = EnvironmentVariable(name: name, value: value)
            if let place = variables.firstIndex(where: { $0.name == name }) {
                variables[place] = variable
            } else {
                variables.append(variable)
            }
        }
        for name in ordered(container.env.keys, by: job.spec.environmentOrder) { set(name, container.env[name] ?? "") }
        for (name, value) in platform(job) { set(name, value) }
        for name in ordered(container.secretEnv.keys, by: job.spec.environmentOrder) {
            guard let secret = container.secretEnv[name].map(SecretReference.init) else { continue }
            variables.append(EnvironmentVariable(name: name, secret: secret.objectName, key: secret.key))
        }
        return variables
    }

    private static func platform(_ job: JobRecord) -> [(String, String)] {
        let http = job.spec.container.http
        var variables = [
            ("NEURO_JOB_ID", job.id.text),
            ("NEURO_JOB_NAME", job.name ?? ""),
            ("NEURO_JOB_OWNER", job.owner),
            ("NEURO_JOB_CLUSTER", job.cluster),
            ("NEURO_JOB_INTERNAL_HOSTNAME", job.internalHostname),
            ("NEURO_JOB_INTERNAL_HOSTNAME_NAMED", job.internalHostnameNamed ?? ""),
            ("NEURO_JOB_HTTP_PORT", http.map { String($0.port) } ?? ""),
            ("NEURO_JOB_HTTP_AUTH", http?.requiresAuth == true ? "True" : ""),
        ]
        if let preset = job.spec.presetName { variables.append(("NEURO_JOB_PRESET", preset)) }
        return variables
    }

    /// In request order; names that the order does not know follow alphabetically.
    private static func ordered(_ names: some Collection<String>, by order: [String]) -> [String] {
        let places = Dictionary(order.enumerated().map { ($1, $0) }) { first, _ in first }
        return names.sorted { (places[$0] ?? .max, $0) < (places[$1] ?? .max, $1) }
    }
}

/// A `secret://cluster/…path…/key` as Kubernetes knows it.
struct SecretReference: Hashable, Sendable {
    let objectName: String
    let key: String

    init(_ uri: ResourceURI) {
        let path = uri.segments.dropFirst()
        objectName = "project--" + path.dropLast().joined(separator: "--") + "--secrets"
        key = path.last ?? ""
    }
}
