import Foundation
import HTTPTypes

/// What a visitor's request carries to say who asks. Nothing here has been verified.
struct Credentials: Sendable {
    enum Bearer: Hashable, Sendable {
        case token(String)
        /// The id of a session on this host.
        case session(String)
    }

    struct Candidate: Hashable, Sendable {
        let bearer: Bearer
        let isCookie: Bool
    }

    /// In the order in which they are tried.
    let candidates: [Candidate]
    /// Whether `Authorization` holds a token of the platform, standing or not: no browser's navigation does.
    let holdsPlatformToken: Bool

    private static let limit = 5

    /// On the hosts of jobs and apps. An `Authorization` that is not ours belongs to the job and is no error.
    init(_ asked: AskedRequest, tokenCookies: [String], session: String) {
        var candidates: [Candidate] = []
        let token = PlatformAuthorization.token(asked.headers[values: .authorization])
        if let token { candidates.append(Candidate(bearer: .token(token), isCookie: false)) }
        candidates += asked.cookies.tokens(session).filter(RandomText.isPlausible).map { Candidate(bearer: .session($0), isCookie: true) }
        candidates += tokenCookies.flatMap { asked.cookies.tokens($0) }.map { Candidate(bearer: .token($0), isCookie: true) }
        self.candidates = Array(candidates.prefix(Self.limit))
        holdsPlatformToken = token != nil
    }
}

/// Tokens of the platform in an `Authorization` field.
enum PlatformAuthorization {
    /// The token that a single field names in a way we accept; of two fields neither counts.
    static func token(_ fields: [String]) -> String? {
        guard fields.count == 1, let field = fields.first else { return nil }
        let parts = field.split(maxSplits: 1) { $0 == " " || $0 == "\t" }
        guard parts.count == 2 else { return nil }
        let rest = parts[1].filter { !$0.isWhitespace }
        switch parts[0].lowercased() {
        case "bearer": return isToken(rest) ? rest : nil
        case "basic":
            if isToken(rest) { return rest }
            return password(rest).flatMap { isToken($0) ? $0 : nil }
        default: return nil
        }
    }

    /// Whether a field holds a platform token anywhere; such a field is never passed on.
    static func holdsToken(_ field: String) -> Bool {
        let parts = field.split { " \t,;=\"".contains($0) }
        return parts.contains { isToken(String($0)) || password(String($0)).map(isToken) == true }
    }

    private static func password(_ text: String) -> String? {
        guard let data = Data(base64Encoded: text) ?? Base64URL.decode(text) else { return nil }
        let pair = String(decoding: data, as: UTF8.self)
        return pair.firstIndex(of: ":").map { String(pair[pair.index(after: $0)...]) }
    }

    /// Whether a text has the form of a platform token: a JSON Web Token that claims an identity.
    static func isToken(_ text: String) -> Bool {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, text.utf8.count <= 16_384, let payload = Base64URL.decode(parts[1]),
            let claims = try? JSONSerialization.jsonObject(with: payload) as? [String: Any]
        else { return false }
        return claims["https://platform.neuromation.io/user"] is String || claims["identity"] is String
    }
}
