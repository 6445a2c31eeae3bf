import Foundation
import ServiceKit

/// What a client asks of the authorization endpoint, checked (RFC 6749 §4.1.1, RFC 7636).
struct AuthorizationRequest: Sendable {
    /// Why a request cannot be served: told on a page while it is unknown whose it is, else to its client.
    enum Refusal: Error {
        case page(String)
        case client(OAuthError, redirectURI: String, state: String?)
    }

    let client: OAuthClient
    let redirectURI: String
    let state: String?
    let challenge: String
    let audience: String
    let scopes: [String]
    let nonce: String?
    /// Nobody may be asked anything.
    let isSilent: Bool
    /// A sign-in must not be older, in seconds; 0: it must be a new one.
    let maximumAge: Int?

    /// - Throws: ``Refusal``.
    init(_ query: QueryItems, clients: OAuthClients, audience known: String) throws {
        let twice = Dictionary(grouping: query.items, by: \.name).first { $0.value.count > 1 }?.key
        guard twice == nil || !["client_id", "redirect_uri"].contains(twice) else {
            throw Refusal.page("The request names its client or its return address twice.")
        }
        guard let client = query.first("client_id").flatMap({ clients[$0] }) else {
            throw Refusal.page("The program that sent you here is not known to this platform.")
        }
        guard let redirectURI = query.first("redirect_uri"), client.redirectURIs.contains(redirectURI) else {
            throw Refusal.page("The program that sent you here wants the answer at an address that is not registered.")
        }
        let state = query.first("state")
        func refuse(_ code: OAuthError.Code, _ text: String) -> Refusal {
            .client(OAuthError(code, text), redirectURI: redirectURI, state: state)
        }
        if let twice { throw refuse(.invalidRequest, "\(twice) is given twice") }
        if query.first("request") != nil { throw refuse(.requestNotSupported, "request objects are not supported") }
        if query.first("request_uri") != nil { throw refuse(.requestURINotSupported, "request objects are not supported") }
        guard query.first("response_type") == "code" else {
            throw refuse(.unsupportedResponseType, "response_type: only code is supported")
        }
        guard query.first("response_mode") ?? "query" == "query" else {
            throw refuse(.invalidRequest, "response_mode: only query is supported")
        }
        guard query.first("code_challenge_method") == "S256" else {
            throw refuse(.invalidRequest, "code_challenge_method: S256 is required")
        }
        guard let challenge = query.first("code_challenge"), PKCE.isChallenge(challenge) else {
            throw refuse(.invalidRequest, "code_challenge: expected 43 characters of base64url")
        }
        let audience = query.first("audience") ?? known
        guard audience == known else { throw refuse(.invalidTarget, "audience: this platform is \(known)") }
        let lengths = ["scope": 1_000, "state": 2_048, "nonce": 512]
        for (name, most) in lengths where query.first(name)?.utf8.count ?? 0 > most {
            throw refuse(.invalidRequest, "\(name): longer than \(most) characters")
        }
        let prompts = Set((query.first("prompt") ?? "").split(separator: " "))
        if prompts.contains("none"), prompts.count > 1 { throw refuse(.invalidRequest, "prompt: none stands alone") }
        var maximumAge: Int?
        if let text = query.first("max_age") {
            guard let age = Int(text), age >= 0 else { throw refuse(.invalidRequest, "max_age: expected a number of seconds") }
            maximumAge = age
        }
        self.client = client
        self.redirectURI = redirectURI
        self.state = state
        self.challenge = challenge
        self.audience = audience
        scopes = Set((query.first("scope") ?? "").split(separator: " ").map(String.init)).intersection(Self.knownScopes).sorted()
        nonce = query.first("nonce")
        isSilent = prompts.contains("none")
        self.maximumAge = prompts.contains("login") ? 0 : maximumAge
    }

    static let knownScopes: Set = ["openid", "profile", "email", "offline_access"]

    /// Whether the session is new enough for this client.
    func accepts(_ session: Session, now: Date) -> Bool {
        guard let maximumAge else { return true }
        return now.timeIntervalSince(session.signedInAt) <= Double(maximumAge)
    }
}

/// Proof key for code exchange, by SHA-256 alone (RFC 7636).
enum PKCE {
    static func isChallenge(_ text: String) -> Bool { text.utf8.count == 43 && text.utf8.allSatisfy(isUnreserved) }

    static func isVerifier(_ text: String) -> Bool {
        (43...128).contains(text.utf8.count)
            && text.utf8.allSatisfy { isUnreserved($0) || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "~") }
    }

    static func challenge(of verifier: String) -> String { OpaqueToken.digest(verifier) }

    private static func isUnreserved(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }
}
