import Crypto
import Foundation
import PlatformModel

/// Where a visitor goes after signing in: a page of a protected host, signed so that nobody else can name one.
struct ReturnTarget: Codable, Hashable, Sendable {
    /// Absolute.
    let url: String
    /// Seconds since 1970.
    let expires: Int
    /// Of the random value that the browser holds for that host.
    let nonceHash: String
    var version = 1

    enum CodingKeys: String, CodingKey {
        case url = "u"
        case expires = "e"
        case nonceHash = "h"
        case version = "v"
    }

    static let lifetime = 900

    static func hash(ofNonce nonce: String) -> String { Base64URL.encode(SHA256.hash(data: Data(nonce.utf8))) }

    /// `<base64url of the JSON>.<base64url of its HMAC>`
    func signed(with keys: KeyRing) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let text = Base64URL.encode(try encoder.encode(self))
        return text + "." + keys.sign(text, for: .returnTarget)
    }

    /// nil for one that we did not sign, or that is too old.
    init?(_ text: String, keys: KeyRing, now: Date) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard text.utf8.count <= 8192, parts.count == 2, keys.isSignature(parts[1], of: parts[0], for: .returnTarget),
            let data = Base64URL.decode(parts[0]), let target = try? JSONDecoder().decode(ReturnTarget.self, from: data),
            target.version == 1, Double(target.expires) > now.timeIntervalSince1970
        else { return nil }
        self = target
    }

    init(url: String, expires: Int, nonceHash: String) {
        self.url = url
        self.expires = expires
        self.nonceHash = nonceHash
    }
}

/// A page of a protected host, taken apart and put together again by this service's own rules: what goes into a `Location` is never a text that
/// came from outside.
struct TargetURL: Hashable, Sendable {
    let place: PlacedHost
    /// Path and query.
    let rest: String

    var text: String { place.origin + rest }

    /// nil for anything but the scheme, host and port of a zone as it is now, and a plain path below it.
    init?(_ text: String, zones: ZoneTable) {
        guard text.utf8.count <= 4096, text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }), !text.contains("\\"), !text.contains("#"),
            let separator = text.range(of: "://")
        else { return nil }
        let authority = text[separator.upperBound...].prefix { $0 != "/" && $0 != "?" }
        guard !authority.contains("@"), let host = HostName(authority), let place = zones.place(host) else { return nil }
        // Scheme and port are the zone's, or this is another place.
        guard text.hasPrefix(place.origin) else { return nil }
        let rest = String(text.dropFirst(place.origin.count))
        guard rest.hasPrefix("/"), !rest.hasPrefix("//"), let path = PercentCoding.decode(rest.prefix { $0 != "?" }),
            !path.hasPrefix(AskedRequest.returnPath)
        else { return nil }
        self.place = place
        self.rest = rest
    }
}
