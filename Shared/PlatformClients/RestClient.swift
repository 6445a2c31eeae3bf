import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import PlatformModel
import ServiceKit

/// JSON over HTTP to one API, with bounded patience: a request that may be repeated is repeated while the API is briefly away.
public struct RestClient: Sendable {
    /// What errors call the API.
    let service: String
    let http: HTTPClient
    /// Without a trailing slash.
    let baseURL: String
    /// The token of this service itself; calls may carry another.
    let token: Secret?
    /// No attempt begins later than this after the first.
    var patience: Duration = .seconds(10)
    /// Longer than the other side waits for its own stores.
    var attemptTimeout: TimeAmount = .seconds(15)

    init(service: String, http: HTTPClient, baseURL: String, token: Secret?) {
        self.service = service
        self.http = http
        self.baseURL = baseURL.hasSuffix("/") ? String(baseURL.dropLast()) : baseURL
        self.token = token
    }

    /// An answer with a status of 200…299.
    struct Answer {
        let status: Int
        let headers: HTTPHeaders
        let body: ByteBuffer
    }

    struct Call {
        var method: HTTPMethod
        /// Already percent-encoded, begins with a slash.
        var path: String
        var query: [(String, String)] = []
        var body: (any Encodable & Sendable)?
        /// nil: the service's own.
        var token: String?
        /// Whether a repeat does no harm.
        var repeatable: Bool
        var headers: [(String, String)] = []
        /// Statuses besides 2xx that are answers, not errors.
        var accepted: Set<Int> = []
    }

    /// Sends the call and decodes the JSON of its answer.
    func send<T: Decodable>(_ call: Call, as type: T.Type) async throws -> T {
        let answer = try await send(call)
        do {
            return try PlatformJSON.decoder().decode(type, from: Data(answer.body.readableBytesView))
        } catch {
            throw ClientError.malformed(service: service, reason: "\(error)")
        }
    }

    /// Sends the call, again and again within the bound if it may be repeated.
    func send(_ call: Call) async throws -> Answer {
        let request = try makeRequest(call)
        let start = ContinuousClock.now
        var pause = Duration.milliseconds(100)
        while true {
            switch try await outcome(of: request, call) {
            case .answer(let answer): return answer
            case .final(let failure): throw failure
            case .passing(let failure):
                guard ContinuousClock.now - start + pause < patience else { throw failure }
                try await Task.sleep(for: pause)
                pause = min(pause * 2, .seconds(1))
            }
        }
    }

    private enum Outcome {
        case answer(Answer)
        case final(ClientError)
        /// May be over in a moment, and a repeat does no harm.
        case passing(ClientError)
    }

    private func outcome(of request: HTTPClientRequest, _ call: Call) async throws -> Outcome {
        do {
            let answer = try await attempt(request)
            if (200..<300).contains(answer.status) || call.accepted.contains(answer.status) { return .answer(answer) }
            let failure = ClientError.status(service: service, code: answer.status, message: Self.message(answer.body))
            return call.repeatable && [502, 503, 504].contains(answer.status) ? .passing(failure) : .final(failure)
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            let wasSent = Self.wasSent(error)
            let failure = ClientError.unavailable(service: service, reason: "\(error)", mayHaveRun: wasSent)
            return call.repeatable || !wasSent ? .passing(failure) : .final(failure)
        }
    }

    private func attempt(_ request: HTTPClientRequest) async throws -> Answer {
        let response = try await http.execute(request, timeout: attemptTimeout)
        return Answer(status: Int(response.status.code), headers: response.headers, body: try await response.body.collect(upTo: 64 << 20))
    }

    private func makeRequest(_ call: Call) throws -> HTTPClientRequest {
        var url = baseURL + call.path
        if !call.query.isEmpty {
            url += "?" + call.query.map { "\(QueryCoding.encode($0.0))=\(QueryCoding.encode($0.1))" }.joined(separator: "&")
        }
        var request = HTTPClientRequest(url: url)
        request.method = call.method
        if let token = call.token ?? token?.value { request.headers.add(name: "Authorization", value: "Bearer \(token)") }
        request.headers.add(name: "Accept", value: "application/json")
        for (name, value) in call.headers { request.headers.replaceOrAdd(name: name, value: value) }
        request.carryTrace()
        if let body = call.body {
            request.headers.add(name: "Content-Type", value: "application/json")
            request.body = .bytes(ByteBuffer(bytes: try PlatformJSON.encoder().encode(body)))
        }
        return request
    }

    /// False only when no byte of the request can have reached the other side.
    private static func wasSent(_ error: any Error) -> Bool {
        switch error {
        case is NIOConnectionError: false
        case let error as IOError: ![ECONNREFUSED, EHOSTUNREACH, ENETUNREACH].contains(error.errnoCode)
        case let error as HTTPClientError: error != .connectTimeout && error != .getConnectionFromPoolTimeout
        default: true
        }
    }

    private struct ErrorBody: Decodable { let error: String }

    private static func message(_ body: ByteBuffer) -> String {
        let data = Data(body.readableBytesView)
        if let parsed = try? JSONDecoder().decode(ErrorBody.self, from: data) { return parsed.error }
        return String(decoding: data.prefix(500), as: UTF8.self)
    }
}

/// Percent-encoding of query names and values: everything but unreserved characters is escaped.
enum QueryCoding {
    private static let unreserved = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~".utf8)

    static func encode(_ text: String) -> String {
        var result = ""
        for byte in text.utf8 {
            if unreserved.contains(byte) {
                result.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                result += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
            }
        }
        return result
    }
}
