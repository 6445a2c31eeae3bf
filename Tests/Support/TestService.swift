import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import ServiceKit

/// A service that runs in this process on a free port of 127.0.0.1.
public struct TestService: Sendable {
    /// The origin: `http://127.0.0.1:<port>`.
    public let url: String
    /// The port.
    public let port: Int
    /// What runs: its routes, its context, and `shutDown()`.
    public let assembly: ServiceAssembly
    /// What it logs.
    public let log: TestLog

    /// A client; the service's own for short calls.
    public var http: HTTPClient { assembly.context.http }

    /// Makes a request and reads its answer.
    /// - Parameter path: path and query, sent as they are.
    public func call(
        _ method: HTTPMethod, _ path: String, token: String? = nil, headers: HTTPHeaders = [:], body: (any Encodable & Sendable)? = nil
    ) async throws -> TestAnswer {
        var request = HTTPClientRequest(url: url + path)
        request.method = method
        request.headers = headers
        if let token { request.headers.replaceOrAdd(name: "Authorization", value: "Bearer \(token)") }
        if let body {
            request.headers.replaceOrAdd(name: "Content-Type", value: "application/json")
            request.body = .bytes(ByteBuffer(bytes: try PlatformJSON.encoder().encode(body)))
        }
        return try await call(request)
    }

    /// Makes a prepared request and reads its answer.
    public func call(_ request: HTTPClientRequest) async throws -> TestAnswer {
        let response = try await http.execute(request, timeout: .seconds(30))
        let body = try await response.body.collect(upTo: 64 << 20)
        return TestAnswer(status: Int(response.status.code), headers: response.headers, data: Data(body.readableBytesView))
    }

    /// GET.
    public func get(_ path: String, token: String? = nil, headers: HTTPHeaders = [:]) async throws -> TestAnswer {
        try await call(.GET, path, token: token, headers: headers)
    }
    /// POST with a JSON body.
    public func post(_ path: String, token: String? = nil, _ body: (any Encodable & Sendable)? = nil) async throws -> TestAnswer {
        try await call(.POST, path, token: token, body: body)
    }
    /// PUT with a JSON body.
    public func put(_ path: String, token: String? = nil, _ body: (any Encodable & Sendable)? = nil) async throws -> TestAnswer {
        try await call(.PUT, path, token: token, body: body)
    }
    /// PATCH with a JSON body.
    public func patch(_ path: String, token: String? = nil, _ body: (any Encodable & Sendable)? = nil) async throws -> TestAnswer {
        try await call(.PATCH, path, token: token, body: body)
    }
    /// DELETE.
    public func delete(_ path: String, token: String? = nil, _ body: (any Encodable & Sendable)? = nil) async throws -> TestAnswer {
        try await call(.DELETE, path, token: token, body: body)
    }
}
