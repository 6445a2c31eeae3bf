import AsyncHTTPClient
import Foundation
import Identity
import NIOCore
import PlatformModel
import Postgres
import ServiceKit
import TestSupport

/// All services of the platform, genuine, in this process, with two tenants in them (see ``Tenants``).
struct Platform: Sendable {
    struct Member: Sendable {
        let place: Place
        let service: TestService
        /// Its database, if it keeps one.
        let records: PostgresPool?
        var name: String { place.type.name }
    }

    private(set) var members: [Member] = []
    let tokens: Tokens
    /// What `$name` stands for in the lines.
    var names: [String: String] = [:]

    static func run(_ body: (Platform) async throws -> Void) async throws {
        let pem = TokenSigner.generatePEM()
        let tokens = try await Tokens(pem: pem)
        try await withService(EmptyKubernetes.self, settings: ["postgres.url": "none"]) { (kubernetes) async throws in
            let kubeconfig = try EmptyKubernetes.kubeconfig(url: kubernetes.url)
            defer { try? FileManager.default.removeItem(atPath: kubeconfig) }
            let files = FileManager.default.temporaryDirectory.appendingPathComponent("matrix-\(UUID().uuidString)").path
            try FileManager.default.createDirectory(atPath: files, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(atPath: files) }
            let settings = [
                "auth.signing-keys": pem, "public.url": "http://127.0.0.1:8080", "kubeconfig": kubeconfig, "cluster.name": "default",
                "storage.root": files, "documentation": "true",
                "config.sealing-keys": Data(repeating: 7, count: 32).base64EncodedString(),
                "ingress.auth.keys": "0123456789abcdefghijklmnopqrstuvwxyzABCDEFG", "ingress.zone.interval": "0.1",
                "jobs.cluster.interval": "0.2", "jobs.policy.interval": "3600", "config.token.interval": "3600",
            ]
            try await start(Place.all[...], Platform(tokens: tokens), settings) { platform in
                var platform = platform
                try await platform.settle()
                try await body(platform)
            }
        }
    }

    private static func start(
        _ rest: ArraySlice<Place>, _ running: Platform, _ settings: [String: String], _ body: (Platform) async throws -> Void
    ) async throws {
        guard let place = rest.first else { return try await body(running) }
        try await start(place.type, settings, running.tokens) { service in
            var (running, settings) = (running, settings)
            let records = place.keepsRecords ? try await service.assembly.context.postgres() : nil
            running.members.append(Member(place: place, service: service, records: records))
            if let address = place.address { settings[address.key] = service.url + address.path }
            try await start(rest.dropFirst(), running, settings, body)
        }
    }

    private static func start<S: PlatformService>(
        _ type: S.Type, _ settings: [String: String], _ tokens: Tokens, _ body: (TestService) async throws -> Void
    ) async throws {
        var settings = settings
        settings["service.token"] = try await tokens.service(S.name)
        // auth-api is the first, and knows its tokens itself.
        let authenticator: AuthenticatorFactory? = settings["auth.url"] == nil ? nil : Identity.authenticator
        try await withService(type, settings: settings, authenticator: authenticator, body)
    }

    // MARK: Asking

    func service(_ name: String) throws -> TestService {
        guard let member = members.first(where: { $0.name == name }) else { throw SettingError("No service \(name)") }
        return member.service
    }

    /// A text of a line with the names of this run.
    func filled(_ text: String) -> String {
        names.reduce(text) { $0.replacingOccurrences(of: "$" + $1.key, with: $1.value) }
    }

    func ask(
        _ service: TestService, _ line: Line, method: String? = nil, token: String?, id: String? = nil
    ) async throws -> TestAnswer {
        let isReading = ["GET", "HEAD"].contains(method ?? line.method)
        var request = HTTPClientRequest(url: service.url + filled(line.target))
        request.method = .RAW(value: method ?? line.method)
        for (name, value) in line.headers { request.headers.add(name: name, value: filled(value)) }
        if let token { request.headers.replaceOrAdd(name: "Authorization", value: "Bearer \(token)") }
        if let id { request.headers.add(name: "X-Request-ID", value: id) }
        if let body = line.body, method == nil {
            request.headers.add(name: "Content-Type", value: line.contentType)
            request.body = .bytes(ByteBuffer(string: filled(body)))
        }
        do {
            return try await service.call(request)
        } catch {
            // A connection that carried a stream to its end may be closed while the next request is on its way there.
            guard isReading else { throw SettingError("\(request.method.rawValue) \(request.url): \(error)") }
            return try await service.call(request)
        }
    }

    // MARK: Looking

    func snapshot() async throws -> [String: Snapshot] {
        var all: [String: Snapshot] = [:]
        for member in members {
            if let records = member.records { all[member.name] = try await Snapshot.take(of: records) }
        }
        return all
    }

    /// Returns once nothing is written any more that nobody asks for now.
    func rest() async throws {
        var last = try await snapshot()
        for _ in 0..<300 {
            try await Task.sleep(for: .milliseconds(100))
            let next = try await snapshot()
            if next == last { return }
            last = next
        }
        throw SettingError("The services do not come to rest")
    }
}
