import ArgumentParser
import Foundation
import ServiceLifecycle
import Subprocess
import SystemPackage
import UnixSignals

/// The platform on one machine, for work on it and for a first look; production is Kubernetes and the Helm charts.
@main
struct OrreryLocal: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "orrery-local", abstract: "Runs the platform on this machine.",
        subcommands: [Run.self, WithStores.self, MakeKeys.self])
}

/// Carries out work until it ends or the process is asked to end; nil then.
private func untilStopped<T: Sendable>(_ body: @escaping @Sendable () async throws -> T) async throws -> T? {
    try await withThrowingTaskGroup(of: T?.self) { group in
        group.addTask { try await body() }
        group.addTask {
            for await _ in await UnixSignalsSequence(trapping: .sigint, .sigterm) { break }
            return nil
        }
        defer { group.cancelAll() }
        return try await group.next() ?? nil
    }
}

struct Run: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Starts everything and runs until Ctrl-C.")

    @Option(help: "The folder for data, secrets and logs.") var folder = ".run"
    @Option(help: "The folder of the services' executables.") var binaries: String
    @Option(help: "The gateway's executable.") var traefik: String
    @Option(help: "The command of the image registry.") var registry: String
    @Option(help: "The command of the testbed.") var testbed: String
    @Option(help: "The cluster below: embedded, or kubernetes (a genuine one, brought up here).") var cluster = Kind.embedded
    @Option(help: "The kubeconfig of a cluster that runs already, to be used instead.") var kubeconfig: String?
    @Flag(help: "Lets tests make the embedded cluster fail in chosen ways.") var clusterFaults = false
    @Option(help: "The public port; 0 takes one that is free.") var port = 8080

    enum Kind: String, ExpressibleByArgument { case embedded, kubernetes }

    func run() async throws {
        do {
            let folder = try RunFolder(folder)
            let lock = try RunLock(folder)
            defer { lock.release() }
            try await Leftovers(folder: folder).end()
            let ports = try Ports(folder, gateway: port)
            let stack = Stack(
                folder: folder, ports: ports, stores: Stores(folder: folder, postgresPort: ports[.postgres], redisPort: ports[.redis]),
                cluster: chosen(folder, ports), binaries: binaries, traefik: traefik)
            try await untilStopped { try await stack.run() }
        } catch let error as StackError {
            FileHandle.standardError.write(Data("\norrery-local: \(error)\n".utf8))
            throw ExitCode.failure
        }
    }

    private func chosen(_ folder: RunFolder, _ ports: Ports) -> Cluster {
        if let kubeconfig { return .given(kubeconfig: kubeconfig) }
        switch cluster {
        case .kubernetes: return .testbed(Testbed(folder: folder, command: testbed))
        case .embedded:
            let images = Registry(folder: folder, command: registry, port: ports[.registry])
            return .embedded(
                EmbeddedCluster(
                    folder: folder, executable: "\(binaries)/orrery-cluster", registry: images, port: ports[.cluster],
                    metricsPort: ports[.clusterMetrics], faults: clusterFaults))
        }
    }
}

struct WithStores: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "with-stores",
        abstract: "Runs a command beside a fresh Postgres and Redis, whose addresses it finds in its environment.")

    @Option(help: "The folder for their data; what is in it is removed.") var folder: String
    @Argument(parsing: .captureForPassthrough, help: "The command.") var command: [String]

    func run() async throws {
        let words = command.first == "--" ? Array(command.dropFirst()) : command
        guard let name = words.first else { throw ValidationError("a command is needed") }
        try? FileManager.default.removeItem(atPath: folder)
        let folder = try RunFolder(folder)
        let stores = try Stores(folder: folder, postgresPort: Probe.freePort(), redisPort: Probe.freePort(), durable: false)
        let status = try await untilStopped {
            try await stores.beside {
                try await Subprocess.run(
                    name.contains("/") ? .path(FilePath(name)) : .name(name), arguments: Arguments(Array(words.dropFirst())),
                    environment: .inherit.updating([
                        "ORRERY_TEST_POSTGRES_URL": stores.postgresURL + "/postgres", "ORRERY_TEST_REDIS_URL": stores.redisURL,
                    ]),
                    output: .currentStandardOutput, error: .currentStandardError
                ).terminationStatus
            }
        }
        guard status?.isSuccess == true else { throw ExitCode.failure }
    }
}

extension Stores {
    /// Runs both beside the body.
    fileprivate func beside<T: Sendable>(_ body: @Sendable () async throws -> T) async throws -> T {
        let parts = try await parts()
        return try await withThrowingTaskGroup(of: Void.self) { group in
            for part in parts { group.addTask { try await Supervisor(folder: folder, part: part).run() } }
            defer { group.cancelAll() }
            for part in parts {
                while await !part.isReady() { try await Task.sleep(for: .milliseconds(50)) }
            }
            return try await body()
        }
    }
}
