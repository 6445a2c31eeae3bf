import AsyncHTTPClient
import Foundation
import Hummingbird
import Postgres
import ServiceKit
import ServiceLifecycle
import TestSupport

/// A service that shows what the kit does.
struct ProbeService: PlatformService {
    static let name = "probe-api"

    struct Pet: Codable, Equatable {
        var name: String
        var age: Int
        var tags: [String]?
        var born: Date?
    }

    let http: HTTPClient

    init(_ context: ServiceContext) async throws { http = context.http }

    var authenticator: (any Authenticator)? { TestAuthenticator("alice", "bob") }

    func register(on router: PlatformRouter) {
        router.get("/hello", access: .anyone) { _, _ in "hello" }
        router.post("/hello", access: .anyone) { _, _ in "posted" }
        router.get("/whoami", access: .principal) { _, context in try context.requireCaller().name }
        router.get("/maybe", access: .optionalPrincipal) { _, context in context.caller?.name ?? "nobody" }
        router.get("/pets/{name}", access: .anyone) { _, context in try context.parameter("name") }
        router.get("/pets/all", access: .anyone) { _, _ in "every pet" }
        router.delete("/pets/{name}", access: .anyone) { _, context in try "gone " + context.parameter("name") }
        router.get("/users/{name...}", access: .anyone) { _, context in try "user " + context.parameter("name") }
        router.get("/users/{name...}/permissions", access: .anyone) { _, context in try "permissions " + context.parameter("name") }
        router.get("/query", access: .anyone) { _, context in
            let flag = try context.query.bool("flag").map { "\($0)" } ?? "-"
            return context.query.all("x").joined(separator: "|") + " " + flag + " \(try context.query.int("n") ?? 0)"
        }
        router.get("/where", access: .anyone) { _, context in
            let inHandler = context.channel.eventLoop.inEventLoop
            return Response(
                status: .ok,
                body: ResponseBody { writer in
                    try await writer.write(ByteBuffer(string: "\(inHandler) \(context.channel.eventLoop.inEventLoop)"))
                    try await writer.finish(nil)
                })
        }
        router.on(.get, "/where/brief", access: .anyone, isBrief: true) { _, context in
            await Task.yield()
            return "\(context.channel.eventLoop.inEventLoop)"
        }
        router.post("/pets", access: .anyone) { request, context in
            JSONResponse(try await request.decode(as: Pet.self, context: context), status: .created)
        }
        router.put("/small", access: .anyone, bodyLimit: 10) { request, _ in
            "\(try await request.body.collect(upTo: .max).readableBytes)"
        }
        router.put("/refused", access: .anyone, bodyLimit: 1 << 30) { _, _ -> String in throw PlatformError.forbidden() }
        router.get("/slow", access: .anyone, timeout: .milliseconds(50)) { _, _ in
            try await Task.sleep(for: .seconds(60))
            return "never"
        }
        router.get("/broken", access: .anyone) { _, _ -> String in throw Oops(secret: "sk-very-hidden") }
        router.get("/conflict", access: .anyone) { _, _ -> String in
            throw PlatformError.conflict("There is one already", code: "unique")
        }
        router.get("/missing", access: .anyone) { _, _ -> String in
            throw PlatformError(.forbidden, "Forbidden", body: ["missing": ["storage://c/x"]])
        }
        router.get("/away/http", access: .anyone) { _, _ in
            try await http.execute(HTTPClientRequest(url: "http://127.0.0.1:1/"), timeout: .seconds(5)).status.reasonPhrase
        }
        router.get("/away/postgres", access: .anyone) { _, _ -> String in
            throw PostgresError.unavailable(reason: "connection to server at 10.0.0.7 failed", mayHaveRun: false)
        }
        router.get("/list", access: .anyone) { _, _ in NDJSONResponse(Numbers(limit: 5000)) }
        router.get("/list/broken", access: .anyone) { _, _ in NDJSONResponse(Numbers(limit: 3, failing: true)) }
        router.get("/follow", access: .anyone) { _, _ in NDJSONResponse(following: Numbers(limit: 2, endless: true)) }
    }
}

struct Oops: Error {
    let secret: String
}

/// Counts up; then ends, fails, or waits for ever.
struct Numbers: AsyncSequence, Sendable {
    let limit: Int
    var failing = false
    var endless = false

    struct AsyncIterator: AsyncIteratorProtocol {
        let base: Numbers
        var next = 0

        mutating func next() async throws -> [String: Int]? {
            next += 1
            if next <= base.limit { return ["n": next] }
            if base.failing { throw Oops(secret: "hidden") }
            if base.endless { try await Task.sleep(for: .seconds(600)) }
            return nil
        }
    }

    func makeAsyncIterator() -> AsyncIterator { AsyncIterator(base: self) }
}
