import CLibpq
import Dispatch
import Synchronization

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// One attempt to connect: the name resolved on a thread, then `PQconnectPoll` step by step, the socket read anew each time (libpq may
/// move to the next address).
struct PostgresHandshake {
    let configuration: PostgresConfiguration
    let executor = QueueExecutor(label: "orrery.postgres")

    func run() async throws -> ConnectionHandle {
        let deadline = DispatchTime.now() + configuration.connectTimeout.dispatch
        var settings = try settings()
        try await resolve(&settings, until: deadline)
        guard let connection = start(settings) else { throw unavailable("out of memory") }
        let handle = ConnectionHandle(connection)
        do {
            try await finish(handle, until: deadline)
        } catch {
            handle.release()
            throw error
        }
        return handle
    }

    private func settings() throws -> [String: String] {
        let given = try ConnectionString.parse(configuration.url)
        let timeout = configuration.statementTimeout.milliseconds
        var settings = [
            "application_name": configuration.applicationName, "client_encoding": "UTF8", "gssencmode": "disable", "keepalives": "1",
            "keepalives_idle": "15", "keepalives_interval": "5", "keepalives_count": "3",
            "tcp_user_timeout": String(timeout + 5000),
        ]
        settings.merge(given) { _, given in given }
        // Ours last: decoding relies on them.
        settings["options"] =
            (given["options"].map { $0 + " " } ?? "")
            + "-c statement_timeout=\(timeout) -c idle_in_transaction_session_timeout=60000 -c timezone=UTC -c datestyle=ISO"
            + " -c bytea_output=hex -c extra_float_digits=1"
        return settings
    }

    /// Fills `hostaddr`: libpq would otherwise block in the resolver. A name with several addresses becomes several hosts.
    private func resolve(_ settings: inout [String: String], until deadline: DispatchTime) async throws {
        guard settings["hostaddr"] == nil, let host = settings["host"], !host.isEmpty else { return }
        let hosts = host.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        if hosts.contains(where: { $0.hasPrefix("/") || $0.hasPrefix("@") || $0.isEmpty }) { return }
        let ports = (settings["port"] ?? "").split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        var resolved: [(host: String, address: String, port: String)] = []
        var failures: [String] = []
        for (place, host) in hosts.enumerated() {
            let port = ports.indices.contains(place) ? ports[place] : ports.first ?? ""
            switch await Resolver.addresses(of: host, until: deadline) {
            case .success(let addresses): resolved += addresses.map { (host, $0, port) }
            case .failure(let error): failures.append("\(host): \(error.reason)")
            }
        }
        if resolved.isEmpty { throw unavailable(failures.joined(separator: "; ")) }
        settings["host"] = resolved.map(\.host).joined(separator: ",")
        settings["hostaddr"] = resolved.map(\.address).joined(separator: ",")
        settings["port"] = resolved.map(\.port).joined(separator: ",")
    }

    private func start(_ settings: [String: String]) -> OpaquePointer? {
        let pairs = settings.map { (key: strdup($0.key), value: strdup($0.value)) }
        defer {
            for pair in pairs {
                free(pair.key)
                free(pair.value)
            }
        }
        let keys = pairs.map { UnsafePointer($0.key) } + [nil]
        let values = pairs.map { UnsafePointer($0.value) } + [nil]
        return PQconnectStartParams(keys, values, 0)
    }

    private func finish(_ handle: ConnectionHandle, until deadline: DispatchTime) async throws {
        if PQstatus(handle.connection) == CONNECTION_BAD { throw unavailable(handle.message) }
        var direction = SocketWait.Direction.write
        while true {
            guard await SocketWait.ready(PQsocket(handle.connection), direction, on: executor.queue, until: deadline) else {
                throw unavailable("connecting took too long")
            }
            switch PQconnectPoll(handle.connection) {
            case PGRES_POLLING_OK:
                PQsetnonblocking(handle.connection, 1)
                // Notices would go to standard error.
                PQsetNoticeProcessor(handle.connection, { _, _ in }, nil)
                return
            case PGRES_POLLING_READING: direction = .read
            case PGRES_POLLING_WRITING: direction = .write
            default: throw unavailable(handle.message)
            }
        }
    }

    private func unavailable(_ reason: String) -> PostgresError { .unavailable(reason: reason, mayHaveRun: false) }
}

/// The system's resolver, which blocks, on a thread.
enum Resolver {
    struct Failure: Error { let reason: String }
    private typealias Answer = Result<[String], Failure>

    static func addresses(of host: String, until deadline: DispatchTime) async -> Result<[String], Failure> {
        await withCheckedContinuation { continuation in
            // Whoever is first answers; a resolver that hangs keeps its thread until it gives up.
            let once = Once(continuation)
            DispatchQueue.global().async { once.resume(lookUp(host)) }
            DispatchQueue.global().asyncAfter(deadline: deadline) {
                once.resume(.failure(Failure(reason: "the name was not resolved in time")))
            }
        }
    }

    private final class Once: Sendable {
        private let continuation: Mutex<CheckedContinuation<Answer, Never>?>
        init(_ continuation: CheckedContinuation<Answer, Never>) { self.continuation = Mutex(continuation) }
        func resume(_ answer: Answer) { continuation.withLock { $0.take() }?.resume(returning: answer) }
    }

    private static func lookUp(_ host: String) -> Answer {
        var hints = addrinfo()
        hints.ai_family = AF_UNSPEC
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(host, nil, &hints, &list)
        guard code == 0 else { return .failure(Failure(reason: String(cString: gai_strerror(code)))) }
        defer { freeaddrinfo(list) }
        var addresses: [String] = []
        var next = list
        while let info = next {
            var name = [CChar](repeating: 0, count: Int(NI_MAXHOST))
            if getnameinfo(info.pointee.ai_addr, info.pointee.ai_addrlen, &name, socklen_t(name.count), nil, 0, NI_NUMERICHOST) == 0 {
                let address = String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
                if !addresses.contains(address) { addresses.append(address) }
            }
            next = info.pointee.ai_next
        }
        return .success(addresses)
    }
}

extension Duration {
    var milliseconds: Int { Int(components.seconds) * 1000 + Int(components.attoseconds / 1_000_000_000_000_000) }
}
