import AsyncHTTPClient
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import ServiceLifecycle
import Synchronization
import Testing

@testable import Kubernetes

/// An API server that plays back answers in order and writes down what it was asked.
final class ScriptedServer: Sendable {
    enum Answer: Sendable {
        case reply(Int, String, headers: [String: String])
        /// Lines, then an orderly end.
        case lines([String])
        /// Lines, then a broken connection.
        case dropped([String])
        /// Lines, then silence until the client goes.
        case open([String])

        static func json(_ text: String) -> Answer { .reply(200, text, headers: [:]) }
        static func json(_ code: Int, _ text: String, headers: [String: String] = [:]) -> Answer { .reply(code, text, headers: headers) }
    }

    private struct Dropped: Error {}
    private struct Script: Sendable {
        var answers: [Answer]
        var asked: [String] = []
        var tokens: [String?] = []
    }
    private let script: Mutex<Script>

    init(_ answers: [Answer]) { script = Mutex(Script(answers: answers)) }

    /// Method, path and query of each request, `timeoutSeconds` left out.
    var asked: [String] { script.withLock(\.asked) }
    var tokens: [String?] { script.withLock(\.tokens) }
    var isDone: Bool { script.withLock { $0.answers.isEmpty } }

    func answer(_ request: Request) -> Response {
        let answer: Answer = script.withLock { script in
            let query = request.uri.query.map { query in
                "?" + query.split(separator: "&").filter { !$0.hasPrefix("timeoutSeconds") }.joined(separator: "&")
            }
            script.asked.append("\(request.method.rawValue) \(request.uri.path)\(query ?? "")")
            script.tokens.append(request.headers[.authorization])
            return script.answers.isEmpty ? .json(500, #"{"message":"the script is at its end"}"#) : script.answers.removeFirst()
        }
        switch answer {
        case .reply(let code, let text, let headers):
            var fields: HTTPFields = [.contentType: "application/json"]
            for (name, value) in headers { if let name = HTTPField.Name(name) { fields[name] = value } }
            return Response(status: .init(code: code), headers: fields, body: .init(byteBuffer: ByteBuffer(string: text)))
        case .lines(let lines): return stream(lines) {}
        case .dropped(let lines): return stream(lines) { throw Dropped() }
        case .open(let lines): return stream(lines) { try await Task.sleep(for: .seconds(60)) }
        }
    }

    private func stream(_ lines: [String], end: @escaping @Sendable () async throws -> Void) -> Response {
        Response(
            status: .ok,
            body: ResponseBody { writer in
                for line in lines { try await writer.write(ByteBuffer(string: line + "\n")) }
                try await end()
                try await writer.finish(nil)
            })
    }

    /// Serves while `body` runs with a client whose back-off is negligible.
    static func run(
        _ answers: [Answer], credentials: KubernetesConfiguration.Credentials = .token("t"),
        change: (inout KubernetesConfiguration) -> Void = { _ in },
        _ body: (ScriptedServer, KubernetesClient) async throws -> Void
    ) async throws {
        let server = ScriptedServer(answers)
        let (ports, found) = AsyncStream.makeStream(of: Int.self)
        var logger = Logger(label: "scripted")
        logger.logLevel = .critical
        let application = Application(
            responder: CallbackResponder { (request: Request, _: BasicRequestContext) in server.answer(request) },
            configuration: .init(address: .hostname("127.0.0.1", port: 0)),
            onServerRunning: { found.yield($0.localAddress?.port ?? 0) }, logger: logger)
        let group = ServiceGroup(configuration: .init(services: [application], logger: logger))
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            var ports = ports.makeAsyncIterator()
            let port = try #require(await ports.next())
            var configuration = KubernetesConfiguration(server: "http://127.0.0.1:\(port)", credentials: credentials)
            change(&configuration)
            let client = try KubernetesClient(configuration, logger: logger)
            let outcome: Result<Void, any Error>
            do { outcome = .success(try await body(server, client)) } catch { outcome = .failure(error) }
            try await client.shutdown()
            tasks.cancelAll()
            while let _ = await tasks.nextResult() {}
            try outcome.get()
        }
    }
}

/// JSON of a pod and of lists and watch lines with it.
func pod(_ name: String, _ version: Int) -> String { #"{"metadata":{"name":"\#(name)","resourceVersion":"\#(version)"}}"# }
func list(_ version: Int, _ pods: [String], next: String? = nil) -> String {
    let token = next.map { #","continue":"\#($0)""# } ?? ""
    return #"{"kind":"PodList","metadata":{"resourceVersion":"\#(version)"\#(token)},"items":[\#(pods.joined(separator: ","))]}"#
}
func line(_ type: String, _ object: String) -> String { #"{"type":"\#(type)","object":\#(object)}"# }
func status(_ code: Int, _ reason: String) -> String {
    #"{"kind":"Status","status":"Failure","reason":"\#(reason)","message":"\#(reason) it is","code":\#(code)}"#
}
