/// One process of the local platform.
struct Part: Sendable {
    let name: String
    let executable: String
    var arguments: [String] = []
    var environment: [String: String] = [:]
    /// Runs as this user when we are root; Postgres refuses to be root.
    var user: SystemUser?
    /// What asks it to end; Postgres takes SIGINT for "now, but cleanly".
    var stopSignal: Int32 = 15
    /// True once it does its work.
    var isReady: @Sendable () async -> Bool = { true }
}
