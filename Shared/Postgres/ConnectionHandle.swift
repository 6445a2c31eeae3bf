import CLibpq
import Dispatch
import Synchronization

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Owns a `PGconn` and the read source on a descriptor of its socket (`SocketWait.watched`), and frees them in the order that libdispatch
/// demands: the descriptor is closed only once the source's cancel handler runs. All but `isUsable` is touched on the connection's queue alone.
final class ConnectionHandle: @unchecked Sendable {
    let connection: OpaquePointer
    private let usable = Atomic<Bool>(true)
    private var source: (any DispatchSourceRead)?
    private var watched: Int32 = -1
    private var isReleased = false

    init(_ connection: OpaquePointer) { self.connection = connection }

    deinit { release() }

    /// False once the connection broke or was closed. Any thread may ask.
    var isUsable: Bool { usable.load(ordering: .acquiring) }

    var message: String {
        let text = String(cString: PQerrorMessage(connection))
        return text.split(whereSeparator: \.isNewline).joined(separator: " ")
    }

    /// - Returns: false when there is no socket to read from any more, or no descriptor left in the process.
    func startReading(on queue: DispatchQueue, _ handler: @escaping @Sendable () -> Void) -> Bool {
        guard let descriptor = SocketWait.watched(PQsocket(connection)) else { return false }
        let source = DispatchSource.makeReadSource(fileDescriptor: descriptor, queue: queue)
        source.setEventHandler(handler: handler)
        self.source = source
        watched = descriptor
        source.resume()
        return true
    }

    func release() {
        usable.store(false, ordering: .releasing)
        if isReleased { return }
        isReleased = true
        let doomed = Pointer(connection)
        guard let source else { return PQfinish(doomed.value) }
        self.source = nil
        source.setCancelHandler { [watched] in
            PQfinish(doomed.value)
            close(watched)
        }
        source.cancel()
    }
}

/// Carries a C pointer to where exactly one party uses it.
struct Pointer: @unchecked Sendable {
    let value: OpaquePointer
    init(_ value: OpaquePointer) { self.value = value }
}
