import AsyncHTTPClient
import Crypto
import Foundation
import NIOCore
import ServiceKit

/// The OAuth 2 server where people sign in (auth.md 10), as its web client sees it.
struct IdentityProvider: Sendable {
    /// Why a code could not be turned into a token.
    enum Failure: Error {
        /// The server does not accept it.
        case refused
        /// The server is away or answers nonsense.
        case unavailable
    }

    let http: HTTPClient
    /// Where browsers go.
    let authorizeURL: String
    /// Where this service goes.
    let tokenURL: String
    let logoutURL: String
    let clientID: String
    let clientSecret: Secret?
    let audience: String
    /// The one address to which it sends browsers back.
    let redirectURL: String
    /// The one address to which it sends browsers that signed out.
    let loggedOutURL: String

    /// The address at which a browser begins to sign in (RFC 6749 §4.1.1, RFC 7636).
    func authorization(state: String, verifier: String) -> String {
        let challenge = Base64URL.encode(SHA256.hash(data: Data(verifier.utf8)))
        return Self.adding(
            [
                ("response_type", "code"), ("client_id", clientID), ("redirect_uri", redirectURL), ("scope", "openid"),
                ("audience", audience), ("state", state), ("code_challenge", challenge), ("code_challenge_method", "S256"),
            ], to: authorizeURL)
    }

    /// The address at which a browser signs out.
    /// (The return address under its name of OpenID Connect and under the one that hosted identity providers know.)
    var logout: String {
        Self.adding([("client_id", clientID), ("post_logout_redirect_uri", loggedOutURL), ("returnTo", loggedOutURL)], to: logoutURL)
    }

    /// The access token for a code.
    /// - Throws: ``Failure``.
    func token(code: String, verifier: String) async throws -> String {
        struct Answer: Decodable {
            let accessToken: String
            let tokenType: String?
            enum CodingKeys: String, CodingKey {
                case accessToken = "access_token"
                case tokenType = "token_type"
            }
        }
        var form = [
            ("grant_type", "authorization_code"), ("code", code), ("code_verifier", verifier), ("redirect_uri", redirectURL),
            ("client_id", clientID),
        ]
        if let clientSecret { form.append(("client_secret", clientSecret.value)) }
        var request = HTTPClientRequest(url: tokenURL)
        request.method = .POST
        request.headers.add(name: "Content-Type", value: "application/x-www-form-urlencoded")
        request.headers.add(name: "Accept", value: "application/json")
        request.carryTrace()
        request.body = .bytes(ByteBuffer(string: FormCoding.encode(form)))
        let (status, body): (Int, ByteBuffer)
        do {
            let response = try await http.execute(request, timeout: .seconds(5))
            (status, body) = (Int(response.status.code), try await response.body.collect(upTo: 64 << 10))
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            throw Failure.unavailable
        }
        if (400..<500).contains(status) { throw Failure.refused }
        guard status == 200, let answer = try? JSONDecoder().decode(Answer.self, from: Data(body.readableBytesView)),
            answer.tokenType.map({ $0.lowercased() == "bearer" }) ?? true
        else { throw Failure.unavailable }
        return answer.accessToken
    }

    private static func adding(_ items: [(String, String)], to url: String) -> String {
        url + (url.contains("?") ? "&" : "?") + FormCoding.encode(items)
    }
}

/// `application/x-www-form-urlencoded` (URL standard), everything but unreserved characters escaped.
enum FormCoding {
    static func encode(_ items: [(String, String)]) -> String {
        items.map { "\(encode($0.0))=\(encode($0.1))" }.joined(separator: "&")
    }

    private static func encode(_ text: String) -> String {
        var result = ""
        for byte in text.utf8 {
            if Base64URL.isOfAlphabet(byte) || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "~") {
                result.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                result += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
            }
        }
        return result
    }
}
