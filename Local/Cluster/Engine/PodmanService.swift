import Foundation
import Logging
import ServiceLifecycle
import Subprocess
import Synchronization
import SystemPackage

#if canImport(Glibc)
    import Glibc
#endif

/// Keeps `podman system service` running for this cluster. Containers do not depend on it: they go on when it ends.
final class PodmanService: Service {
    let layout: EngineLayout
    let podman: Podman
    private let configuration: EngineConfiguration
    private let logger: Logger
    private let answering = Mutex(false)

    init(configuration: EngineConfiguration, podman: Podman, logger: Logger) {
        self.configuration = configuration
        layout = configuration.layout
        self.podman = podman
        self.logger = logger
    }

    var isAnswering: Bool { answering.withLock { $0 } }

    /// Until the task is cancelled.
    func run() async throws {
        guard let program = configuration.programs.podman else { throw EngineError("podman is not installed") }
        try configuration.write()
        var pause = Duration.milliseconds(100)
        while !Task.isCancelled {
            await endPredecessor()
            let begun = ContinuousClock.now
            do {
                try await runOnce(program)
            } catch is CancellationError {
                break
            } catch {
                logger.error("podman's service could not be started", metadata: ["error": "\(error)"])
            }
            answering.withLock { $0 = false }
            if Task.isCancelled { break }
            pause = ContinuousClock.now - begun > .seconds(10) ? .milliseconds(100) : min(pause * 2, .seconds(10))
            logger.warning("podman's service ended and is started again", metadata: ["log": "\(layout.log)"])
            try? await Task.sleep(for: pause)
        }
    }

    /// Waits until podman answers.
    /// - Throws: `EngineError` with podman's own words when it does not within the time.
    func waitUntilAnswering(within limit: Duration = .seconds(30)) async throws {
        let end = ContinuousClock.now + limit
        while !isAnswering {
            guard ContinuousClock.now < end else { throw EngineError("podman does not answer. Its last words: \(lastWords())") }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    private func runOnce(_ program: String) async throws {
        let log = try FileDescriptor.open(
            FilePath(layout.log), .writeOnly, options: [.create, .truncate], permissions: [.ownerReadWrite])
        defer { try? log.close() }
        var options = PlatformOptions()
        options.createSession = true
        options.teardownSequence = [.send(signal: .terminate, allowedDurationToNextStep: .seconds(3))]
        // Should this process be killed, the service ends by itself once nobody has asked it anything for a minute.
        let arguments = [
            "--root", layout.root, "--runroot", layout.runRoot, "system", "service", "--time", "60", "unix://\(layout.socket)",
        ]
        let settings = Configuration(
            executable: .path(FilePath(program)), arguments: Arguments(arguments),
            environment: .inherit.updating([
                "CONTAINERS_CONF": layout.containersConfiguration, "CONTAINERS_REGISTRIES_CONF": layout.registriesConfiguration,
                "CONTAINERS_STORAGE_CONF": layout.storageConfiguration, "DBUS_SESSION_BUS_ADDRESS": nil,
            ]), workingDirectory: FilePath(layout.folder), platformOptions: options)
        _ = try await Subprocess.run(
            settings, input: .none, output: .fileDescriptor(log, closeAfterSpawningProcess: false),
            error: .fileDescriptor(log, closeAfterSpawningProcess: false)
        ) { execution in
            try Data("\(execution.processIdentifier.value)\n".utf8).write(to: URL(fileURLWithPath: layout.processIdentifier))
            let end = ContinuousClock.now + .seconds(30)
            while await !podman.isAnswering() {
                guard ContinuousClock.now < end else { return }
                try await Task.sleep(for: .milliseconds(25))
            }
            answering.withLock { $0 = true }
            // Asked now and then, it stays; and a service that hangs is noticed.
            var failures = 0
            while failures < 3 {
                try await Task.sleep(for: .seconds(20))
                failures = await podman.isAnswering() ? 0 : failures + 1
            }
        }
    }

    /// Ends the service that a killed predecessor of this process has left behind. Its containers stay.
    private func endPredecessor() async {
        guard let text = try? String(contentsOfFile: layout.processIdentifier, encoding: .utf8),
            let process = pid_t(text.trimmingCharacters(in: .whitespacesAndNewlines)), process > 1,
            let command = KernelFile.text("/proc/\(process)/cmdline"), command.contains(layout.socket)
        else { return }
        kill(process, SIGTERM)
        for step in 0..<100 {
            if kill(process, 0) != 0 { return }
            if step == 60 { kill(process, SIGKILL) }
            try? await Task.sleep(for: .milliseconds(50))
        }
    }

    private func lastWords() -> String {
        let text = (try? String(contentsOfFile: layout.log, encoding: .utf8)) ?? ""
        return text.isEmpty ? "none" : String(text.suffix(600)).trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
