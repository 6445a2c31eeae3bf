import Glibc
import Hummingbird
import NIOCore

/// Writes the body of a request into a file as it comes, with a bounded part of it in memory. What has come stays, also when the rest does not.
struct Upload: Sendable {
    /// Written at once: large enough to spare changes of threads, small enough for many uploads at a time.
    private static let portion = 512 << 10

    let file: WritableFile
    let work: FileWork
    var offset: Int64 = 0
    /// Of the bytes that are wanted; those behind are read and dropped.
    var limit = Int64.max

    func take(_ request: Request) async throws {
        var upload = self
        var pieces: [ByteBuffer] = []
        var size = 0
        do {
            for try await piece in request.body {
                var piece = piece
                if Int64(size + piece.readableBytes) > upload.limit {
                    piece = piece.readSlice(length: Int(upload.limit) - size) ?? ByteBuffer()
                }
                guard piece.readableBytes > 0 else { continue }
                pieces.append(piece)
                size += piece.readableBytes
                if size >= Self.portion {
                    try await upload.write(pieces, size)
                    (pieces, size) = ([], 0)
                }
            }
        } catch {
            if size > 0, !(error is FileFailure) { try? await upload.write(pieces, size) }
            throw error
        }
        if size > 0 { try await upload.write(pieces, size) }
    }

    private mutating func write(_ pieces: [ByteBuffer], _ size: Int) async throws {
        let (file, offset) = (file, offset)
        guard offset <= Int64.max - Int64(size) else { throw FileFailure(EFBIG) }
        try await work.run { try file.write(pieces, at: offset) }
        self.offset += Int64(size)
        if limit != .max { limit -= Int64(size) }
    }
}
