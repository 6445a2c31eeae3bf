import Foundation

/// A redis-server of the test's own, to be killed and started again; used by one test at a time.
public final class PrivateRedis: @unchecked Sendable {
    public let port: Int
    public var url: String { "redis://127.0.0.1:\(port)" }
    private let folder: URL
    private let arguments: [String]
    private var process: Process?

    public init(arguments: [String] = []) throws {
        port = try freePort()
        self.arguments = arguments
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("redis-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    deinit {
        kill()
        try? FileManager.default.removeItem(at: folder)
    }

    public func start() throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments =
            ["redis-server", "--port", "\(port)", "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", folder.path]
            + arguments
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        self.process = process
    }

    /// Ends it without a chance to answer.
    public func kill() {
        guard let process, process.isRunning else { return }
        Foundation.kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        self.process = nil
    }

    /// Stops it from answering while the socket stays open.
    public func freeze() {
        if let process { Foundation.kill(process.processIdentifier, SIGSTOP) }
    }

    public func thaw() {
        if let process { Foundation.kill(process.processIdentifier, SIGCONT) }
    }
}
