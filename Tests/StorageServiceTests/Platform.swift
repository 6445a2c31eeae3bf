import AsyncHTTPClient
import Foundation
import Identity
import NIOCore
import NIOHTTP1
import PlatformClients
import PlatformModel
import ServiceKit
import TestSupport
import Testing

@testable import AuthService
@testable import StorageService

/// storage-api over a folder of its own, beside a genuine auth-api. `alice` manages `/acme/alice`, `bob` manages `/acme/bob`.
struct Platform: Sendable {
    let auth: TestService
    let storage: TestService
    let signer: TokenSigner
    /// Where the files are.
    let root: String

    private static let turnstile = Turnstile(slots: 4)

    static func run(
        _ settings: [String: String] = [:], service: any PlatformService.Type = StorageService.self,
        _ body: @escaping @Sendable (Platform) async throws -> Void
    ) async throws {
        try await turnstile.pass { try await start(settings, service, body) }
    }

    private static func start(
        _ settings: [String: String], _ service: any PlatformService.Type, _ body: @escaping @Sendable (Platform) async throws -> Void
    ) async throws {
        let pem = TokenSigner.generatePEM()
        let signer = try await TokenSigner(pem: pem)
        let root = FileManager.default.temporaryDirectory.appendingPathComponent("storage-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: root + "/acme/alice", withIntermediateDirectories: true)
        try FileManager.default.createDirectory(atPath: root + "/acme/bob", withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: root) }
        let auth = ["auth.signing-keys": pem, "public.url": "https://platform.example.org"]
        try await withService(AuthService.self, settings: auth) { (auth) async throws in
            let own = [
                "auth.url": auth.url, "postgres.url": "none", "cluster.name": "default", "storage.root": root,
                "service.token": try await signer.sign(Self.claims(settings)),
            ].merging(settings) { _, given in given }
            try await withService(service, settings: own, authenticator: Identity.authenticator) { (storage) async throws in
                let platform = Platform(auth: auth, storage: storage, signer: signer, root: root)
                for name in ["alice", "bob"] {
                    try await platform.client().createUser(PrincipalName(name))
                    try await platform.grant("/acme/\(name)", .manage, to: name)
                }
                try await body(platform)
            }
        }
    }

    /// A cluster's service, unless the settings want one that is told of all clusters.
    private static func claims(_ settings: [String: String]) throws -> TokenClaims {
        let kind = settings["token.kind"].flatMap(TokenKind.init) ?? .cluster
        return TokenClaims(name: try PrincipalName("storage-api"), kind: kind, cluster: kind == .cluster ? "default" : nil)
    }

    // MARK: Principals

    func token(_ name: String) async throws -> String {
        try await signer.sign(TokenClaims(name: PrincipalName(name), issuedAt: name == "admin" ? Date() : Date() + 2))
    }

    private func client() async throws -> AuthClient {
        AuthClient(http: auth.http, baseURL: auth.url, token: Secret(try await token("admin")))
    }

    func grant(_ path: String, _ action: Action, to name: String) async throws {
        try await client().grant([Permission(ResourceURI("storage://default\(path)"), action)], to: PrincipalName(name))
    }

    func revoke(_ path: String, from name: String) async throws {
        try await client().revoke([ResourceURI("storage://default\(path)")], from: PrincipalName(name))
    }

    // MARK: Asking

    /// - Parameter path: already encoded, below the base.
    func ask(
        _ method: String, _ path: String, _ query: String = "", as name: String = "alice", headers: [String: String] = [:],
        body: HTTPClientRequest.Body? = nil
    ) async throws -> TestAnswer {
        var request = HTTPClientRequest(url: storage.url + "/api/v1/storage" + path + (query.isEmpty ? "" : "?" + query))
        request.method = .RAW(value: method)
        request.headers.add(name: "Authorization", value: "Bearer \(try await token(name))")
        for (name, value) in headers { request.headers.add(name: name, value: value) }
        request.body = body
        return try await storage.call(request)
    }

    @discardableResult
    func put(_ path: String, _ text: String, as name: String = "alice") async throws -> TestAnswer {
        try await ask("PUT", path, "op=CREATE", as: name, body: .bytes(ByteBuffer(string: text)))
    }

    func list(_ path: String, as name: String = "alice") async throws -> [String: FileEntry] {
        let answer = try await ask("GET", path, "op=LISTSTATUS", as: name)
        #expect(answer.status == 200, "\(answer.body)")
        let entries = try answer.json(Listing.self).FileStatuses.FileStatus
        #expect(Set(entries.map(\.path)).count == entries.count)
        return Dictionary(entries.map { ($0.path, $0) }) { first, _ in first }
    }

    func status(_ path: String, as name: String = "alice") async throws -> FileEntry? {
        let answer = try await ask("GET", path, "op=GETFILESTATUS", as: name)
        guard answer.status == 200 else { return nil }
        return try answer.json(Status.self).FileStatus
    }

    /// One request as it is, and the answer's bytes. `$TOKEN` stands for alice's.
    func raw(_ text: String) async throws -> String {
        let token = try await token("alice")
        return try await RawConnection.with(port: storage.port) { connection in
            try await connection.send(text.replacingOccurrences(of: "$TOKEN", with: token))
            return try await connection.readToEnd()
        }
    }

    func get(raw path: String, _ query: String = "op=GETFILESTATUS") async throws -> String {
        try await raw(
            "GET /api/v1/storage\(path)?\(query) HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer $TOKEN\r\nConnection: close\r\n\r\n")
    }

    // MARK: The disk

    func onDisk(_ path: String) -> String { root + path }

    func contents(_ path: String) -> String? {
        FileManager.default.contents(atPath: onDisk(path)).map { String(decoding: $0, as: UTF8.self) }
    }

    func write(_ path: String, _ text: String) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: onDisk(path)))
    }

    func makeFolder(_ path: String) throws {
        try FileManager.default.createDirectory(atPath: onDisk(path), withIntermediateDirectories: true)
    }

    func link(_ path: String, to target: String) throws {
        try FileManager.default.createSymbolicLink(atPath: onDisk(path), withDestinationPath: target)
    }

    /// Whether something is there, a link that leads nowhere included.
    func exists(_ path: String) -> Bool {
        (try? FileManager.default.attributesOfItem(atPath: onDisk(path))) != nil
    }
}

struct FileEntry: Decodable, Equatable {
    let path: String
    let length: Int
    let modificationTime: Int
    let permission: String
    let type: String
}

struct Status: Decodable { let FileStatus: FileEntry }

struct Listing: Decodable {
    struct Entries: Decodable { let FileStatus: [FileEntry] }
    let FileStatuses: Entries
}

/// `error` and `errno` of a refusal.
struct Refusal: Decodable, Equatable {
    let error: String
    let errno: String?

    init(_ error: String, _ errno: String?) { (self.error, self.errno) = (error, errno) }

    init(_ answer: TestAnswer) throws { self = try answer.json() }
}

extension TestAnswer {
    func refuses(_ error: String, _ errno: String? = nil) -> Bool {
        (try? Refusal(self)) == Refusal(error, errno) && status == 400
            && headers.first(name: "Content-Type") == "application/json; charset=utf-8"
    }

    var isMissing: Bool { status == 404 && body == "404: Not Found" && headers.first(name: "Content-Type") == "text/plain; charset=utf-8" }

    subscript(_ name: String) -> String? { headers.first(name: name) }
}
