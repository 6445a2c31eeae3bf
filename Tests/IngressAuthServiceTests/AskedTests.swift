import Foundation
import HTTPTypes
import ServiceKit
import Testing

@testable import IngressAuthService

/// How a question is read, without asking anybody.
struct AskedTests {
    private func asked(_ more: [(String, String)] = [], host: String = "a.example.org") throws -> AskedRequest {
        var headers: HTTPFields = [.forwardedHost: host]
        for (name, value) in more { headers.append(HTTPField(name: try #require(HTTPField.Name(name)), value: value)) }
        return try AskedRequest(headers)
    }

    @Test func oneHostAndOneAlone() throws {
        for hosts in [[], ["a.example.org", "b.example.org"], ["a.example.org, b.example.org"], [""], ["a.example.org,"], ["127.0.0.1"]] {
            var headers: HTTPFields = [:]
            for host in hosts { headers.append(HTTPField(name: .forwardedHost, value: host)) }
            #expect(throws: AskedRequest.Malformed.self, "\(hosts)") { try AskedRequest(headers) }
        }
    }

    @Test(arguments: [
        ("/lab?x=1&y=%2F", "/lab?x=1&y=%2F"), ("/%2f%2fevil", "/%2f%2fevil"), ("/a//b", "/a//b"), ("/a%0d%0ab", "/a%0d%0ab"),
        ("/" + String(repeating: "a", count: 2047), "/" + String(repeating: "a", count: 2047)),
        ("", "/"), ("*", "/"), ("http://evil.example/", "/"), ("//evil.example/", "/"), ("/\\evil.example", "/"), ("\\evil", "/"),
        ("/a b", "/"), ("/a\tb", "/"), ("/a#b", "/"), ("/é", "/"), ("/" + String(repeating: "a", count: 2048), "/"),
        ("/.apolo-sso?ticket=x", "/"), ("/%2eapolo-sso?ticket=x", "/"), ("/%zz", "/"),
    ])
    func targets(_ uri: String, _ target: String) throws {
        #expect(try asked([("X-Forwarded-Uri", uri)]).target == target)
    }

    @Test func theReturnIsKnownHoweverItIsSpelled() throws {
        for uri in ["/.apolo-sso", "/.apolo-sso?ticket=x", "/%2Eapolo-sso?x", "/.apolo%2dsso", "/.apolo-sso/x", "/.apolo-sso%2Fx"] {
            #expect(try asked([("X-Forwarded-Uri", uri)]).isReturn, "\(uri)")
        }
        for uri in ["/", "/.apolo-ssox", "/x/.apolo-sso"] { #expect(try !asked([("X-Forwarded-Uri", uri)]).isReturn, "\(uri)") }
    }

    @Test func theMethodIsGETUnlessItIsNamed() throws {
        #expect(try asked().method == "GET")
        #expect(try asked([("X-Forwarded-Method", "post")]).method == "POST")
    }

    private func kind(_ more: [(String, String)]) throws -> RequestKind {
        let asked = try asked(more)
        return RequestKind(asked, credentials: Credentials(asked, tokenCookies: [], session: "x"))
    }

    @Test func kindsOfClients() throws {
        let token = "e30." + Data(#"{"identity":"x"}"#.utf8).base64EncodedString().replacing("=", with: "") + ".x"
        let cases: [(RequestKind, [(String, String)])] = [
            (.navigation, []), (.navigation, [("Accept", "*/*")]), (.navigation, [("Accept", "text/html, */*;q=0.1")]),
            (.navigation, [("Accept", "text/*")]), (.navigation, [("Accept", "")]),
            (.navigation, [("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Dest", "iframe")]),
            (.navigation, [("X-Forwarded-Method", "HEAD")]), (.navigation, [("Authorization", "Bearer sk-123")]),
            (.navigation, [("Authorization", "Basic \(Data("a:b".utf8).base64EncodedString())")]),
            (.navigation, [("X-Forwarded-Proto", "gopher")]), (.navigation, [("X-Forwarded-Proto", "https,http")]),
            (.webSocket, [("Sec-WebSocket-Key", "x")]), (.webSocket, [("Sec-WebSocket-Version", "13")]),
            (.webSocket, [("X-Forwarded-Proto", "wss")]), (.webSocket, [("X-Forwarded-Proto", "WS")]),
            (.grpc, [("Content-Type", "application/grpc+proto"), ("X-Forwarded-Method", "POST")]),
            (.script, [("X-Requested-With", "XMLHttpRequest")]), (.script, [("Sec-Fetch-Mode", "cors")]),
            (.script, [("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Dest", "empty")]), (.script, [("Sec-Fetch-Dest", "image")]),
            (.script, [("X-Forwarded-Method", "HEAD"), ("Sec-Fetch-Mode", "same-origin")]),
            (.apiClient, [("X-Forwarded-Method", "POST")]), (.apiClient, [("X-Forwarded-Method", "BREW")]),
            (.apiClient, [("Accept", "application/json")]), (.apiClient, [("Accept", "text/event-stream")]),
            (.apiClient, [("Authorization", "Bearer \(token)")]), (.apiClient, [("Authorization", "Basic \(token)")]),
            (.apiClient, [("Authorization", "Basic " + Data("u:\(token)".utf8).base64EncodedString())]),
            (.navigation, [("Authorization", "Bearer \(token)"), ("Authorization", "Bearer \(token)")]),
        ]
        for (expected, headers) in cases { #expect(try kind(headers) == expected, "\(headers)") }
    }

    @Test func cookiesAreReadAsBrowsersSendThem() {
        let header = CookieHeader(["a=1; dat=\"x.y.z\" ;b", " dat=other;; =v; c=a=b ; __Host-ia-s=s; ia=q", "dat=x.y.z; dat="])
        #expect(header.values("dat") == ["x.y.z", "other", ""])
        #expect(header.tokens("dat") == ["x.y.z", "other"])
        #expect(header.values("c") == ["a=b"])
        #expect(header.without { CookieNames.areOurs($0) || $0 == "dat" } == "a=1; b; =v; c=a=b")
        #expect(
            CookieHeader(["dat=1; __Host-ia=2; __Host-ingress-auth-tx-abc=3"]).without { CookieNames.areOurs($0) || $0 == "dat" } == nil)
        #expect(!CookieNames.areOurs("ian") && !CookieNames.areOurs("NEURO_STORAGEAPI_SESSION"))
    }

    @Test func credentialsInTheirOrderAndNoMoreThanFive() throws {
        let session = RandomText.make()
        let token =
            "e30." + Data(#"{"https://platform.neuromation.io/user":"x"}"#.utf8).base64EncodedString().replacing("=", with: "") + ".x"
        let asked = try asked([
            ("Authorization", "bearer  \(token)"),
            ("Cookie", "dat=1; dat=2; sat=3; __Host-ia-s=\(session); __Host-ia-s=short; sat=; dat=4; dat=5"),
        ])
        let credentials = Credentials(asked, tokenCookies: ["sat", "dat"], session: "__Host-ia-s")
        #expect(credentials.candidates.map(\.bearer) == [.token(token), .session(session), .token("3"), .token("1"), .token("2")])
        #expect(credentials.holdsPlatformToken)
    }

    @Test func platformTokensAreKnownWhereverTheyStand() {
        let token = "e30." + Data(#"{"identity":"x"}"#.utf8).base64EncodedString().replacing("=", with: "") + ".x"
        let basic = Data("user:\(token)".utf8).base64EncodedString()
        for field in [
            "Bearer \(token)", "BEARER\t\(token)", "Basic \(basic)", "Basic \(token)", "Token token=\"\(token)\"", "X a, \(token)",
        ] {
            #expect(PlatformAuthorization.holdsToken(field), "\(field)")
        }
        for field in ["Bearer sk-123", "Basic \(Data("a:b".utf8).base64EncodedString())", "Bearer a.b.c", "Bearer e30.e30.x", ""] {
            #expect(!PlatformAuthorization.holdsToken(field), "\(field)")
        }
        #expect(PlatformAuthorization.token(["Bearer \(token)", "Bearer \(token)"]) == nil)
        #expect(PlatformAuthorization.token(["Digest \(token)"]) == nil)
        #expect(PlatformAuthorization.token(["Bearer"]) == nil)
    }
}
