import Hummingbird
import NIOCore
import PlatformModel
import ServiceKit
import WebSocket

/// The protocol over WebSocket (storage.md 11).
extension StorageRoutes {
    func socket(_ operation: StorageOperation, _ path: StoragePath, _ request: Request, _ context: PlatformContext) async throws -> Response
    {
        let caller = try context.requireCaller()
        let mayWrite: Bool
        switch operation {
        case .readingSocket:
            try await access.require((path, .read), as: caller)
            mayWrite = false
        case .writingSocket:
            try await access.require((path, .write), as: caller)
            mayWrite = true
        default:
            let action = try await access.node(of: path, as: caller).action
            guard action >= .read else { throw PlatformError.forbidden() }
            mayWrite = action >= .write
        }
        guard let upgrade = WebSocketUpgrade(request: request) else {
            throw PlatformError.plain(400, "No WebSocket UPGRADE hdr: None Can \"Upgrade\" only to \"WebSocket\".")
        }
        let place = try sockets.begin(caller.name)
        let work = SocketWork(base: path, table: table, clock: clock)
        let right = SocketRight(access: access, path: path, caller: caller, interval: recheck, mayWrite: mayWrite)
        return upgrade.accept(maxMessage: SocketMessage.largest, logger: context.logger) { session in
            defer { withExtendedLifetime(place) {} }
            // Long messages are read and made here: not on the event loop.
            try await withTaskExecutorPreference(globalConcurrentExecutor) { try await serve(session, work, right) }
        }
    }

    private func serve(_ session: WebSocketSession, _ work: SocketWork, _ right: SocketRight) async throws {
        for try await message in session.inbound {
            guard case .binary(let bytes) = message else { continue }
            guard bytes.readableBytes >= 4 else { return try await session.close(code: .unsupportedData) }
            do {
                try await session.send(work.answer(bytes) { try await right.mayWrite() })
            } catch let error as PlatformError where error.status == .notFound || error.status == .unauthorized {
                return try await session.close(code: .policyViolation, reason: "The permission was taken away")
            }
        }
    }
}

/// What one connection may do, asked for again from time to time.
private actor SocketRight {
    private let access: StorageAccess
    private let path: StoragePath
    private let caller: Caller
    private let interval: Duration
    private let wanted: Bool
    private var last = ContinuousClock.now
    private var writes: Bool

    init(access: StorageAccess, path: StoragePath, caller: Caller, interval: Duration, mayWrite: Bool) {
        self.access = access
        self.path = path
        self.caller = caller
        self.interval = interval
        wanted = mayWrite
        writes = mayWrite
    }

    /// - Throws: 404 when not even reading is allowed any more.
    func mayWrite() async throws -> Bool {
        guard .now - last >= interval else { return writes }
        let action = try await access.node(of: path, as: caller).action
        guard action >= .read else { throw PlatformError.notFound() }
        last = .now
        writes = wanted && action >= .write
        return writes
    }
}
