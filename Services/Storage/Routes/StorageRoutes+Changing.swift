import HTTPTypes
import Hummingbird
import NIOCore
import ServiceKit
import Synchronization

extension StorageRoutes {
    func write(_ request: Request, _ context: PlatformContext) async throws -> Response {
        _ = try StorageOperation(.patch, context.query)
        let path = try context.storagePath
        try await access.require((path, .write), as: context.requireCaller())
        let range = try Self.contentRange(request.headers)
        let location = try table.locate(path)
        let file = try await location.storage.findingNothing { try $0.openForWriting(location.components, creating: false) }
        try await Upload(file: file, work: location.storage.work, isWhole: false, offset: range.first, limit: range.count).take(request)
        return StorageErrors.text(.ok, "OK")
    }

    private static func contentRange(_ headers: HTTPFields) throws -> ContentRange {
        let type = headers[.contentType]?.prefix { $0 != ";" }.lowercased()
        guard type == nil || type == "application/octet-stream" else {
            throw PlatformError.plain(400, "Content-Type should be application/octet-stream")
        }
        for name in [HTTPField.Name.ifMatch, .ifNoneMatch, .ifRange, .ifUnmodifiedSince] where headers[name] != nil {
            throw PlatformError.plain(400, "Unsupported header \(name.canonicalName)")
        }
        guard let header = headers[.contentRange] else { throw PlatformError.plain(400, "Required header Content-Range") }
        guard let range = ContentRange(header) else { throw PlatformError.plain(400, "Bad Request") }
        return range
    }

    func delete(_ request: Request, _ context: PlatformContext) async throws -> Response {
        _ = try StorageOperation(.delete, context.query)
        let path = try context.storagePath
        let recursive = try Self.recursive(context.query)
        let location = try table.locate(path)
        try await access.require((path, Self.removing(location)), as: context.requireCaller())
        guard !location.isRoot else { throw FileFailure.storageRoot }
        let work = location.storage.work
        let removal: RemovalSteps
        do {
            removal = RemovalSteps(
                try await location.storage.findingNothing { try $0.removal(path, location.components, recursive: recursive) })
        } catch let error as FileFailure where error == .belowFile {
            throw PlatformError.notFound()
        }
        let first = try await location.storage.findingNothing { _ in try removal.next() }
        guard request.headers[values: .accept].contains(where: { $0.contains(BatchStream.lines) }) else {
            var batch = first
            while batch != nil { batch = try await work.run { try removal.next() } }
            return Response(status: .noContent)
        }
        return BatchStream(contentType: BatchStream.lines, failure: .told, logger: context.logger)
            .response(first: first) { try await work.run { try removal.next() } }
    }

    private static func recursive(_ query: QueryItems) throws -> Bool {
        switch query.first("recursive")?.lowercased() {
        case nil, "true", "1": true
        case "false", "0": false
        default: throw PlatformError.badRequest(#""recursive" request parameter can be "true"/"1" or "false"/"0""#)
        }
    }
}

/// A removal and the records of it, some at a time.
private final class RemovalSteps: Sendable {
    private let removal: Mutex<TreeRemoval>

    init(_ removal: TreeRemoval) { self.removal = Mutex(removal) }

    /// nil at the end.
    func next() throws -> ByteBuffer? {
        let removed = try removal.withLock { try $0.next(100, within: .milliseconds(200)) }
        guard !removed.isEmpty else { return nil }
        var lines = ByteBuffer()
        for one in removed {
            lines.writeStaticString("{\"path\": ")
            JSONText.write(one.path, to: &lines)
            lines.writeString(one.isDirectory ? ", \"is_dir\": true}\r\n" : ", \"is_dir\": false}\r\n")
        }
        return lines
    }
}
