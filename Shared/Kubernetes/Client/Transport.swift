import AsyncHTTPClient
import Foundation
import HTTPTypes
import Logging
import NIOCore
import NIOFoundationCompat
import NIOHTTP1
import NIOPosix
import NIOSSL

/// HTTP below the client: one pool for short calls and one for long streams, so that watches never starve a call of connections.
final class Transport: Sendable {
    let configuration: KubernetesConfiguration
    let tokens: TokenSource
    let tls: TLSConfiguration?
    let group: any EventLoopGroup
    /// What requests are addressed to: `server`, or the TLS server name resolved to it.
    let origin: String
    private let calls: HTTPClient
    private let streams: HTTPClient

    static let maximumAnswer = 64 << 20

    init(_ configuration: KubernetesConfiguration, group: any EventLoopGroup) throws {
        self.configuration = configuration
        self.group = group
        tokens = TokenSource(configuration.credentials)
        guard let url = URLComponents(string: configuration.server), let scheme = url.scheme, let host = url.host, !host.isEmpty,
            scheme == "https" || scheme == "http"
        else { throw KubernetesError.configuration("\"\(configuration.server)\" is not an http or https URL") }
        tls = scheme == "https" ? try Self.tls(configuration) : nil
        var client = HTTPClient.Configuration(tlsConfiguration: tls, redirectConfiguration: .disallow)
        client.timeout.connect = .init(configuration.connectTimeout)
        client.timeout.read = .init(configuration.callTimeout)
        client.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = configuration.maximumConnections
        client.httpVersion = .http1Only
        if let name = configuration.tlsServerName, tls != nil {
            client.dnsOverride = [name: host]
            origin = configuration.server.replacingOccurrences(of: "//\(host)", with: "//\(name)")
        } else {
            origin = configuration.server
        }
        calls = HTTPClient(eventLoopGroup: group, configuration: client)
        client.timeout.read = .init(configuration.streamIdleTimeout)
        streams = HTTPClient(eventLoopGroup: group, configuration: client)
    }

    func shutdown() async throws {
        let outcome: Result<Void, any Error>
        do { outcome = .success(try await streams.shutdown()) } catch { outcome = .failure(error) }
        try await calls.shutdown()
        try outcome.get()
    }

    private static func tls(_ configuration: KubernetesConfiguration) throws -> TLSConfiguration {
        var tls = TLSConfiguration.makeClientConfiguration()
        do {
            switch configuration.trust {
            case .system: break
            case .unverified: tls.certificateVerification = .none
            case .authority(let pem):
                tls.trustRoots = .certificates(try NIOSSLCertificate.fromPEMBytes(Array(pem)))
            }
            if case .certificate(let chain, let key) = configuration.credentials {
                tls.certificateChain = try NIOSSLCertificate.fromPEMBytes(Array(chain)).map { .certificate($0) }
                tls.privateKey = .privateKey(try NIOSSLPrivateKey(bytes: Array(key), format: .pem))
            }
        } catch {
            throw KubernetesError.configuration("certificate or key: \(error)")
        }
        return tls
    }

    /// Sends one request without retrying.
    func send(_ call: Call, token: String?) async throws -> (status: Int, headers: HTTPHeaders, body: ByteBuffer) {
        let request = request(call, token: token)
        let response = try await calls.execute(request, deadline: .now() + .init(configuration.callTimeout))
        let body = try await response.body.collect(upTo: Self.maximumAnswer)
        return (Int(response.status.code), response.headers, body)
    }

    /// Opens a stream; the answer's head has arrived when this returns.
    /// - Throws: `KubernetesError.api` for an answer that is not 2xx.
    func open(_ call: Call) async throws -> HTTPClientResponse {
        let token = tokens.token()
        let response: HTTPClientResponse
        do {
            response = try await streams.execute(request(call, token: token), deadline: .now() + .init(configuration.callTimeout))
        } catch {
            throw Self.translate(error)
        }
        let code = Int(response.status.code)
        if (200..<300).contains(code) { return response }
        if code == 401 { _ = tokens.refused(token) }
        let body = (try? await response.body.collect(upTo: 1 << 20)) ?? ByteBuffer()
        throw KubernetesError.api(Self.status(code: code, headers: response.headers, body: body))
    }

    private func request(_ call: Call, token: String?) -> HTTPClientRequest {
        var request = HTTPClientRequest(url: origin + call.path)
        request.method = HTTPMethod(rawValue: call.method)
        request.headers.add(name: "Accept", value: call.accept)
        request.headers.add(name: "User-Agent", value: "orrery")
        if let token { request.headers.add(name: "Authorization", value: "Bearer \(token)") }
        if let body = call.body {
            request.headers.add(name: "Content-Type", value: call.contentType)
            request.body = .bytes(ByteBuffer(data: body))
        }
        return request
    }

    /// The Status in the body, or one made from the HTTP status when a proxy answered.
    static func status(code: Int, headers: HTTPHeaders, body: ByteBuffer) -> Status {
        let data = Data(buffer: body)
        var status =
            (try? KubernetesCoding.decoder().decode(Status.self, from: data))
            ?? Status(code: code, message: String(decoding: data.prefix(1024), as: UTF8.self))
        if status.code == 0 { status.code = code }
        if status.details?.retryAfterSeconds == nil, let after = headers.first(name: "Retry-After").flatMap(Int.init) {
            var details = status.details ?? Status.Details()
            details.retryAfterSeconds = after
            status.details = details
        }
        return status
    }

    /// Errors of the layers below, as against those of a session's body.
    static func isTransport(_ error: any Error) -> Bool {
        error is NIOConnectionError || error is NIOSSLError || error is IOError || error is ChannelError
    }

    static func translate(_ error: any Error) -> any Error {
        switch error {
        case is CancellationError, is KubernetesError: return error
        case let error as HTTPClientError where error == .cancelled: return CancellationError()
        case let error as HTTPClientError where error == .connectTimeout || error == .getConnectionFromPoolTimeout:
            return KubernetesError.unavailable(reason: "\(error)", mayHaveRun: false)
        case let error as IOError where [ECONNREFUSED, EHOSTUNREACH, ENETUNREACH, ETIMEDOUT].contains(error.errnoCode):
            return KubernetesError.unavailable(reason: "\(error)", mayHaveRun: error.errnoCode == ETIMEDOUT)
        case ChannelError.connectTimeout:
            return KubernetesError.unavailable(reason: "connecting took too long", mayHaveRun: false)
        case let error as NIOConnectionError: return KubernetesError.unavailable(reason: "\(error)", mayHaveRun: false)
        case let error as NIOSSLError: return KubernetesError.unavailable(reason: "\(error)", mayHaveRun: false)
        default: return KubernetesError.unavailable(reason: "\(error)", mayHaveRun: true)
        }
    }
}

/// One request to the API server.
struct Call: Sendable {
    var method = "GET"
    var path: String
    var body: Data?
    var contentType = "application/json"
    var accept = "application/json"
}
