import Foundation
import Glibc
import HTTPTypes
import Hummingbird
import PlatformModel
import ServiceKit

/// The operations on files (storage.md 6 and 7). Each asks for its permission before it looks at anything.
struct StorageRoutes: Sendable {
    static let base = "/api/v1/storage/{path*}"

    let table: StorageTable
    let access: StorageAccess
    let projects: ProjectFolders?
    let sockets: StreamLimits
    /// How long an open connection may do what it was let in for.
    let recheck: Duration
    let clock: @Sendable () -> Date

    func register(on router: PlatformRouter) {
        // All brief: what takes time is done on the threads of the storage.
        router.on(.head, Self.base, access: .principal, isBrief: true) { try await head($0, $1) }
        router.on(.get, Self.base, access: .principal, isBrief: true) { try await get($0, $1) }
        // Uploads take as long as they take; the channel ends those that stand still.
        router.on(.put, Self.base, access: .principal, bodyLimit: .max, timeout: nil, isBrief: true) { try await put($0, $1) }
        router.on(.patch, Self.base, access: .principal, bodyLimit: .max, timeout: nil, isBrief: true) { try await write($0, $1) }
        router.on(.post, Self.base, access: .principal, isBrief: true) { try await rename($0, $1) }
        // As do removals; a client that wants to hear of them has them told one by one.
        router.on(.delete, Self.base, access: .principal, timeout: nil, isBrief: true) { try await delete($0, $1) }
    }

    private func get(_ request: Request, _ context: PlatformContext) async throws -> Response {
        let operation = try StorageOperation(.get, context.query)
        let path = try context.storagePath
        switch operation {
        case .list: return try await list(path, request, context)
        case .status: return try await status(path, context)
        case .usage: return try await usage(path, context)
        case .socket, .readingSocket, .writingSocket: return try await socket(operation, path, request, context)
        default: return try await open(path, request, context)
        }
    }

    private func put(_ request: Request, _ context: PlatformContext) async throws -> Response {
        let operation = try StorageOperation(.put, context.query)
        let path = try context.storagePath
        try await access.require((path, .write), as: context.requireCaller())
        let location = try table.locate(path)
        let (storage, components) = (location.storage, location.components)
        if operation == .makeFolders {
            try await storage.work.run { try storage.makeFolder(components) }
        } else {
            let length = request.headers[.contentLength].flatMap { Int64($0) }
            let file = try await storage.work.run { try storage.create(components, length: length) }
            try await Upload(file: file, work: storage.work, isWhole: true).take(request)
        }
        return StorageErrors.text(.created, "Created")
    }

    private func rename(_ request: Request, _ context: PlatformContext) async throws -> Response {
        _ = try StorageOperation(.post, context.query)
        let path = try context.storagePath
        let caller = try context.requireCaller()
        let source = try table.locate(path)
        let right = Self.removing(source)
        guard let text = context.query.first("destination") else {
            try await access.require((path, right), as: caller)
            throw PlatformError.badRequest("No destination")
        }
        let other = try StoragePath(text, from: path.parent)
        try await access.require((path, right), (other, .write), as: caller)
        let destination = try table.locate(other)
        guard !source.isRoot, !destination.isRoot else { throw FileFailure.storageRoot }
        guard source.storage.isSame(as: destination.storage) else { throw FileFailure(EXDEV, "Incorrect destination") }
        try await source.storage.findingNothing { try $0.rename(source.components, to: destination.components) }
        return Response(status: .noContent)
    }

    /// What an organization's folder holds is not for everyone who may write to take away.
    static func removing(_ location: StorageTable.Location) -> Action { location.isTopLevel ? .manage : .write }
}

extension PlatformContext {
    /// The path that a request names.
    var storagePath: StoragePath {
        get throws { try StoragePath(encoded: parameter("path")) }
    }
}

extension Storage {
    /// Calls on this storage's threads; what is missing is 404.
    func findingNothing<T: Sendable>(_ body: @escaping @Sendable (Storage) throws -> T) async throws -> T {
        do {
            return try await work.run { try body(self) }
        } catch let error as FileFailure where error == .missing {
            throw PlatformError.notFound()
        }
    }
}
