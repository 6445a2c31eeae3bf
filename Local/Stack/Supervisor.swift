import Foundation
import Logging
import Subprocess
import SystemPackage

/// Keeps a part running: starts it in a session of its own, writes its pid, starts it again when it ends, and ends it when the task is cancelled.
///
/// While `held/<name>` exists in the run folder the part is not started again: that is how the tests take a dependency away for a while.
struct Supervisor: Sendable {
    let folder: RunFolder
    let part: Part

    func run() async throws {
        var pause = Duration.milliseconds(100)
        while !Task.isCancelled {
            try await waitWhileHeld()
            let begun = ContinuousClock.now
            try await runOnce()
            if Task.isCancelled { return }
            pause = ContinuousClock.now - begun > .seconds(10) ? .milliseconds(100) : min(pause * 2, .seconds(5))
            try await Task.sleep(for: pause)
        }
    }

    private func waitWhileHeld() async throws {
        while folder.exists("held/\(part.name)") { try await Task.sleep(for: .milliseconds(50)) }
    }

    private func runOnce() async throws {
        let log = try FileDescriptor.open(
            FilePath(folder.file("logs/\(part.name).log")), .writeOnly, options: [.create, .append], permissions: [.ownerReadWrite])
        defer { try? log.close() }
        var options = PlatformOptions()
        options.createSession = true
        options.teardownSequence = [
            .send(signal: Signal(rawValue: part.stopSignal), allowedDurationToNextStep: .seconds(25))
        ]
        var command = (executable: part.executable, arguments: part.arguments)
        if SystemUser.isRoot, let user = part.user { command = user.command(part.executable, part.arguments) }
        let environment = part.environment.map { (Environment.Key(stringLiteral: $0.key), Optional($0.value)) }
        let configuration = Configuration(
            executable: .path(FilePath(command.executable)), arguments: Arguments(command.arguments),
            environment: .inherit.updating(Dictionary(uniqueKeysWithValues: environment)),
            workingDirectory: FilePath("/"), platformOptions: options)
        try folder.write(
            part.environment.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)\n" }.joined(), to: "parts/\(part.name).env",
            permissions: 0o600)
        _ = try await Subprocess.run(
            configuration, input: .none, output: .fileDescriptor(log, closeAfterSpawningProcess: false),
            error: .fileDescriptor(log, closeAfterSpawningProcess: false)
        ) { execution in
            try folder.write("\(execution.processIdentifier.value)\n", to: "parts/\(part.name).pid")
        }
        folder.remove("parts/\(part.name).pid")
    }
}
