import AsyncHTTPClient
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import ServiceKit
import TestSupport
import WebSocket

/// The genuine Traefik in front of ingress-auth, the identity provider and a job, configured as the platform configures it: `https`
/// with a certificate of its own, and `http` for WebSockets.
final class Traefik: Sendable {
    let securePort: Int
    let plainPort: Int
    private let http: HTTPClient

    /// Where the job behind the gateway is known.
    static let jobHost = "trainer--859b431f56.jobs.default.org.example.org"

    static func with(_ platform: Platform, job: TestService, _ body: (Traefik) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("traefik-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let (secure, plain) = (try freePort(), try freePort())
        let dead = try freePort()
        try write(routing(platform, job: job.url, dead: "http://127.0.0.1:\(dead)"), to: folder.appendingPathComponent("routes.json"))
        try write(
            [
                "log": ["level": "ERROR", "filePath": folder.appendingPathComponent("log").path],
                "entryPoints": ["secure": ["address": "127.0.0.1:\(secure)"], "plain": ["address": "127.0.0.1:\(plain)"]],
                "providers": ["file": ["filename": folder.appendingPathComponent("routes.json").path, "watch": false]],
            ], to: folder.appendingPathComponent("traefik.json"))
        let process = Process()
        process.executableURL = URL(fileURLWithPath: try executable())
        process.arguments = ["--configfile=\(folder.path)/traefik.json"]
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        defer {
            process.terminate()
            process.waitUntilExit()
        }
        var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow)
        configuration.tlsConfiguration = .makeClientConfiguration()
        configuration.tlsConfiguration?.certificateVerification = .none
        let http = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        let traefik = Traefik(securePort: secure, plainPort: plain, http: http)
        do {
            try await eventually("Traefik serves", within: .seconds(30)) {
                (try? await traefik.send(.GET, "https://api.org.example.org/oauth/signed-in").status) == 200
            }
            try await body(traefik)
            try await http.shutdown()
        } catch {
            try? await http.shutdown()
            throw error
        }
    }

    private init(securePort: Int, plainPort: Int, http: HTTPClient) {
        self.securePort = securePort
        self.plainPort = plainPort
        self.http = http
    }

    /// Sends to the gateway whatever host the URL names.
    func send(_ method: HTTPMethod, _ url: String, _ headers: HTTPHeaders = [:], _ body: String? = nil) async throws -> TestAnswer {
        let (_, host) = Browser.parts(url)
        let path = String(url.dropFirst("https://".count + host.count))
        var request = HTTPClientRequest(url: "https://127.0.0.1:\(securePort)\(path.isEmpty ? "/" : path)")
        request.method = method
        request.headers = headers
        request.headers.replaceOrAdd(name: "Host", value: host)
        if let body {
            request.headers.replaceOrAdd(name: "Content-Type", value: "application/x-www-form-urlencoded")
            request.body = .bytes(ByteBuffer(string: body))
        }
        let response = try await http.execute(request, timeout: .seconds(30))
        let data = try await response.body.collect(upTo: 1 << 20)
        return TestAnswer(status: Int(response.status.code), headers: response.headers, data: Data(data.readableBytesView))
    }

    func browser() -> Browser { Browser { [self] in try await send($0, $1, $2, $3) } }

    // MARK: Configuration

    private static func routing(_ platform: Platform, job: String, dead: String) -> [String: Any] {
        func router(_ rule: String, _ service: String, _ middlewares: [String] = [], priority: Int, plain: Bool = false) -> [String: Any] {
            var router: [String: Any] = [
                "rule": rule, "service": service, "middlewares": middlewares, "priority": priority,
                "entryPoints": [plain ? "plain" : "secure"],
            ]
            if !plain { router["tls"] = [String: String]() }
            return router
        }
        let guarded = ["error-page", "ingress-auth"]
        let routers: [String: Any] = [
            "api": router("Host(`api.org.example.org`) && PathPrefix(`/oauth`)", "ingress", priority: 100),
            "login": router("Host(`login.example.org`)", "login", priority: 100),
            "jobs": router("HostRegexp(`^.+\\.jobs\\.default\\.org\\.example\\.org$`)", "job", guarded, priority: 50),
            "open": router("Host(`open.jobs.default.org.example.org`)", "job", ["error-page"], priority: 100),
            "dead": router("Host(`dead--859b431f56.jobs.default.org.example.org`)", "dead", guarded, priority: 100),
            "unguarded": router("Host(`broken.jobs.default.org.example.org`)", "job", ["error-page", "missing"], priority: 100),
            "grafana": router("Host(`grafana.default.org.example.org`)", "job", ["ingress-auth-pages"], priority: 100),
            "fallback": router("HostRegexp(`.+`)", "ingress", ["strip-headers", "to-root"], priority: 1),
            "sockets": router("PathPrefix(`/`)", "job", ["as-job"] + guarded, priority: 10, plain: true),
        ]
        func service(_ url: String) -> [String: Any] { ["loadBalancer": ["servers": [["url": url]]]] }
        let address = platform.ingress.url + "/oauth/authorize"
        let middlewares: [String: Any] = [
            "ingress-auth": [
                "forwardAuth": [
                    "address": address, "trustForwardHeader": false, "authResponseHeaders": ["Cookie", "Authorization"],
                ] as [String: Any]
            ],
            "ingress-auth-pages": ["forwardAuth": ["address": address, "trustForwardHeader": false] as [String: Any]],
            "error-page": ["errors": ["status": ["500-599"], "service": "ingress", "query": "/"] as [String: Any]],
            "strip-headers": ["headers": ["customRequestHeaders": ["Authorization": "", "Cookie": ""]]],
            "to-root": ["replacePath": ["path": "/"]],
            "as-job": ["headers": ["customRequestHeaders": ["Host": jobHost]]],
        ]
        let services = [
            "ingress": service(platform.ingress.url), "login": service(platform.neighbourURL), "job": service(job), "dead": service(dead),
        ]
        return ["http": ["routers": routers, "middlewares": middlewares, "services": services] as [String: Any]]
    }

    private static func write(_ value: [String: Any], to file: URL) throws {
        try JSONSerialization.data(withJSONObject: value, options: [.withoutEscapingSlashes]).write(to: file)
    }

    /// `ORRERY_TEST_TRAEFIK`, else the one that the local platform installs.
    private static func executable() throws -> String {
        if let path = ProcessInfo.processInfo.environment["ORRERY_TEST_TRAEFIK"] { return path }
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let process = Process()
        process.executableURL = root.appendingPathComponent("Local/setup/venv")
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw SettingError("Local/setup/venv failed; is the machine set up?") }
        return text.trimmingCharacters(in: .whitespacesAndNewlines) + "/bin/traefik"
    }
}

/// A job behind the gateway: tells what reached it, fails when asked to, and echoes on a WebSocket.
struct JobStandIn: PlatformService {
    static let name = "job"

    init(_ context: ServiceContext) async throws {}

    func register(on router: PlatformRouter) {
        router.get("/", access: .anyone) { request, _ in JSONResponse(Self.seen(request)) }
        router.post("/{path...}", access: .anyone) { request, _ in JSONResponse(Self.seen(request)) }
        router.get("/{path...}", access: .anyone) { request, context in
            switch try context.parameter("path") {
            case "fail": throw PlatformError(.internalServerError, "the job's own failure")
            case "refuse": throw PlatformError(.forbidden, "the job's own refusal")
            case "ws":
                guard let upgrade = WebSocketUpgrade(request: request) else { throw PlatformError.badRequest("no WebSocket") }
                let cookie = request.headers[.cookie] ?? "none"
                return upgrade.accept { session in
                    for try await message in session.inbound {
                        if case .text(let text) = message { try await session.send(text: "\(text), cookies: \(cookie)") }
                    }
                }
            default: return try JSONResponse(Self.seen(request)).response(from: request, context: context)
            }
        }
    }

    private static func seen(_ request: Request) -> [String: String] {
        var seen = ["path": request.uri.description, "method": request.method.rawValue]
        for name in ["cookie", "authorization", "x-forwarded-host"] {
            seen[name] = HTTPField.Name(name).flatMap { request.headers[$0] }
        }
        return seen
    }
}
