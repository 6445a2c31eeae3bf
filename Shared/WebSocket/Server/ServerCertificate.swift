import Logging
import NIOConcurrencyHelpers
import NIOSSL

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The certificate that a server shows, the chain (leaf first) and its private key in PEM: in two files, or handed over as text.
///
/// The files are looked at when a connection is accepted and read again once they have changed, so a renewed certificate needs no restart.
/// What cannot be read is told to the log, and the last good pair stays in use: the two files of a renewal are never replaced at one moment.
public final class ServerCertificate: Sendable {
    /// The identity of a file's content, as far as the file system tells it.
    private struct Stamp: Equatable {
        let device, inode, size, seconds, nanoseconds: Int64

        init?(_ path: String) {
            var information = stat()
            guard stat(path, &information) == 0 else { return nil }
            device = Int64(information.st_dev)
            inode = Int64(information.st_ino)
            size = Int64(information.st_size)
            #if canImport(Glibc)
                let time = information.st_mtim
            #else
                let time = information.st_mtimespec
            #endif
            seconds = Int64(time.tv_sec)
            nanoseconds = Int64(time.tv_nsec)
        }
    }

    private struct State {
        var context: NIOSSLContext
        var stamps: [Stamp?]
    }

    private let files: (certificate: String, key: String)?
    private let logger: Logger
    private let state: NIOLockedValueBox<State>

    /// Reads the files.
    /// - Parameters:
    ///   - certificate: path of the certificate and what stands between it and its root, in PEM.
    ///   - key: path of the private key, in PEM.
    ///   - logger: is told about later readings.
    /// - Throws: errors of NIOSSL when a file cannot be read or the two do not fit together.
    public init(certificate: String, key: String, logger: Logger) throws {
        files = (certificate, key)
        self.logger = logger
        // Stamps first: a change between the two is then found at the next connection.
        let stamps = [Stamp(certificate), Stamp(key)]
        state = NIOLockedValueBox(State(context: try Self.read(certificate, key), stamps: stamps))
    }

    /// Takes the texts themselves, where they come from no file.
    /// - Throws: errors of NIOSSL when one cannot be read or the two do not fit together.
    public init(chain: String, key: String, logger: Logger) throws {
        files = nil
        self.logger = logger
        state = NIOLockedValueBox(State(context: try Self.context(chain: chain, key: key), stamps: []))
    }

    /// Other texts from the next connection on.
    /// - Throws: as ``init(chain:key:logger:)``; then the last good pair stays.
    public func replace(chain: String, key: String) throws {
        let context = try Self.context(chain: chain, key: key)
        state.withLockedValue { $0.context = context }
    }

    /// The context for the next connection.
    func context() -> NIOSSLContext {
        guard let (certificate, key) = files else { return state.withLockedValue { $0.context } }
        return state.withLockedValue { state in
            let stamps = [Stamp(certificate), Stamp(key)]
            guard stamps != state.stamps else { return state.context }
            state.stamps = stamps
            do {
                state.context = try Self.read(certificate, key)
                logger.notice("The certificate has been read again", metadata: ["file": "\(certificate)"])
            } catch {
                logger.warning(
                    "The certificate has changed and cannot be used; the last one stays",
                    metadata: ["file": "\(certificate)", "error": "\(error)"])
            }
            return state.context
        }
    }

    private static func read(_ certificate: String, _ key: String) throws -> NIOSSLContext {
        try context(try NIOSSLCertificate.fromPEMFile(certificate), try NIOSSLPrivateKey(file: key, format: .pem))
    }

    private static func context(chain: String, key: String) throws -> NIOSSLContext {
        try context(
            try NIOSSLCertificate.fromPEMBytes(Array(chain.utf8)), try NIOSSLPrivateKey(bytes: Array(key.utf8), format: .pem))
    }

    private static func context(_ chain: [NIOSSLCertificate], _ key: NIOSSLPrivateKey) throws -> NIOSSLContext {
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
        configuration.minimumTLSVersion = .tlsv12
        // Clients that would rather speak HTTP/2 learn that they cannot here.
        configuration.applicationProtocols = ["http/1.1"]
        // No client shows a certificate: the system's roots need not be loaded.
        configuration.trustRoots = .certificates([])
        return try NIOSSLContext(configuration: configuration)
    }
}
