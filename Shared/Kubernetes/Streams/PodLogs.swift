import AsyncHTTPClient
import Foundation
import NIOCore

/// Which part of a container's log.
public struct PodLogOptions: Sendable {
    /// Needed when the pod has several.
    public var container: String?
    /// Stay until the container ends. The stream may also end when the log is rotated or the server restarts.
    public var follow = false
    /// The log of the run before the last restart.
    public var previous = false
    /// Prefix each line with its RFC 3339 time in nanoseconds and a blank.
    public var timestamps = false
    /// Whole seconds: the server drops the fraction.
    public var since: Date?
    public var tailLines: Int?
    public var limitBytes: Int?

    public init(container: String? = nil, follow: Bool = false, previous: Bool = false, timestamps: Bool = false, since: Date? = nil) {
        self.container = container
        self.follow = follow
        self.previous = previous
        self.timestamps = timestamps
        self.since = since
    }

    var query: [(String, String)] {
        var query: [(String, String)] = []
        if let container { query.append(("container", container)) }
        if follow { query.append(("follow", "true")) }
        if previous { query.append(("previous", "true")) }
        if timestamps { query.append(("timestamps", "true")) }
        if let since { query.append(("sinceTime", KubernetesTime.format(since))) }
        if let tailLines { query.append(("tailLines", String(tailLines))) }
        if let limitBytes { query.append(("limitBytes", String(limitBytes))) }
        return query
    }
}

/// The bytes of a container's log as they come; read no faster than you take them.
public struct PodLogs: AsyncSequence, Sendable {
    public typealias Element = ByteBuffer
    let body: HTTPClientResponse.Body

    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(base: body.makeAsyncIterator()) }

    public struct AsyncIterator: AsyncIteratorProtocol {
        var base: HTTPClientResponse.Body.AsyncIterator

        /// - Throws: `KubernetesError.unavailable` when the stream broke or was idle for longer than `streamIdleTimeout`.
        public mutating func next() async throws -> ByteBuffer? {
            do { return try await base.next() } catch { throw Transport.translate(error) }
        }
    }

    /// The same cut into lines without their ends, at most `limit` bytes each.
    public func lines(limit: Int = 16 << 20) -> PodLogLines { PodLogLines(logs: self, limit: limit) }
}

/// Lines of a log.
public struct PodLogLines: AsyncSequence, Sendable {
    public typealias Element = [UInt8]
    let logs: PodLogs
    let limit: Int

    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(reader: LineReader(logs, limit: limit)) }

    public struct AsyncIterator: AsyncIteratorProtocol {
        var reader: LineReader<PodLogs>
        public mutating func next() async throws -> [UInt8]? { try await reader.next() }
    }
}

extension KubernetesClient {
    /// Opens a container's log.
    /// - Throws: `KubernetesError.api` 404 when there is no such pod, 400 while its container has not started.
    public func logs(pod: String, in namespace: String? = nil, _ options: PodLogOptions = .init()) async throws -> PodLogs {
        let path = RequestPath.resource(
            .pods, namespace: namespace ?? configuration.namespace, name: pod, subresource: "log", query: options.query)
        return PodLogs(body: try await transport.open(Call(path: path, accept: "*/*")).body)
    }
}
