import Foundation
import NIOCore
import NIOPosix
import Synchronization
import Testing

/// An executable of this package, started beside the tests, and its log.
final class ProbeProcess: Sendable {
    private let id: Int32
    private let lines: AsyncStream<String>
    private let ended: AsyncStream<Int32>

    init(_ name: String, environment: [String: String]) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().appendingPathComponent(name)
        process.environment = environment
        let (lines, line) = AsyncStream.makeStream(of: String.self)
        let (ended, end) = AsyncStream.makeStream(of: Int32.self)
        let output = Pipe()
        process.standardOutput = output
        let rest = Rest()
        output.fileHandleForReading.readabilityHandler = { handle in
            let data = handle.availableData
            guard !data.isEmpty else {
                handle.readabilityHandler = nil
                return line.finish()
            }
            for text in rest.lines(adding: data) { line.yield(text) }
        }
        process.terminationHandler = { end.yield($0.terminationStatus) }
        try process.run()
        id = process.processIdentifier
        self.lines = lines
        self.ended = ended
    }

    /// The next line with this message, as an object.
    func line(_ message: String) async throws -> [String: Any] {
        for await line in lines {
            let object = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any], "\(line)")
            if object["message"] as? String == message { return object }
        }
        throw Missing(message: message)
    }

    func send(_ signal: Int32) { kill(id, signal) }

    /// The exit status, once it has ended.
    func status() async -> Int32? { await ended.first { _ in true } }

    struct Missing: Error {
        let message: String
    }

    /// What came after the last line break.
    private final class Rest: Sendable {
        private let data = Mutex(Data())

        func lines(adding more: Data) -> [String] {
            data.withLock { data in
                data.append(more)
                var parts = data.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
                data = Data(parts.popLast() ?? Data())
                return parts.map { String(decoding: $0, as: UTF8.self) }
            }
        }
    }
}
