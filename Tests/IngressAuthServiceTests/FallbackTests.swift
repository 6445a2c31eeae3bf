import Foundation
import TestSupport
import Testing

@testable import IngressAuthService

/// The page behind hosts that no job answers for (ingress-auth.md 10).
@Suite(.timeLimit(.minutes(10)))
struct FallbackTests {
    @Test func anyHostAndAnyPath() async throws {
        try await Platform.run { (platform) async throws in
            var bodies: Set<String> = []
            for path in ["/", "/lab/tree", "/a%20b", "/oauth/unknown", "/?x=1", "/api/v1/jobs"] {
                let answer = try await platform.ingress.get(path, headers: ["Host": "job-1.\(Platform.jobs)", "Cookie": "dat=secret"])
                #expect(answer.status == 404 && answer.isPage && answer.headers.first(name: "Cache-Control") == "no-store", "\(path)")
                bodies.insert(answer.body)
            }
            #expect(bodies.count == 1)
            let body = try #require(bodies.first)
            #expect(!body.contains("job-1") && !body.contains("secret") && !body.contains("https://"))
            // Its one script is the one that its policy names.
            let answer = try await platform.ingress.get("/")
            let policy = try #require(answer.headers.first(name: "Content-Security-Policy"))
            #expect(policy.contains("default-src 'none'") && policy.contains("script-src 'sha256-"))
            #expect(body.components(separatedBy: "<script>").count == 2)
            #expect(try await platform.ingress.call(.HEAD, "/lab").status == 404)
        }
    }
}
