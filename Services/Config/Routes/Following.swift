import Crypto
import Foundation
import Hummingbird
import NIOCore
import PlatformModel
import ServiceKit

/// Answers that can be followed: they carry an `ETag`; `If-None-Match` is answered with 304, and with `wait` (seconds) beside it only when
/// there is a change or the time is up.
struct Following: Sendable {
    /// Below the patience of clients and proxies. So much later at most is seen what nobody announces: a grant that changed.
    static let longestWait = 20

    let feed: ChangeFeed
    let viewers: ClusterViewers

    /// - Parameter cluster: the one that the answer is about; all for nil.
    func answer<T: Encodable>(
        _ request: Request, _ context: PlatformContext, about cluster: ClusterName?, _ read: (ClusterViewer) async throws -> T
    ) async throws -> Response {
        let caller = try context.requireCaller()
        let wait = min(try context.query.int("wait") ?? 0, Self.longestWait)
        guard wait > 0, request.headers[.ifNoneMatch] != nil else { return try await tagged(read(viewers.viewer(caller)), request) }
        let deadline = ContinuousClock.now + .seconds(wait)
        // From before the first look, so that nothing falls between looking and waiting.
        return try await feed.following(cluster, for: caller.name) { wakes in
            while true {
                // Whoever waits is asked for anew each time: what it may see, and whether its token stands.
                let answer = try await tagged(read(viewers.viewer(caller)), request)
                guard answer.status == .notModified, let wakes, await wakes.next(until: deadline) else { return answer }
            }
        }
    }

    private func tagged(_ value: some Encodable, _ request: Request) throws -> Response {
        let body = try PlatformJSON.encoder().encode(value)
        let tag = "\"" + SHA256.hash(data: body).prefix(16).map { String(format: "%02x", $0) }.joined() + "\""
        // It depends on who asks.
        let headers: HTTPFields = [.eTag: tag, .cacheControl: "private, no-cache"]
        if request.headers[.ifNoneMatch] == tag { return Response(status: .notModified, headers: headers) }
        var response = Response(status: .ok, headers: headers, body: .init(byteBuffer: ByteBuffer(bytes: body)))
        response.headers[.contentType] = PlatformJSON.contentType
        return response
    }
}
