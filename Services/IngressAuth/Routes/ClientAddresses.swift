import HTTPTypes
import NIOCore

/// Limits how often one address may ask. Whose address a request came from is the gateway's word, and only that of a gateway we know: from
/// anybody else the connection's own counts. It decides nothing else.
struct ClientAddresses: Sendable {
    /// Of the gateways.
    let trusted: Set<String>
    let limiter: RateLimiter

    func admits(_ peer: SocketAddress?, _ headers: HTTPFields) -> Bool {
        guard let peer = peer?.ipAddress else { return true }
        guard trusted.contains(peer) else { return limiter.admits(peer) }
        // Earlier items are what the visitor said of himself.
        let last = headers[values: .forwardedFor].last?.split(separator: ",").last.map { $0.filter { !$0.isWhitespace } }
        guard let last, !last.isEmpty, last.utf8.count <= 64 else { return true }
        return trusted.contains(last) || limiter.admits(last)
    }
}
