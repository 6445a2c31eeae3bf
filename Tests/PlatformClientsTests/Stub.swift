import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import ServiceKit
import Synchronization
import TestSupport

/// An API that answers what a test wrote down, in order, and remembers what it was asked.
struct Stub: PlatformService {
    static let name = "stub-api"

    struct Answer: Sendable {
        var status: Int
        var body = "{}"
        var headers: [String: String] = [:]
    }

    struct Asked: Sendable {
        let method: String
        let path: String
        let headers: HTTPFields
        let body: String
    }

    /// What each stub answers and was asked; the last answer is repeated.
    final class Script: Sendable {
        private let state = Mutex<(answers: [Answer], asked: [Asked])>(([], []))

        init(_ answers: [Answer]) { state.withLock { $0.answers = answers } }

        var asked: [Asked] { state.withLock { $0.asked } }

        func append(_ answer: Answer) { state.withLock { $0.answers.append(answer) } }

        fileprivate func next(_ asked: Asked) -> Answer {
            state.withLock { state in
                state.asked.append(asked)
                return state.answers.count > 1 ? state.answers.removeFirst() : state.answers[0]
            }
        }
    }

    private static let scripts = Mutex<[String: Script]>([:])
    private let script: Script

    init(_ context: ServiceContext) async throws {
        let id = try context.settings.string("stub.id")
        guard let script = Self.scripts.withLock({ $0[id] }) else { throw SettingError("There is no stub \(id).") }
        self.script = script
    }

    func register(on router: PlatformRouter) {
        for method in [HTTPRequest.Method.get, .post, .put, .patch, .delete] {
            router.on(method, "/api/v1/{path...}", access: .anyone) { [script] request, _ in
                let body = try await request.body.collect(upTo: 1 << 20)
                let asked = Asked(
                    method: request.method.rawValue, path: request.uri.string, headers: request.headers, body: String(buffer: body))
                let answer = script.next(asked)
                var headers: HTTPFields = [.contentType: "application/json"]
                for (name, value) in answer.headers { if let name = HTTPField.Name(name) { headers[name] = value } }
                return Response(
                    status: .init(code: answer.status), headers: headers,
                    body: answer.status == 304 ? .init() : .init(byteBuffer: ByteBuffer(string: answer.body)))
            }
        }
    }

    static func with<T>(_ answers: Answer..., body: (TestService, Script) async throws -> T) async throws -> T {
        let id = UUID().uuidString
        let script = Script(answers)
        scripts.withLock { $0[id] = script }
        defer { scripts.withLock { $0[id] = nil } }
        return try await withService(Stub.self, settings: ["stub.id": id, "postgres.url": "postgres://unused"]) { service in
            try await body(service, script)
        }
    }
}
