import NIOCore
import ServiceLifecycle

/// Reads a container's log from its file, and stays with it while it is written.
struct LogReader: Sendable {
    /// How often a followed file is looked at.
    static let pause = Duration.milliseconds(50)
    private static let step = 128 << 10

    let path: String
    let request: LogRequest
    /// Whether the container still runs, so that more may come.
    let isRunning: @Sendable () async throws -> Bool

    /// Hands what is to be shown to `write`, in order; returns at the end of the log, of the container, or when the service stops.
    /// - Returns: false when there is no such file.
    func run(_ write: (ByteBuffer) async throws -> Void) async throws -> Bool {
        guard var file = try await open() else { return false }
        var printer = LogPrinter(request)
        var offset = 0
        if let lines = request.tailLines { offset = try await file.start(ofLast: lines) }
        while !printer.isFull {
            // Asked before reading: what was written before the end is then read.
            let mayGrow = request.follow ? try await isRunning() : false
            var end = file.size
            if end < offset { offset = 0 }
            while offset < end, !printer.isFull {
                let bytes = try await file.read(at: offset, count: min(Self.step, end - offset))
                guard bytes.readableBytes > 0 else { break }
                offset += bytes.readableBytes
                printer.append(bytes)
                while let output = printer.next() {
                    if output.readableBytes > 0 { try await write(output) }
                }
                end = max(end, file.size)
            }
            if printer.isFull { break }
            if file.isReplaced, let next = LogFile(path: path) {
                file = next
                offset = 0
                continue
            }
            guard mayGrow, !Task.isShuttingDownGracefully else { break }
            try await Task.sleep(for: Self.pause)
        }
        return true
    }

    /// A container that has just been started may not have written its first byte.
    private func open() async throws -> LogFile? {
        while true {
            if let file = LogFile(path: path) { return file }
            guard request.follow, !Task.isShuttingDownGracefully, try await isRunning() else { return LogFile(path: path) }
            try await Task.sleep(for: Self.pause)
        }
    }
}
