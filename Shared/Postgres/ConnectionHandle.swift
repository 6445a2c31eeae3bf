import CLibpq
import Dispatch
import Synchronization

/// Owns a `PGconn` and the read source on its socket, and frees them in the order that libdispatch demands: the descriptor is closed only
/// after the source's cancel handler ran. All but `isUsable` is touched on the connection's queue alone.
final class ConnectionHandle: @unchecked Sendable {
    let connection: OpaquePointer
    private let usable = Atomic<Bool>(true)
    private var source: (any DispatchSourceRead)?
    private var isReleased = false

    init(_ connection: OpaquePointer) { self.connection = connection }

    deinit { release() }

    /// False once the connection broke or was closed. Any thread may ask.
    var isUsable: Bool { usable.load(ordering: .acquiring) }

    var message: String {
        let text = String(cString: PQerrorMessage(connection))
        return text.split(whereSeparator: \.isNewline).joined(separator: " ")
    }

    func startReading(on queue: DispatchQueue, _ handler: @escaping @Sendable () -> Void) {
        let source = DispatchSource.makeReadSource(fileDescriptor: PQsocket(connection), queue: queue)
        source.setEventHandler(handler: handler)
        self.source = source
        source.resume()
    }

    func release() {
        usable.store(false, ordering: .releasing)
        if isReleased { return }
        isReleased = true
        let doomed = Pointer(connection)
        guard let source else { return PQfinish(doomed.value) }
        self.source = nil
        source.setCancelHandler { PQfinish(doomed.value) }
        source.cancel()
    }
}

/// Carries a C pointer to where exactly one party uses it.
struct Pointer: @unchecked Sendable {
    let value: OpaquePointer
    init(_ value: OpaquePointer) { self.value = value }
}
