import AsyncHTTPClient
import Foundation
import Kubernetes
import NIOCore
import NIOSSL
import TestSupport

/// Asks an admission webhook over TLS, as an API server does.
public struct AdmissionAsker: Sendable {
    /// What a webhook said.
    public struct Answer: Sendable {
        public let isAllowed: Bool
        /// Code and message.
        public let denial: String?
        /// Of the patch.
        public let operations: [JSONValue]?
    }

    /// An answer that no API server would take.
    public struct Unreadable: Error {
        public let body: String
    }

    public let port: Int
    private let path: String
    private let http: HTTPClient

    /// - Parameters:
    ///   - log: of the service, which tells in it once the webhook listens.
    ///   - authority: PEM of whom the client trusts, and nobody else.
    ///   - path: where reviews are asked for.
    public static func with(
        _ log: TestLog, authority: String, path: String, _ body: (AdmissionAsker) async throws -> Void
    ) async throws {
        let port = try await port(log)
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.trustRoots = .certificates(try NIOSSLCertificate.fromPEMBytes(Array(authority.utf8)))
        let http = HTTPClient(configuration: .init(tlsConfiguration: tls))
        let outcome: Result<Void, any Error>
        do {
            outcome = .success(try await body(AdmissionAsker(port: port, path: path, http: http)))
        } catch { outcome = .failure(error) }
        try await http.shutdown()
        try outcome.get()
    }

    private static func port(_ log: TestLog) async throws -> Int {
        let end = ContinuousClock.now + .seconds(60)
        while ContinuousClock.now < end {
            if let port = log.entries("The admission webhook listens").first?["port"].flatMap({ Int("\($0)") }) { return port }
            try await Task.sleep(for: .milliseconds(10))
        }
        throw CancellationError()
    }

    /// - Parameter request: what the review asks beside its `uid`.
    public func ask(_ request: [String: JSONValue]) async throws -> Answer {
        let uid = UUID().uuidString
        let review: JSONValue = [
            "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
            "request": .object(request.merging(["uid": .string(uid)]) { $1 }),
        ]
        let answer = try await post(String(decoding: JSONEncoder().encode(review), as: UTF8.self))
        guard answer.status == 200, let told = try? JSONDecoder().decode(JSONValue.self, from: answer.data),
            told["apiVersion"] == "admission.k8s.io/v1", told["kind"] == "AdmissionReview", let response = told["response"],
            response["uid"]?.string == uid, (response["patchType"] == "JSONPatch") == (response["patch"] != nil)
        else { throw Unreadable(body: "\(answer.status) \(answer.body)") }
        let patch = try response["patch"].map { patch in
            guard let data = patch.string.flatMap({ Data(base64Encoded: $0) }) else { throw Unreadable(body: answer.body) }
            return try JSONDecoder().decode([JSONValue].self, from: data)
        }
        let status = response["status"]
        return Answer(
            isAllowed: response["allowed"] == true,
            denial: status.map { "\($0["code"]?.integer ?? 0) \($0["message"]?.string ?? "")" }, operations: patch)
    }

    /// Anything, to where reviews are asked for.
    public func post(_ body: String) async throws -> TestAnswer {
        var request = HTTPClientRequest(url: "https://127.0.0.1:\(port)\(path)")
        request.method = .POST
        request.body = .bytes(ByteBuffer(string: body))
        return try await call(request)
    }

    public func get(_ path: String) async throws -> TestAnswer {
        try await call(HTTPClientRequest(url: "https://127.0.0.1:\(port)\(path)"))
    }

    private func call(_ request: HTTPClientRequest) async throws -> TestAnswer {
        let response = try await http.execute(request, timeout: .seconds(60))
        let body = try await response.body.collect(upTo: 1 << 20)
        return TestAnswer(status: Int(response.status.code), headers: response.headers, data: Data(body.readableBytesView))
    }
}
