import Crypto
import Foundation
import JWTKit

/// The public keys of an issuer (RFC 7517), as served at `/.well-known/jwks.json`. Only ES256 keys are kept.
public struct PublicKeySet: Hashable, Sendable, Codable {
    public var keys: [Key]

    public init(keys: [Key]) { self.keys = keys }

    /// One P-256 key.
    public struct Key: Hashable, Sendable, Codable {
        public var kty = "EC"
        public var crv = "P-256"
        public var alg: String? = "ES256"
        public var use: String? = "sig"
        public var kid: String
        /// Base64url without padding.
        public var x: String
        public var y: String

        init(x: String, y: String) {
            self.x = x
            self.y = y
            kid = Self.thumbprint(x: x, y: y)
        }

        /// RFC 7638: SHA-256 of the required members in order, without white space.
        static func thumbprint(x: String, y: String) -> String {
            let text = #"{"crv":"P-256","kty":"EC","x":"\#(x)","y":"\#(y)"}"#
            return Base64URL.encode(SHA256.hash(data: Data(text.utf8)))
        }
    }

    private enum CodingKeys: String, CodingKey { case keys }

    /// Keys of other kinds are skipped, not refused: a set may hold them for other readers.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        keys = try container.decode([Lenient].self, forKey: .keys).compactMap(\.key)
    }

    private struct Lenient: Decodable {
        let key: Key?
        init(from decoder: any Decoder) throws {
            let key = try? Key(from: decoder)
            self.key = key?.kty == "EC" && key?.crv == "P-256" && (key?.alg ?? "ES256") == "ES256" ? key : nil
        }
    }
}

/// Base64url without padding (RFC 4648 §5).
public enum Base64URL {
    /// Without padding.
    public static func encode(_ bytes: some Sequence<UInt8>) -> String {
        fromBase64(Data(bytes).base64EncodedString())
    }

    static func fromBase64(_ text: String) -> String {
        String(
            text.compactMap { character in
                switch character {
                case "+": "-"
                case "/": "_"
                case "=": nil
                default: character
                }
            })
    }

    /// Nil for what is none.
    public static func decode(_ text: some StringProtocol) -> Data? {
        var standard = String(text.map { $0 == "-" ? "+" : $0 == "_" ? "/" : $0 })
        while standard.utf8.count % 4 != 0 { standard.append("=") }
        return Data(base64Encoded: standard)
    }
}
