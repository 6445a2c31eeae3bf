import AsyncHTTPClient
import Foundation
import NIOCore
import TestSupport
import Testing

@testable import AuthService

/// A genuine OpenID provider (Authlib's, from PyPI) that runs for the time of a test, with clients registered and people of our choosing.
struct OIDCProvider: Sendable {
    let issuer: String
    let clientID: String
    let clientSecret: String
    let http: HTTPClient

    /// Runs a provider, and an auth-api that offers it as `corp`.
    /// - Parameter more: further settings of the provider, as JSON members.
    static func with(_ more: String = "", secret: String? = nil, _ body: (Auth, OIDCProvider) async throws -> Void) async throws {
        let port = try PrivateRedis().port
        let process = Process()
        process.executableURL = URL(fileURLWithPath: try tools.get() + "/bin/oidc-provider-mock")
        process.arguments = ["--port", "\(port)", "--require-registration", "true", "--require-nonce", "true"]
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        // Tests run with SIGTERM blocked, and a child inherits that.
        defer { Foundation.kill(process.processIdentifier, SIGKILL) }
        let issuer = "http://127.0.0.1:\(port)"
        let client = try await register(issuer)
        let settings = """
            [{"id": "corp", "name": "Example Corp", "issuer": "\(issuer)", "client_id": "\(client.id)",
              "client_secret": "\(secret ?? client.secret)"\(more.isEmpty ? "" : ", " + more)}]
            """
        try await Auth.with(["oidc.providers": settings]) { auth in
            try await body(
                auth, OIDCProvider(issuer: issuer, clientID: client.id, clientSecret: client.secret, http: auth.service.http))
        }
    }

    private static func register(_ issuer: String) async throws -> (id: String, secret: String) {
        let deadline = ContinuousClock.now + .seconds(60)
        while true {
            do {
                let body = ["redirect_uris": ["\(OAuthSettings.localOrigin)/auth/providers/corp/callback"]]
                var request = HTTPClientRequest(url: issuer + "/oauth2/clients")
                request.method = .POST
                request.headers.add(name: "Content-Type", value: "application/json")
                request.body = .bytes(ByteBuffer(bytes: try JSONEncoder().encode(body)))
                let response = try await HTTPClient.shared.execute(request, timeout: .seconds(10))
                let data = Data((try await response.body.collect(upTo: 1 << 20)).readableBytesView)
                let object = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
                return (try #require(object["client_id"] as? String), try #require(object["client_secret"] as? String))
            } catch let error where ContinuousClock.now < deadline && !(error is CancellationError) {
                // It takes a moment until it listens.
                try await Task.sleep(for: .milliseconds(100))
            }
        }
    }

    /// The virtual environment of the tests, found once. Into a file: a pipe's end would be inherited by whatever other tests start.
    private static let tools = Result {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("orrery-venv-\(UUID().uuidString)")
        _ = FileManager.default.createFile(atPath: file.path, contents: nil)
        defer { try? FileManager.default.removeItem(at: file) }
        let process = Process()
        process.executableURL = root.appendingPathComponent("Local/setup/venv")
        process.arguments = ["test"]
        process.standardOutput = try FileHandle(forWritingTo: file)
        try process.run()
        process.waitUntilExit()
        return String(decoding: try Data(contentsOf: file), as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// Makes or changes a person there.
    func person(_ subject: String, _ claims: [String: Any]) async throws {
        var request = HTTPClientRequest(url: issuer + "/users/\(subject)")
        request.method = .PUT
        request.headers.add(name: "Content-Type", value: "application/json")
        request.body = .bytes(ByteBuffer(bytes: try JSONSerialization.data(withJSONObject: claims)))
        let response = try await http.execute(request, timeout: .seconds(10))
        try #require(response.status.code < 300)
    }

    /// Sends the provider's form, as a person there or (nil) refusing; where it leads the browser.
    func answer(at location: String, as subject: String?) async throws -> String {
        var request = HTTPClientRequest(url: location)
        request.method = .POST
        request.headers.add(name: "Content-Type", value: "application/x-www-form-urlencoded")
        request.body = .bytes(ByteBuffer(string: (subject.map { ["sub": $0] } ?? ["action": "deny"]).formEncoded))
        let response = try await http.execute(request, timeout: .seconds(10))
        let back = try #require(response.headers.first(name: "Location"))
        #expect(back.hasPrefix(OAuthSettings.localOrigin + "/auth/providers/corp/callback?"))
        return back.replacingOccurrences(of: OAuthSettings.localOrigin, with: "")
    }

    /// The whole way from the sign-in page there and back.
    func signIn(_ browser: Browser, as subject: String, at page: String = "/auth/sign-in") async throws -> TestAnswer {
        let page = try await browser.get(page)
        let link = try #require(page.body.firstMatch(of: /<a class="button" href="([^"]*)">Sign in with Example Corp/)?.1)
        let start = try await browser.get(String(link).replacingOccurrences(of: "&amp;", with: "&"))
        #expect(start.status == 303, "\(start.body)")
        return try await browser.get(answer(at: try #require(start.location), as: subject))
    }
}
