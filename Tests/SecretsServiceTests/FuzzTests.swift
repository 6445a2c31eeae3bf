import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import TestSupport
import Testing

@testable import SecretsService

/// Ten thousand requests that nobody should send: none is answered with a 5xx, none is let in that should not be, and the service stands.
@Suite(.timeLimit(.minutes(10))) struct FuzzTests {
    private static let count = 10_000

    @Test func malformedRequests() async throws {
        try await Stage.with { stage in
            let alice = try await stage.writer()
            let nobody = try await stage.user("nobody")
            #expect(try await stage.add("K", "v", token: alice).status == 201)
            let tokens = [alice, nobody, nil, "garbage"]
            let statuses = try await withThrowingTaskGroup(of: [Int].self) { group in
                for worker in 1...16 { group.addTask { try await Self.ask(stage.service, tokens, seed: UInt64(worker)) } }
                var all: [Int: Int] = [:]
                for try await seen in group { for status in seen { all[status, default: 0] += 1 } }
                return all
            }
            #expect(statuses.values.reduce(0, +) == Self.count)
            for status in [400, 401, 403, 404, 405] { #expect(statuses[status] ?? 0 > 50, "\(statuses)") }
            // What is no HTTP at all.
            for text in ["GET / HTTP/9.9\r\n\r\n", "\u{0}\u{1}\r\n\r\n", "POST /api/v1/secrets HTTP/1.1\r\nContent-Length: -1\r\n\r\n"] {
                try await RawConnection.with(port: stage.service.port) { connection in
                    try await connection.send(text)
                    _ = try await connection.readToEnd()
                }
            }
            #expect(try await stage.keys(token: alice) == ["K"])
            #expect(try await stage.namespaces().filter { $0.hasPrefix("platform--") } == [Stage.namespace])
        }
    }

    private static func ask(_ service: TestService, _ tokens: [String?], seed: UInt64) async throws -> [Int] {
        var random = Xorshift(seed: seed)
        var seen: [Int] = []
        while seen.count < count / 16 {
            let request = request(service.url, tokens.randomElement(using: &random) ?? nil, &random)
            let answer = try await service.call(request)
            if answer.status >= 500 { Issue.record("\(request.method) \(request.url): \(answer.status) \(answer.body)") }
            seen.append(answer.status)
        }
        return seen
    }

    private static let texts = [
        "", ".", "..", "...", "%00", "%2e%2e", "%2F", "a%2Fb", "%FF", "%", "%zz", "k%0A", "---neuro---", "K", "acme", "vision", "..-", "~",
        "*",
        "%F0%9F%92%A5", "a,b%3Dc", "!x", String(repeating: "k", count: 300), "a--b", "ACME", "%20", "+", "'", "%22", "\u{7F}",
    ].map { $0.addingPercentEncoding(withAllowedCharacters: CharacterSet(charactersIn: "!"..."~")) ?? "x" }

    private static let values = [
        "null", "5", "1e999", "[]", "{}", #""""#, #""K""#, #""acme""#, #""vision""#, #""dg==""#, #""v""#, #""\ud800""#, #""\u0000""#,
        #""..""#, #""a/b""#, "true", #""\"""#, "[[[[[[[[[[", String(repeating: "[", count: 3000), #""é""#, "\"\u{1}\"",
    ]

    private static func request(_ url: String, _ token: String?, _ random: inout Xorshift) -> HTTPClientRequest {
        func one(_ list: [String]) -> String { list.randomElement(using: &random) ?? "" }
        let path = one([
            "/api/v1/secrets", "/api/v1/secrets/" + one(texts), "/api/v1/secrets/\(one(texts))/\(one(texts))", "/api/v1/secrets/K",
        ])
        let query = (0..<Int.random(in: 0...3, using: &random)).map { _ in
            one(["org_name", "project_name", "x", "", "neuro-auth-token", "org_name"]) + one(["=", "", "=="]) + one(texts)
        }
        let places = ["?" + Stage.place, query.isEmpty ? "" : "?" + query.joined(separator: "&")]
        var request = HTTPClientRequest(url: url + path + one(places))
        let methods: [HTTPMethod] = [.GET, .POST, .DELETE, .HEAD, .PUT, .PATCH, .OPTIONS, .RAW(value: "LOCK"), .POST, .GET]
        request.method = methods.randomElement(using: &random) ?? .GET
        if request.method == .DELETE { request.url = url + "/api/v1/secrets/" + one(texts.filter { $0 != "K" }) + one(places) }
        if let token { request.headers.add(name: "Authorization", value: one(["Bearer ", "bearer ", "Bearer ", "Basic "]) + token) }
        if request.method == .POST || Bool.random(using: &random), request.method != .HEAD, request.method != .GET {
            request.body = .bytes(ByteBuffer(bytes: body(&random)))
        }
        return request
    }

    /// JSON with something wrong in it, whole, cut, or with a byte changed.
    private static func body(_ random: inout Xorshift) -> [UInt8] {
        let names = ["key", "value", "org_name", "project_name", "x"].filter { _ in Int.random(in: 0..<10, using: &random) > 0 }
        let fields = names.map { "\"\($0)\": \(values.randomElement(using: &random) ?? "")" }.joined(separator: ", ")
        var bytes = Array("{\(fields)}".utf8)
        switch Int.random(in: 0..<4, using: &random) {
        case 0: bytes.removeLast(Int.random(in: 0...bytes.count, using: &random))
        case 1: bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: .min ... .max, using: &random)
        default: break
        }
        return bytes
    }
}

/// The same numbers every time.
struct Xorshift: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }

    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state
    }
}
