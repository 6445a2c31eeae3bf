import Foundation
import Hummingbird
import ServiceKit

/// Where the request comes from that this task works for.
struct RequestOrigin: Sendable {
    /// The address of the client, as far as trusted proxies tell it.
    let source: String
    let requestID: String

    @TaskLocal static var current: RequestOrigin?
}

/// Finds out who is on the other side of the gateway: the right-most address that no trusted proxy has.
struct RequestOrigins: Sendable {
    private let trusted: [AddressRange]

    /// - Parameter proxies: addresses and CIDR ranges with commas between; only what those say in `X-Forwarded-For` is believed.
    init(proxies: String) throws {
        trusted = try proxies.split(separator: ",").map { text in
            let text = text.trimmingCharacters(in: .whitespaces)
            guard let range = AddressRange(text) else {
                throw SettingError("ORRERY_TRUSTED_PROXIES: \"\(text)\" is no address and no range such as 10.0.0.0/8.")
            }
            return range
        }
    }

    func origin(of request: Request, _ context: PlatformContext) -> RequestOrigin {
        RequestOrigin(
            source: source(
                peer: context.channel.remoteAddress?.ipAddress ?? "",
                forwarded: request.headers[values: .forwardedFor].joined(separator: ",")),
            requestID: context.requestID)
    }

    func source(peer: String, forwarded: String?) -> String {
        var source = peer
        var chain = (forwarded ?? "").split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
        while isTrusted(source), let next = chain.popLast(), AddressRange.bytes(next) != nil { source = next }
        return source
    }

    /// Runs a handler with its request's origin at hand.
    func with<T>(_ request: Request, _ context: PlatformContext, _ body: () async throws -> T) async rethrows -> T {
        try await RequestOrigin.$current.withValue(origin(of: request, context), operation: body)
    }

    private func isTrusted(_ address: String) -> Bool {
        guard let bytes = AddressRange.bytes(address) else { return false }
        return trusted.contains { $0.contains(bytes) }
    }
}

/// A block of IP addresses (RFC 4632, RFC 4291).
struct AddressRange: Sendable {
    private let bytes: [UInt8]
    private let length: Int

    init?(_ text: String) {
        let parts = text.split(separator: "/", maxSplits: 1)
        guard let first = parts.first, let bytes = Self.bytes(String(first)) else { return nil }
        let length = parts.count > 1 ? Int(parts[1]) : bytes.count * 8
        guard let length, (0...bytes.count * 8).contains(length) else { return nil }
        self.bytes = bytes
        self.length = length
    }

    func contains(_ address: [UInt8]) -> Bool {
        guard address.count == bytes.count else { return false }
        return (0..<length).allSatisfy { bit in (address[bit / 8] ^ bytes[bit / 8]) & (0x80 >> UInt8(bit % 8)) == 0 }
    }

    /// 4 or 16 bytes; an IPv4 address in IPv6 clothes is an IPv4 address.
    static func bytes(_ text: String) -> [UInt8]? {
        var four = in_addr()
        if inet_pton(AF_INET, text, &four) == 1 { return withUnsafeBytes(of: four) { Array($0) } }
        var six = in6_addr()
        guard inet_pton(AF_INET6, text, &six) == 1 else { return nil }
        let bytes = withUnsafeBytes(of: six) { Array($0) }
        return bytes.starts(with: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff]) ? Array(bytes.suffix(4)) : bytes
    }
}
