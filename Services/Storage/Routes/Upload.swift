import Glibc
import Hummingbird
import NIOCore

/// Writes the body of a request into a file as it comes, with a bounded part of it in memory. What has come stays when the client goes away, for
/// it can go on there; what the disk has no room for does not.
struct Upload: Sendable {
    /// Written at once: large enough to spare changes of threads, small enough for many uploads at a time.
    private static let portion = 512 << 10

    let file: WritableFile
    let work: FileWork
    /// The file is to hold this and nothing else.
    let isWhole: Bool
    var offset: Int64 = 0
    /// Of the bytes that are wanted; those behind are read and dropped.
    var limit = Int64.max

    func take(_ request: Request) async throws {
        do {
            try await receive(request)
        } catch let error as FileFailure where error.isFull {
            let (file, isWhole) = (file, isWhole)
            let end = limit == .max ? .max : offset + limit
            try? await work.run { file.undo(through: end, whole: isWhole) }
            throw error
        }
    }

    /// While one portion is written the next is received.
    private func receive(_ request: Request) async throws {
        try await withThrowingTaskGroup(of: Void.self) { writing in
            var portion = Portion(offset: offset)
            do {
                for try await piece in request.body {
                    portion.add(piece, upTo: limit - (portion.offset - offset))
                    guard portion.size >= Self.portion else { continue }
                    _ = try await writing.next()
                    let (full, next) = try portion.split()
                    writing.addTask { try await write(full) }
                    portion = next
                }
                _ = try await writing.next()
            } catch let error as FileFailure {
                throw error
            } catch {
                // The client has gone.
                _ = try await writing.next()
                if portion.size > 0 { try? await write(portion) }
                throw error
            }
            guard portion.offset > offset || portion.size > 0 else { return }
            _ = try portion.split()
            try await write(portion, isLast: true)
        }
    }

    private func write(_ portion: Portion, isLast: Bool = false) async throws {
        let file = file
        try await work.run {
            try file.write(portion.pieces, at: portion.offset)
            if isLast { try file.finish() }
        }
    }

    private struct Portion: Sendable {
        let offset: Int64
        private(set) var pieces: [ByteBuffer] = []
        private(set) var size = 0

        init(offset: Int64) { self.offset = offset }

        mutating func add(_ piece: ByteBuffer, upTo limit: Int64) {
            var piece = piece
            if Int64(size + piece.readableBytes) > limit { piece = piece.readSlice(length: Int(limit) - size) ?? ByteBuffer() }
            guard piece.readableBytes > 0 else { return }
            pieces.append(piece)
            size += piece.readableBytes
        }

        /// Itself, and an empty one that follows it.
        /// - Throws: `EFBIG` for what no file reaches.
        func split() throws(FileFailure) -> (Portion, Portion) {
            guard offset <= Int64.max - Int64(size) else { throw FileFailure(EFBIG) }
            return (self, Portion(offset: offset + Int64(size)))
        }
    }
}
