import Foundation
import Identity
import PlatformModel

/// Tokens of whoever is needed, and such as nobody should have.
struct Tokens: Sendable {
    private let signer: TokenSigner
    private let stranger: TokenSigner

    init(pem: String) async throws {
        signer = try await TokenSigner(pem: pem)
        stranger = try await TokenSigner(pem: TokenSigner.generatePEM())
    }

    // Issued a little later than now, since those who are made now have tokens from now on.
    private static var soon: Date { Date() + 2 }

    func user(_ name: String) async throws -> String {
        try await signer.sign(TokenClaims(name: PrincipalName(name), issuedAt: Self.soon))
    }

    func service(_ name: String) async throws -> String {
        // ingress-auth answers for visitors and has no business with what the control plane's services see.
        let kind: TokenKind = name.hasSuffix("-api") ? .controlPlane : .user
        return try await signer.sign(TokenClaims(name: PrincipalName(name), kind: kind))
    }

    /// They all name the operator, who may do everything, but for the one of somebody deleted.
    func bad(_ kind: BadToken) async throws -> String {
        let claims = TokenClaims(name: try PrincipalName(Visitor.admin.rawValue), issuedAt: Self.soon)
        let good = try await signer.sign(claims).split(separator: ".").map(String.init)
        switch kind {
        case .malformed: return "malformed.token"
        case .expired:
            return try await signer.sign(
                TokenClaims(name: claims.name, issuedAt: Date() - 7200, expiresAt: Date() - 3600))
        case .foreign: return try await stranger.sign(claims)
        case .forged:
            let other = try await user(Visitor.outsider.rawValue).split(separator: ".")
            return "\(good[0]).\(good[1]).\(other[2])"
        case .altered:
            let other = try await user(Visitor.outsider.rawValue).split(separator: ".")
            return "\(other[0]).\(good[1]).\(other[2])"
        case .unsigned:
            let header = Data(#"{"alg":"none","typ":"JWT"}"#.utf8).base64EncodedString().replacingOccurrences(of: "=", with: "")
            return "\(header).\(good[1])."
        case .deleted: return try await user("gone")
        }
    }
}
