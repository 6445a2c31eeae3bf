import Hummingbird
import NIOCore
import ServiceLifecycle

/// Lets a task of its own write a response: the writer of a body belongs to the task that was given it. One piece is under way at a time, so
/// a slow client holds the source back.
enum Handoff {
    static func run(
        into writer: inout any ResponseBodyWriter,
        _ source: @escaping @Sendable (@escaping @Sendable (ByteBuffer) async throws -> Void) async throws -> Void
    ) async throws {
        let (pieces, piece) = AsyncStream.makeStream(of: ByteBuffer.self)
        let (demand, more) = AsyncStream.makeStream(of: Void.self)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                defer { piece.finish() }
                try await cancelWhenGracefulShutdown {
                    try await source { bytes in
                        guard await demand.first(where: { _ in true }) != nil else { throw CancellationError() }
                        piece.yield(bytes)
                    }
                }
            }
            more.yield()
            for await bytes in pieces {
                try await writer.write(bytes)
                more.yield()
            }
            try await group.waitForAll()
        }
    }
}
