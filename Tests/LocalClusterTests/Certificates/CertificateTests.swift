import AsyncHTTPClient
import Foundation
import Hummingbird
import Kubernetes
import LocalCertificates
import Logging
import NIOSSL
import ServiceKit
import TestSupport
import Testing
import WebSocket

@testable import LocalCluster

/// The cluster's own authority.
@Suite(.timeLimit(.minutes(5)))
struct CertificateTests {
    private static func folder() -> String { NSTemporaryDirectory() + "orrery-" + UUID().uuidString.lowercased() }

    private func read(_ path: String) throws -> String { try String(contentsOfFile: path, encoding: .utf8) }

    private func permissions(_ path: String) throws -> Int? {
        try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
    }

    /// Shows its own certificate, as the cluster does.
    private struct Secured: PlatformService {
        static let name = "secured"
        let certificate: ServerCertificate?

        init(_ context: ServiceContext) async throws {
            let certificates = ServerCertificates.cluster(folder: try context.settings.string("folder"))
            try certificates.renew()
            certificate = try certificates.server(logger: context.logger)
        }

        func register(on router: PlatformRouter) { router.get("/hello", access: .anyone) { _, _ in "hello" } }
    }

    @Test func clientsTrustWhatTheKubeconfigSays() async throws {
        let folder = Self.folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try await withService(Secured.self, settings: ["folder": folder, "postgres.url": "none"]) { service in
            let file = KubeconfigFile(folder: folder)
            try file.write(port: service.port, authority: ServerCertificates.cluster(folder: folder).authority, token: "a token")
            #expect(try permissions(file.path) == 0o600)
            let configuration = try KubernetesConfiguration.kubeconfig(path: file.path)
            guard case .authority(let authority) = configuration.trust, case .token("a token") = configuration.credentials else {
                Issue.record("\(configuration)")
                return
            }
            var tls = TLSConfiguration.makeClientConfiguration()
            tls.trustRoots = .certificates(try NIOSSLCertificate.fromPEMBytes(Array(authority)))
            var settings = HTTPClient.Configuration()
            settings.tlsConfiguration = tls
            let client = HTTPClient(configuration: settings)
            for host in ["127.0.0.1", "localhost"] {
                let answer = try? await client.execute(
                    HTTPClientRequest(url: "https://\(host):\(service.port)/hello"), timeout: .seconds(10))
                #expect(answer?.status == .ok)
            }
            try await client.shutdown()
            // Who does not know the authority does not trust it.
            await #expect(throws: (any Error).self) {
                try await HTTPClient.shared.execute(HTTPClientRequest(url: configuration.server + "/hello"), timeout: .seconds(10))
            }
        }
    }

    @Test func whatIsGoodIsLeftAlone() throws {
        let folder = Self.folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let certificates = ServerCertificates.cluster(folder: folder)
        let now = Date()
        #expect(try certificates.renew(now: now))
        let (authority, server) = (try certificates.authority, try read(certificates.certificatePath))
        #expect(try permissions(certificates.keyPath) == 0o600)
        #expect(try permissions(folder + "/tls/ca.key") == 0o600)
        #expect(try !certificates.renew(now: now.addingTimeInterval(100 * 86_400)))
        #expect(try read(certificates.certificatePath) == server)
        // Near its end the server's certificate is another one, of the same authority: clients notice nothing.
        #expect(try certificates.renew(now: now.addingTimeInterval(300 * 86_400)))
        #expect(try read(certificates.certificatePath) != server)
        #expect(try certificates.authority == authority)
        // Another name to be good for.
        #expect(try ServerCertificates.cluster(folder: folder, hosts: ["10.9.8.7"]).renew(now: now.addingTimeInterval(300 * 86_400)))
        #expect(try !certificates.renew(now: now.addingTimeInterval(300 * 86_400)))
        // An authority that would not outlive what it signs is replaced, and everything with it.
        #expect(try certificates.renew(now: now.addingTimeInterval(3400 * 86_400)))
        #expect(try certificates.authority != authority)
    }

    @Test func whatIsBrokenIsMadeAnew() throws {
        let folder = Self.folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let certificates = ServerCertificates.cluster(folder: folder)
        try certificates.renew()
        for path in [certificates.keyPath, certificates.certificatePath, certificates.authorityPath] {
            try Data("nonsense".utf8).write(to: URL(fileURLWithPath: path))
            #expect(try certificates.renew())
            #expect(try !certificates.renew())
        }
    }
}
