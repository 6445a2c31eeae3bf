import HTTPTypes
import Hummingbird
import ServiceKit
import TestSupport
import Testing
import WebSocket

@Suite("WebSocket routes", .timeLimit(.minutes(5))) struct WebSocketRouteTests {
    struct EchoService: PlatformService {
        static let name = "echo-api"
        init(_ context: ServiceContext) async throws {}
        var authenticator: (any Authenticator)? { TestAuthenticator("alice") }
        func register(on router: PlatformRouter) {
            router.get("/echo/{name}", access: .principal) { request, context in
                guard let upgrade = WebSocketUpgrade(request: request) else { throw PlatformError.badRequest("This is a WebSocket.") }
                let name = try context.parameter("name")
                return upgrade.accept { session in
                    for try await message in session.inbound {
                        if case .text(let text) = message { try await session.send(text: "\(name): \(text)") }
                    }
                }
            }
        }
    }

    private func refusal(_ url: String, token: String? = nil) async throws -> WebSocketHandshakeRefused? {
        let headers: HTTPFields = token.map { [.authorization: "Bearer \($0)"] } ?? [:]
        do {
            try await WebSocketClient.connect(url: url, headers: headers) { _, _ in }
            return nil
        } catch let error as WebSocketHandshakeRefused {
            return error
        }
    }

    @Test("The handshake is an ordinary request: routed, authenticated, refused in the service's own form, logged once at its end")
    func handshake() async throws {
        try await withService(EchoService.self) { service async throws in
            let nobody = try await refusal(service.url + "/echo/a")
            #expect(nobody?.status == 401 && nobody.map { String(buffer: $0.body) } == #"{"error":"Unauthorized"}"#)
            #expect(try await refusal(service.url + "/nothing", token: "alice")?.status == 404)
            #expect(try await service.get("/echo/a", token: "alice").status == 400)
            let answer = try await WebSocketClient.connect(url: service.url + "/echo/b%20c", headers: [.authorization: "Bearer alice"]) {
                session, _ in
                try await session.send(text: "hi")
                return try await session.inbound.first { _ in true }
            }
            #expect(answer == .text("b c: hi"))
            while service.log.entries("request").allSatisfy({ $0["status"] as? Int != 101 }) { try await Task.sleep(for: .milliseconds(5)) }
            #expect(service.log.entries("request").filter { $0["status"] as? Int == 101 }.count == 1)
        }
    }

    @Test("Sessions are closed with 1001 when the service stops") func goingAway() async throws {
        try await withService(EchoService.self) { service async throws in
            let close = try await WebSocketClient.connect(url: service.url + "/echo/a", headers: [.authorization: "Bearer alice"]) {
                session, _ in
                try await session.send(text: "hi")
                for try await _ in session.inbound { service.assembly.shutDown() }
                return session.peerClose
            }
            #expect(close?.code == .goingAway)
        }
    }
}
