import Foundation
import PlatformModel

/// The platform on one machine: stores, a cluster, the services and the gateway, started from the bottom up and stopped from the top down.
struct Stack: Sendable {
    static let clusterName = "default"

    let folder: RunFolder
    let ports: Ports
    let stores: Stores
    let cluster: Cluster
    /// Where the services' executables are.
    let binaries: String
    let traefik: String
    let progress = Progress()

    /// What storage-api serves.
    var storageFolder: String { folder.file("storage") }

    /// Where the nodes of a cluster on this machine find that.
    private var storageOnNodes: StorageBackends {
        return StorageBackends([.init(source: .hostPath(path: (storageFolder as NSString).standardizingPath, type: "DirectoryOrCreate"))])
    }

    /// What the cluster's document says of it: then jobs-api puts volumes into pods. On the genuine Kubernetes the storage service's admission
    /// webhook does, as in production; and the nodes of a cluster that was given are not this machine, as far as anybody knows.
    var storageBackends: StorageBackends {
        if case .embedded = cluster { storageOnNodes } else { StorageBackends([]) }
    }

    /// nil where there are none to be.
    private var webhooks: Webhooks? {
        if case .testbed = cluster { Webhooks(self, storage: storageOnNodes) } else { nil }
    }

    /// What a service is told of its own.
    func webhookEnvironment(_ part: ServicePart) throws -> [String: String] { try webhooks?.environment(part) ?? [:] }

    var publicURL: String { "http://127.0.0.1:\(ports.gateway)" }

    /// Starts everything, tells what to type, and runs until the task is cancelled.
    func run() async throws {
        let begun = ContinuousClock.now
        defer { folder.remove("ready") }
        folder.remove("ready")
        let token = try await Keys(folder: folder).prepare()
        try folder.write(String(decoding: JSONEncoder().encode(cluster.facts), as: UTF8.self), to: "cluster.json")
        try await running(stores.parts(), named: "Postgres and Redis") {
            try await Databases(url: stores.postgresURL).prepare(ServicePart.allCases.compactMap(\.database))
            try await withCluster {
                let gateway = Gateway(folder: folder, executable: traefik, ports: ports, kubeconfig: folder.file("kubeconfig"))
                try await GatewayClass(kubeconfig: folder.file("kubeconfig")).ensure()
                try await webhooks?.prepare()
                try await running(try ServicePart.allCases.map { try $0.part(self) }, named: "services") {
                    try await withWebhooks {
                        try await running([gateway.part()], named: "gateway") {
                            let first = FirstStart(stack: self, token: token)
                            try await progress.step("first start") { try await first.carryOut() }
                            announce(after: ContinuousClock.now - begun, invitation: try await first.invitation())
                            try folder.write("\(publicURL)\n", to: "ready")
                            while true { try await Task.sleep(for: .seconds(3600)) }
                        }
                    }
                }
            }
        }
    }

    private func withWebhooks(_ body: () async throws -> Void) async throws {
        if let webhooks { try await webhooks.registered(body) } else { try await body() }
    }

    /// Runs the cluster beside the body, with a kubeconfig that is complete in itself in the run folder.
    private func withCluster(_ body: () async throws -> Void) async throws {
        switch cluster {
        case .embedded(let embedded):
            try await embedded.check()
            try await running([embedded.registry.part()], named: "image registry", { try await embedded.registry.publish() }) {
                let kubeconfig = { try folder.write(Cluster.completed(embedded.kubeconfig), to: "kubeconfig", permissions: 0o600) }
                try await running([embedded.part()], named: "cluster", kubeconfig, body)
            }
        case .testbed(let testbed):
            try await progress.step("Kubernetes (the testbed; its first build takes 10 minutes)", speaks: true) {
                try await testbed.start()
            }
            do {
                try await body()
            } catch {
                // The way down is the same whatever ended us; a cancelled task may still run commands in a task of its own.
                progress.say("  stopping the cluster")
                try await Task { try await testbed.stop() }.value
                throw error
            }
        case .given(let kubeconfig):
            try folder.write(Cluster.completed(kubeconfig), to: "kubeconfig", permissions: 0o600)
            try await body()
        }
    }

    /// Runs parts beside the body; ends them when the body ends. `prepare` is done once they are ready, and belongs to their step.
    private func running(
        _ parts: [Part], named name: String, _ prepare: () async throws -> Void = {}, _ body: () async throws -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for part in parts { group.addTask { try await Supervisor(folder: folder, part: part).run() } }
            defer { group.cancelAll() }
            try await progress.step(name) {
                for part in parts { try await waitUntilReady(part) }
                try await prepare()
            }
            try await body()
        }
    }

    private func waitUntilReady(_ part: Part, limit: Duration = .seconds(120)) async throws {
        let deadline = ContinuousClock.now + limit
        while await !part.isReady() {
            guard ContinuousClock.now < deadline else {
                throw StackError("\(part.name) did not become ready; see \(folder.file("logs/\(part.name).log"))")
            }
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    private func announce(after time: Duration, invitation: String?) {
        let token = folder.file("admin-token")
        progress.say(
            """

            Orrery is ready after \(String(format: "%.0f", time / .seconds(1))) s at \(publicURL). Type, in another terminal:

              export PATH="\(folder.file("bin")):$PATH"
              apolo config login-with-token "$(cat "\(token)")" \(publicURL)/api/v1
              apolo run --detach --name hello --preset cpu-small registry.local/busybox -- sh -c 'echo hello; sleep 5; echo bye'
              apolo logs hello
              apolo status hello

            \(invitation.map { "To sign in with a browser (apolo login \(publicURL)/api/v1), first choose admin's password: \($0)\n\n" } ?? "")\
            Logs are in \(folder.file("logs")). Ctrl-C stops everything; what was made is kept for the next start.
            """)
    }
}
