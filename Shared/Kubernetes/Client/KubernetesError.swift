/// What a call to the API server can fail with.
public enum KubernetesError: Error, Sendable, CustomStringConvertible {
    /// The server answered with an error; its `Status` is kept.
    case api(Status)
    /// The server could not be reached or did not answer in time. `mayHaveRun` is false when the request surely never got there.
    case unavailable(reason: String, mayHaveRun: Bool)
    /// An answer that is not what the API promises.
    case decoding(String)
    /// A kubeconfig or a setting that cannot be used.
    case configuration(String)

    public var status: Status? { if case .api(let status) = self { status } else { nil } }
    public var code: Int? { status?.code }

    public var isNotFound: Bool { code == 404 }
    /// 409 because an object of that name stands already.
    public var isAlreadyExists: Bool { code == 409 && status?.reason == "AlreadyExists" }
    /// 409 because the object changed meanwhile, or a precondition (uid, resourceVersion) did not hold.
    public var isConflict: Bool { code == 409 && status?.reason != "AlreadyExists" }
    /// 410: the resource version or continue token is too old.
    public var isGone: Bool { code == 410 || status?.reason == "Expired" || status?.reason == "Gone" }
    public var isInvalid: Bool { code == 422 }

    /// Worth trying again later: the server is away, overloaded or restarting. 401 and 403 are not: ask again only with other credentials.
    public var isTransient: Bool {
        switch self {
        case .unavailable: true
        case .api(let status): status.code == 429 || status.code >= 500
        case .decoding, .configuration: false
        }
    }

    public var description: String {
        switch self {
        case .api(let status): "Kubernetes API \(status.code) \(status.reason ?? ""): \(status.message ?? "")"
        case .unavailable(let reason, let mayHaveRun): "Kubernetes API unavailable\(mayHaveRun ? " (request may have run)" : ""): \(reason)"
        case .decoding(let reason): "Kubernetes API answered something unexpected: \(reason)"
        case .configuration(let reason): "Kubernetes client configuration: \(reason)"
        }
    }
}
