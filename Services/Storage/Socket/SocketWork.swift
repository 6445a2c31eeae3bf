import Foundation
import Glibc
import NIOCore
import ServiceKit

/// Carries out the requests of one connection.
struct SocketWork: Sendable {
    /// More entries are not listed in one message.
    private static let longestListing = 100_000

    let base: StoragePath
    let table: StorageTable
    let clock: @Sendable () -> Date

    /// The answer to a message. `mayWrite` is asked for when a request is understood.
    func answer(_ bytes: ByteBuffer, mayWrite: @Sendable () async throws -> Bool) async throws -> ByteBuffer {
        let request: SocketRequest
        let data: ByteBuffer
        do {
            let message = try SocketMessage(bytes)
            request = try SocketRequest(message.header)
            data = message.data
        } catch let error as CBORReader.Malformed {
            return Self.unreadable(error.text)
        } catch let error as SocketRequest.Refused {
            return Self.unreadable(error.text)
        }
        let mayWrite = try await mayWrite()
        do {
            let operation = try request.operation(mayWrite: mayWrite)
            let path = try request.path(below: base)
            let location = try table.locate(path)
            let (more, data) = try await carryOut(operation, request, location, data)
            return answer("ACK", request, more, data)
        } catch let error as SocketRequest.Refused {
            return refusal(error, request)
        } catch let error as FileFailure {
            return refusal(.init(error), request)
        } catch let error as PlatformError {
            // The second name of a storage's files is as good as missing.
            return refusal(error.status == .notFound ? .init(.missing) : .init(text: error.message), request)
        }
    }

    private func carryOut(
        _ operation: SocketRequest.Operation, _ request: SocketRequest, _ location: StorageTable.Location, _ data: ByteBuffer
    ) async throws -> ([(String, CBOR)], ByteBuffer) {
        let (storage, path) = (location.storage, location.components)
        switch operation {
        case .read:
            let (offset, size) = (try request.number("offset"), try request.number("size"))
            guard size <= SocketMessage.largestData else { throw SocketRequest.Refused(text: "Too large read size") }
            return ([], try await storage.work.run { try storage.read(path, at: offset, count: Int(size)) })
        case .stat:
            let status = try await storage.work.run { try storage.status(path) }
            return ([("FileStatus", Self.status(status, .text(location.path.text)))], ByteBuffer())
        case .list:
            let entries = try await storage.work.run {
                let listing = try storage.listing(path)
                var entries: [CBOR] = []
                var isOver = false
                while !isOver {
                    isOver = try listing.next(1000) { name, status in entries.append(Self.status(status, Self.name(name))) }
                    guard entries.count <= Self.longestListing else {
                        throw SocketRequest.Refused(text: "The directory has more than \(Self.longestListing) entries")
                    }
                }
                return entries
            }
            return ([("FileStatuses", .object([("FileStatus", .array(entries))]))], ByteBuffer())
        case .create:
            let size = try request.number("size")
            try await storage.work.run { try storage.openForWriting(path, creating: true).truncate(to: size) }
        case .write:
            let offset = try request.number("offset")
            guard offset <= Int64.max - Int64(data.readableBytes) else { throw FileFailure(EFBIG) }
            try await storage.work.run {
                let file = try storage.openForWriting(path, creating: true)
                do {
                    try file.write([data], at: offset)
                    try file.finish()
                } catch let error as FileFailure where error.isFull {
                    file.undo(through: offset + Int64(data.readableBytes), whole: false)
                    throw error
                }
            }
        case .makeFolders:
            try await storage.work.run { try storage.makeFolder(path) }
        }
        return ([], ByteBuffer())
    }

    // MARK: Answers

    private static func status(_ status: FileStatus, _ path: CBOR) -> CBOR {
        .object([
            ("path", path), ("length", .integer(status.length)), ("modificationTime", .integer(status.modified)),
            ("permission", .text("read")), ("type", .text(status.kind.name)),
        ])
    }

    /// A name that is no text stays bytes.
    private static func name(_ bytes: UnsafeBufferPointer<UInt8>) -> CBOR {
        String(validating: bytes, as: UTF8.self).map { .text($0) } ?? .bytes(Array(bytes))
    }

    private func answer(_ word: String, _ request: SocketRequest, _ more: [(String, CBOR)], _ data: ByteBuffer = ByteBuffer()) -> ByteBuffer
    {
        let now = CBOR.integer(Int64(clock().timeIntervalSince1970))
        let header = [("op", CBOR.text(word)), ("rop", .text(request.name)), ("rid", request.id), ("timestamp", now)] + more
        return SocketMessage(.object(header), data: data).bytes
    }

    private func refusal(_ error: SocketRequest.Refused, _ request: SocketRequest) -> ByteBuffer {
        let name = error.name.map { [("errno", CBOR.text($0))] } ?? []
        return answer("ERROR", request, [("error", .text(error.text))] + name)
    }

    private static func unreadable(_ text: String) -> ByteBuffer {
        SocketMessage(.object([("op", .text("ERROR")), ("error", .text(text))])).bytes
    }
}
