import Glibc
import HTTPTypes
import Hummingbird
import NIOCore
import PlatformModel
import ServiceKit
import WebSocket

extension StorageRoutes {
    func head(_ request: Request, _ context: PlatformContext) async throws -> Response {
        let path = try context.storagePath
        try await access.require((path, .read), as: context.requireCaller())
        let location = try table.locate(path)
        let status = try await location.storage.findingNothing { try $0.status(location.components) }
        guard status.kind != .special else { throw PlatformError.notFound() }
        var fields = FileHeaders.fields(status)
        fields[.contentLength] = "\(status.length)"
        return Response(status: .ok, headers: fields)
    }

    func open(_ path: StoragePath, _ request: Request, _ context: PlatformContext) async throws -> Response {
        try await access.require((path, .read), as: context.requireCaller())
        let location = try table.locate(path)
        let (status, file) = try await location.storage.findingNothing { try $0.open(location.components) }
        var fields = FileHeaders.fields(status)
        guard let header = request.headers[.range] else {
            guard let file else { return Response(status: .ok, headers: fields) }
            return .file(file, headers: fields)
        }
        guard let file, let range = ByteRange.range(header, of: file.size) else {
            return Response(status: .rangeNotSatisfiable, headers: [.contentRange: "bytes */\(status.length)"])
        }
        fields[.contentRange] = "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(file.size)"
        return .file(file, range: range, status: .partialContent, headers: fields)
    }

    func status(_ path: StoragePath, _ context: PlatformContext) async throws -> Response {
        let caller = try context.requireCaller()
        let node = try await access.node(of: path, as: caller)
        let location = try table.locate(path)
        let status = try await found(location, caller) { try $0.status($1) }
        var body = ByteBuffer(string: "{\"FileStatus\": ")
        var text = path.text
        text.withUTF8 { StatusText.write(status, path: $0, permission: node.action.shown, to: &body) }
        body.writeString("}")
        return Self.json(body)
    }

    func usage(_ path: StoragePath, _ context: PlatformContext) async throws -> Response {
        let caller = try context.requireCaller()
        try await access.require((path, .read), as: caller)
        let usage = try await found(table.locate(path), caller) { try $0.usage($1) }
        return Self.json(ByteBuffer(bytes: try PlatformJSON.encoder().encode(usage)))
    }

    func list(_ path: StoragePath, _ request: Request, _ context: PlatformContext) async throws -> Response {
        let inLines = request.headers[values: .accept].contains { $0.contains(BatchStream.lines) }
        let caller = try context.requireCaller()
        let node = try await access.node(of: path, as: caller)
        let location = try table.locate(path)
        let listing: FolderListing
        do {
            listing = try await found(location, caller) { try $0.listing($1) }
        } catch let error as PlatformError where error.status == .notFound && inLines {
            throw PlatformError(.notFound, "Not found", code: "ENOENT")
        }
        let pages = ListingPages(listing: listing, node: node, inLines: inLines)
        let work = location.storage.work
        let first = try await work.run { try pages.next() }
        if !inLines, let first, pages.isOver { return Self.json(first) }
        let form = BatchStream(
            contentType: inLines ? BatchStream.lines : PlatformJSON.contentType, failure: inLines ? .told : .broken, logger: context.logger)
        return form.response(first: first) { try await work.run { try pages.next() } }
    }

    /// Looks for what must be there; the folder of a project that is new is made on the way.
    private func found<T: Sendable>(
        _ location: StorageTable.Location, _ caller: Caller,
        _ look: @escaping @Sendable (Storage, Storage.Components) throws -> T
    ) async throws -> T {
        let (storage, components) = (location.storage, location.components)
        do {
            return try await storage.work.run { try look(storage, components) }
        } catch let error as FileFailure where error == .missing {
            guard location.isDefault, let projects, await projects.shouldExist(location.path, as: caller) else {
                throw PlatformError.notFound()
            }
            return try await storage.findingNothing {
                try $0.makeFolder(components)
                return try look($0, components)
            }
        }
    }

    private static func json(_ body: ByteBuffer) -> Response {
        Response(status: .ok, headers: [.contentType: PlatformJSON.contentType], body: ResponseBody(byteBuffer: body))
    }
}
