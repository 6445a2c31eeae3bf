import AsyncHTTPClient
import Foundation
import Kubernetes
import NIOCore
import NIOHTTP1

/// podman's REST interface on its socket.
struct Podman: Sendable {
    let socketPath: String
    private let http: HTTPClient
    private let base: String

    /// - Parameter http: without a total or an idle bound; each call brings its own.
    init(socketPath: String, http: HTTPClient) {
        self.socketPath = socketPath
        self.http = http
        let escaped = socketPath.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? socketPath
        base = "http+unix://\(escaped)/v4.0.0/libpod"
    }

    static func makeClient() -> HTTPClient {
        var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow)
        configuration.timeout = .init(connect: .seconds(5))
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 512
        configuration.connectionPool.idleTimeout = .seconds(20)
        configuration.httpVersion = .http1Only
        return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    /// - Parameter within: bounds the whole call.
    /// - Returns: the answer's JSON; `null` for an empty one.
    @discardableResult
    func call(
        _ method: HTTPMethod, _ path: String, _ query: [(String, String)] = [], body: JSONValue? = nil, headers: [(String, String)] = [],
        within: TimeAmount = .seconds(60)
    ) async throws(EngineError) -> JSONValue {
        let deadline = NIODeadline.now() + within
        let response = try await send(method, path, query, body: body, headers: headers, deadline: deadline)
        let answer: ByteBuffer
        do {
            answer = try await response.body.collect(upTo: 32 << 20)
        } catch {
            throw EngineError("podman broke off its answer to \(method.rawValue) \(path): \(error)")
        }
        if answer.readableBytes == 0 { return .null }
        guard let value = try? JSONParser.parse(answer.readableBytesView) else {
            throw EngineError("podman's answer to \(method.rawValue) \(path) is not JSON: \(String(buffer: answer).prefix(200))")
        }
        return value
    }

    /// An answer that is read as it comes.
    func send(
        _ method: HTTPMethod, _ path: String, _ query: [(String, String)] = [], body: JSONValue? = nil, headers: [(String, String)] = [],
        deadline: NIODeadline
    ) async throws(EngineError) -> HTTPClientResponse {
        var url = base + path
        if !query.isEmpty {
            url += "?" + query.map { "\($0)=\(Self.escape($1))" }.joined(separator: "&")
        }
        var request = HTTPClientRequest(url: url)
        request.method = method
        request.headers.add(name: "Host", value: "podman")
        for (name, value) in headers { request.headers.add(name: name, value: value) }
        if let body {
            request.headers.add(name: "Content-Type", value: "application/json")
            request.body = .bytes(JSONWriter.buffer(body))
        }
        let response: HTTPClientResponse
        do {
            response = try await http.execute(request, deadline: deadline)
        } catch {
            throw EngineError("podman does not answer on \(socketPath): \(error)")
        }
        guard response.status.code >= 400 else { return response }
        let text = (try? await response.body.collect(upTo: 1 << 20)).map { String(buffer: $0) } ?? ""
        let value = try? JSONParser.parse(text.utf8)
        throw EngineError(
            value?["message"]?.string ?? (text.isEmpty ? "podman answered \(response.status.code)" : text),
            status: Int(response.status.code), cause: value?["cause"]?.string)
    }

    /// The answer of a ping is a word, not JSON.
    func isAnswering() async -> Bool {
        (try? await send(.GET, "/_ping", deadline: .now() + .seconds(5)).body.collect(upTo: 1024)) != nil
    }

    static func escape(_ text: String) -> String {
        text.addingPercentEncoding(withAllowedCharacters: escapeFree) ?? text
    }

    private static let escapeFree = CharacterSet(charactersIn: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/:")
}
